"""The history screen: rotations with outcome, cause and duration; with -v the events of each.

Must never leave out the reason of a rotation that went wrong.
"""

from __future__ import annotations

from collections.abc import Sequence

from phoenix.core.explain import ago
from phoenix.core.rotation import Rotation
from phoenix.core.story import Event
from phoenix.views import text


def render(group: str, rotations: Sequence[Rotation], *, verbose: bool = False) -> str:
    """Rotations, newest first."""
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
