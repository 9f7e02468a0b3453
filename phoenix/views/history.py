"""The history screen: rotations with outcome, cause and duration; with -v the events of each.

Must never leave out the reason of a rotation that went wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

from phoenix.core.explain import ago, counted
from phoenix.core.rotation import Rotation
from phoenix.core.story import Event
from phoenix.errors import PhoenixError
from phoenix.views import text

_INSET: Final = " " * 20


def render(group: str, rotations: Sequence[Rotation], *, verbose: bool = False, since: timedelta | None = None) -> str:
    """Rotations, newest first."""
    if not rotations and since is not None:
        return f"{text.clean(group)} has not been rotated by phoenix in the last {ago(since)}.\n"
    if not rotations:
        return f"{text.clean(group)} has never been rotated by phoenix.\n"
    if verbose:
        return text.screen(*(_story(rotation) for rotation in rotations))
    why = [rotation for rotation in rotations if rotation.reason]
    return text.screen(
        table(rotations),
        text.facts((rotation.id, rotation.reason or "") for rotation in why[:5]),
        [f"The story of each: {text.command('history', group)} -v"],
    )


def timeline(
    rotations: Sequence[Rotation],
    failures: Mapping[str, PhoenixError],
    *,
    groups: int,
    since: timedelta | None = None,
    verbose: bool = False,
) -> str:
    """The rotations of all groups, newest first, each with who and why; then the groups that could not be read."""
    unread = [line for name, error in failures.items() for line in text.trouble(name, error.message)]
    if not rotations:
        time = "" if since is None else f" in the last {ago(since)}"
        return text.screen([f"No rotation{time} in {counted(groups, 'group')}."], unread)
    if verbose:
        return text.screen(*(_story(rotation) for rotation in rotations), unread)
    heads = ["started (UTC)", "group", "from>", "to>", "outcome", "took", "by"]
    lines = text.table(heads, [_fleet_line(rotation) for rotation in rotations])
    told = [lines[0]]
    for line, rotation in zip(lines[1:], rotations, strict=True):
        told += [line, *(each for why in _why(rotation) for each in text.paragraph(why, first=_INSET, rest=_INSET))]
    return text.screen(told, unread, ["The story of one group: phoenix history --group GROUP -v"])


def _fleet_line(rotation: Rotation) -> list[str]:
    return [
        text.moment(rotation.started_at) if rotation.origin.by else "-",
        text.clip(rotation.group, 20),
        str(rotation.old.number),
        str(rotation.new.number),
        str(rotation.outcome).replace("_", " "),
        _took(rotation),
        text.clip(rotation.origin.by or "-", 20),
    ]


def _why(rotation: Rotation) -> list[str]:
    """The reason for its start, and what persons and gates made of it, each with its name."""
    told = [rotation.origin.trigger]
    told += [f"ignored {name}: {text.by_whom(ask.by, ask.reason)}" for name, ask in rotation.origin.ignored.items()]
    if rotation.back is not None:
        cause = f" ({rotation.cause})" if rotation.cause else ""
        told.append(f"turned back{cause} by {rotation.back.ask.by}: {rotation.reason or rotation.back.reason}")
    elif rotation.reason:
        told.append(rotation.reason)
    if rotation.paused is not None and rotation.in_flight:
        told.append(f"paused by {text.by_whom(rotation.paused.by, rotation.paused.reason)}")
    return [line for line in told if line]


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
