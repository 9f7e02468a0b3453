"""Requests to a rotation, by whom and why, from its start to what turned it back. Pure: frozen values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from phoenix.core.model import Cause, Slot


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a story. `by` is the person whose act it is, empty where phoenix did it; `reason` the person's."""

    at: datetime
    name: str
    text: str
    by: str = ""
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """An operator's request to a rotation: when, by whom, and why."""

    at: datetime
    by: str
    reason: str | None = None

    @property
    def text(self) -> str:
        """`by ada: too many errors`, as a line of a story says it."""
        return f"by {self.by}" + (f": {self.reason}" if self.reason else "")


@dataclass(frozen=True, slots=True)
class Origin:
    """The start of the rotation: why, by whom, and what the groups were at that moment.

    `policy` is the text that the rotation keeps to, `store` the location that the tag `phoenix:store` names. `ignored`
    is what was in the way of the start and was passed over by name (`alarm:web-5xx`), by whom and why. `trace` is a W3C
    traceparent: the trace of the whole rotation, and the span that is its root.

    `pin` is the number that a live slot on the template's newest or default version is pinned to. `templates` and
    `arns` identify the slots' launch templates and groups; empty where the rotation did not note them.
    """

    trigger: str
    by: str
    policy: str = ""
    store: str = ""
    trace: str = ""
    ignored: Mapping[str, Ask] = field(default_factory=dict)
    pin: str | None = None
    templates: Mapping[Slot, str] = field(default_factory=dict)
    arns: Mapping[Slot, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WayBack:
    """A rotation that was turned round: who asked for it (phoenix, where a gate failed), and why, in one sentence.

    `now` means that traffic moves before the old generation has proved itself. `cause` None: found on the tags, where
    no cause is written.
    """

    ask: Ask
    cause: Cause | None
    reason: str
    now: bool = False


@dataclass(frozen=True, slots=True)
class Hold:
    """The reason for a standstill until a person acts. `cause` where a failed gate would have turned it back."""

    why: str
    cause: Cause | None = None
