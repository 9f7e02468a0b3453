"""A failed delivery is always a TransientError: no piece of news is worth holding a rotation."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from phoenix.errors import PermanentError, TransientError


@contextmanager
def sending_to(where: str) -> Iterator[None]:
    """Send in this block; AWS's refusal leaves it as a TransientError that names the place the news did not reach."""
    try:
        yield
    except (PermanentError, TransientError) as error:
        raise TransientError(f"news did not reach {where}: {error.message}", hint=error.hint) from error
