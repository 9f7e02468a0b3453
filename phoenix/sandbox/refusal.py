"""How the sandbox says no: an AWS error with its code and words.

Its own class, because moto guesses the service of an exception from the module that it is defined in.
"""

from __future__ import annotations

from moto.core.exceptions import ServiceException


class Refusal(ServiceException):  # type: ignore[misc]
    """An AWS error that the sandbox has decided on. `status` None: the one that AWS's model has for the code."""

    def __init__(self, code: str, message: str, *, status: int | None = None) -> None:
        super().__init__(code, message)
        self.status = status
