"""The findings of a probe, as values. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from phoenix.fleets.probe_target import Target


class Outcome(StrEnum):
    """The outcome of one request."""

    ALLOWED = "allowed"
    DENIED = "denied"
    """For want of rights."""
    NOT_YET = "not_yet"
    """AWS does not know the version that it names: perhaps only not yet."""
    REFUSED = "refused"
    UNANSWERED = "unanswered"
    """Throttled, failed or lost: it may have been carried out."""


@dataclass(frozen=True, slots=True)
class Answer:
    """AWS's answer to one request, in its own words."""

    outcome: Outcome
    words: str = ""

    @property
    def allowed(self) -> bool:
        """True when AWS has carried it out."""
        return self.outcome is Outcome.ALLOWED


@dataclass(frozen=True, slots=True)
class MadeVersion:
    """A version that was made and given to the group at once. `accepted_after` None: it was not, and `last` says why;
    `refusals` are AWS's sentences until then."""

    number: int
    last: Answer
    accepted_after: timedelta | None = None
    refusals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Left:
    """Something that could not be put back, and the command that does it."""

    text: str
    command: str


@dataclass(frozen=True, slots=True)
class Probed:
    """The findings; None was not asked. `making` is why a version could not be made, `stopped` why the probe
    ended early. `restored`: the group launches from its own version again. `deleted` are versions that were made and
    are gone, `left` is what a person has to take away."""

    target: Target
    plain: Answer | None = None
    own: Answer | None = None
    latest: Answer | None = None
    making: Answer | None = None
    versions: tuple[MadeVersion, ...] = ()
    stopped: str | None = None
    interrupted: bool = False
    restored: bool = True
    deleted: tuple[int, ...] = ()
    left: tuple[Left, ...] = ()
