"""Checks that an adapter makes before a start, side by side, each with reads of its own.

Must never report a check that could not be made as one that has passed: it becomes a warning that says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from phoenix.aws.session import Aws
from phoenix.core.blocker import Blocker
from phoenix.errors import PhoenixError, TransientError


@dataclass(frozen=True, slots=True)
class Check:
    """Something to look at: what people call it, the names of the blockers it may yield, and how it is done.

    An `optional` one asks a service that nothing else needs: that it does not answer stands in nobody's way either.
    """

    subject: str
    names: tuple[str, ...]
    find: Callable[[], Iterable[Blocker]]
    optional: bool = False


def make_checks(aws: Aws, checks: Sequence[Check]) -> list[Blocker]:
    """What all of them found, in their order.

    Raises:
        TransientError: AWS did not answer, which says nothing about the group.
    """
    answers = aws.side_by_side([partial(_made, check) for check in checks])
    return [blocker for answer in answers for blocker in answer]


def _made(check: Check) -> list[Blocker]:
    """An account may deny an extra check, and that alone stands in nobody's way."""
    try:
        return list(check.find())
    except TransientError as error:
        if not check.optional:
            raise
        return [_not_made(check, error)]
    except PhoenixError as error:
        return [_not_made(check, error)]


def _not_made(check: Check, error: PhoenixError) -> Blocker:
    return Blocker("not-checked", check.subject, error.message, error.hint, warning=True, unchecked=check.names)
