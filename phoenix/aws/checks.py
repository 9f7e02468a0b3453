"""An adapter's checks before a start, made side by side, each with reads of its own.

Must never count a check that could not be made as passed: it becomes a warning that says so.
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
    """A check: its name for people, the names of the blockers it may yield, and the function that makes it.

    An `optional` check asks a service that nothing else needs; it blocks no start if that service does not answer.
    """

    subject: str
    names: tuple[str, ...]
    find: Callable[[], Iterable[Blocker]]
    optional: bool = False


def make_checks(aws: Aws, checks: Sequence[Check]) -> list[Blocker]:
    """Return the blockers of all checks, in the order of the checks.

    Raises:
        TransientError: AWS did not answer, so nothing is known about the group.
    """
    answers = aws.side_by_side([partial(_made, check) for check in checks])
    return [blocker for answer in answers for blocker in answer]


def _made(check: Check) -> list[Blocker]:
    """Return the warning for a check that the account denies; a denied check alone blocks no start."""
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
