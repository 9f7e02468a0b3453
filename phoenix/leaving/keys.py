"""The questions that a policy asks of an entry of `before_leaving`, whatever its kind.

Must never know one kind by name: each says for itself what it is called, and whose groups it takes care of.
"""

from __future__ import annotations

from abc import abstractmethod
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from phoenix.core.work import Station
from phoenix.keys import Duration, Kind, wrong


def _some_time(timeout: timedelta) -> timedelta:
    if not timeout:
        raise wrong("must be longer than 0s", instead="15m")
    return timeout


class LeavingKeys(Kind):
    """The keys of every kind. Each narrows `kind` to one word."""

    timeout: Annotated[Duration, AfterValidator(_some_time)] = Field(
        default=timedelta(minutes=15), description="How long an instance may take here, from when it is first told."
    )
    on_timeout: Literal["hold", "go_on"] = Field(
        default="hold",
        description="hold: the rotation waits for a person, and nothing is cut off. go_on: the instance leaves with"
        " what is left on it.",
    )

    @property
    @abstractmethod
    def title(self) -> str:
        """What it is called on screens, in two or three words."""

    @property
    def cannot_return(self) -> str:
        """The key after whose work an instance cannot be used again; empty where it can."""
        return ""

    def station(self) -> Station:
        """As the core knows it."""
        return Station(self.kind, self.title, self.timeout, goes_on=self.on_timeout == "go_on")
