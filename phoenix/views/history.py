"""The history screen: rotations with outcome, cause and duration, what was done by whom and why; with -v every event.

Must never leave out the reason of a rotation that went wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from phoenix.core.acts import PHOENIX, Act, acts_of, in_order
from phoenix.core.explain import ago, counted
from phoenix.core.rotation import Rotation
from phoenix.core.story import Event
from phoenix.errors import PhoenixError
from phoenix.views import text


@dataclass(frozen=True, slots=True)
class Period:
    """The time that was asked for; None: any. `ago` is `since` as it was typed, where it was a duration."""

    since: datetime | None = None
    until: datetime | None = None
    ago: timedelta | None = None

    def of(self, acts: Iterable[Act]) -> list[Act]:
        """The acts in this time, the newest last."""
        return in_order(acts, self.since, self.until)

    @property
    def words(self) -> str:
        """` in the last 1h`, ` from .. to ..`; empty for any time."""
        if self.ago is not None:
            return f" in the last {ago(self.ago)}"
        told = f" since {text.moment(self.since)} UTC" if self.since is not None else ""
        return told + (f" until {text.moment(self.until)} UTC" if self.until is not None else "")


ANY_TIME: Final = Period()


def render(
    group: str,
    rotations: Sequence[Rotation],
    acts: Sequence[Act] = (),
    *,
    verbose: bool = False,
    period: Period = ANY_TIME,
) -> str:
    """Rotations, newest first; then what was done, by whom and why, newest last. `acts` are those at rest."""
    done = _timeline([*acts, *_own(rotations, period)])
    if not rotations:
        never = (
            f"has not been rotated by phoenix{period.words}" if period.words else "has never been rotated by phoenix"
        )
        return text.screen([f"{text.clean(group)} {never}."], done)
    if verbose:
        return text.screen(*(_story(rotation) for rotation in rotations), done if acts else [])
    why = [rotation for rotation in rotations if rotation.reason]
    return text.screen(
        table(rotations),
        text.facts((rotation.id, rotation.reason or "") for rotation in why[:5]),
        done,
        [f"The story of each: {text.command('history', group)} -v"],
    )


@dataclass(frozen=True, slots=True)
class Past:
    """What all groups have gone through in a time: rotations, and `acts` at rest; `failures` could not be read."""

    rotations: Sequence[Rotation]
    acts: Sequence[Act]
    failures: Mapping[str, PhoenixError]
    period: Period = ANY_TIME


def timeline(past: Past, *, groups: int, verbose: bool = False) -> str:
    """What was done to all groups, newest last, by whom and why; -v adds every step. Then the groups that could not be
    read."""
    unread = [line for name, error in past.failures.items() for line in text.trouble(name, error.message)]
    done = in_order([*past.acts, *_own(past.rotations, past.period, every=verbose)])
    if not done:
        return text.screen([f"No rotation{past.period.words} in {counted(groups, 'group')}."], unread)
    more = "One group: phoenix history --group GROUP -v" if verbose else "Every step: phoenix history -v"
    return text.screen(_timeline(done, with_groups=True), unread, [more])


def _own(rotations: Sequence[Rotation], period: Period, *, every: bool = False) -> list[Act]:
    return period.of(act for rotation in rotations for act in acts_of(rotation, every=every))


def _timeline(acts: Sequence[Act], *, with_groups: bool = False) -> list[str]:
    """Return a line for each act, below the day that it was on."""
    lines: list[str] = []
    day = ""
    width = max((len(text.clip(act.group, 20)) for act in acts), default=0) if with_groups else 0
    for act in in_order(acts):
        today = f"{act.at.astimezone(UTC):%Y-%m-%d} UTC"
        lines += [today] if today != day else []
        day = today
        group = f"{text.clip(act.group, 20):<{width}}  " if with_groups else ""
        first = f"  {text.clock(act.at)}  {group}{act.name:<11} "
        lines += text.paragraph(_told(act), first=first, rest=" " * len(first))
    return lines


def _told(act: Act) -> str:
    """The act with who and why, unless its text tells them."""
    if act.by == PHOENIX or f"by {act.by}" in act.text:
        return act.text
    return f"{act.text}, by {text.by_whom(act.by, act.reason)}"


def table(rotations: Sequence[Rotation]) -> list[str]:
    """Return one line per rotation, in the order given."""
    heads = ["started (UTC)", "rotation", "from>", "to>", "outcome", "cause", "took", "by"]
    return text.table(heads, [_line(rotation) for rotation in rotations])


def _line(rotation: Rotation) -> list[str]:
    return [
        text.moment(rotation.started_at) if rotation.origin.by else "-",
        rotation.id,
        str(rotation.old.number),
        str(rotation.new.number),
        str(rotation.outcome).replace("_", " "),
        str(rotation.cause or "-"),
        _took(rotation),
        text.clip(rotation.origin.by or "-", 20),
    ]


def _took(rotation: Rotation) -> str:
    return "-" if rotation.ended_at is None or not rotation.origin.by else ago(rotation.ended_at - rotation.started_at)


def _begun(rotation: Rotation) -> str:
    return f"{text.moment(rotation.started_at)} UTC by {rotation.origin.by}: " if rotation.origin.by else ""


def _story(rotation: Rotation) -> list[str]:
    outcome = str(rotation.outcome).replace("_", " ").upper()
    lines = [f"{text.clean(rotation.id)}  {outcome}  {rotation.old.number} -> {rotation.new.number}  {_took(rotation)}"]
    lines += text.facts(
        [
            ("started", f"{_begun(rotation)}{rotation.origin.trigger}"),
            ("image", f"{rotation.old.image} -> {rotation.new.image} ({rotation.new.image_name or 'no name'})"),
            *([("cause", str(rotation.cause))] if rotation.cause else []),
            *([("reason", rotation.reason)] if rotation.reason else []),
            *((f"gate {v.gate}", f"{v.judgement}: {v.reason}") for v in rotation.verdicts),
        ]
    )
    return lines + events(rotation.events)


def events(told: Sequence[Event]) -> list[str]:
    """Return a line for each event: time, name and sentence."""
    return [
        line
        for event in told
        for line in text.paragraph(event.text, first=f"  {text.clock(event.at)}  {event.name:<11} ", rest=" " * 24)
    ]
