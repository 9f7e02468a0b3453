"""What a failed delivery is: always something that passes, because no piece of news is worth holding a rotation for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from phoenix.errors import PermanentError, TransientError


@contextmanager
def sending_to(where: str) -> Iterator[None]:
    """Send in this block; a refusal of AWS leaves as a TransientError that says where the news did not arrive."""
    try:
        yield
    except (PermanentError, TransientError) as error:
        raise TransientError(f"news did not reach {where}: {error.message}", hint=error.hint) from error
