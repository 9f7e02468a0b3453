"""The steps and gates of a rotation in flight, as tables and sentences.

Must never call a step done because it was requested.
"""

from __future__ import annotations

from datetime import datetime

from phoenix.core.explain import ago
from phoenix.core.rotation import Rotation
from phoenix.core.story import Ask
from phoenix.core.terms import Step
from phoenix.views import text


def table(rotation: Rotation, at: datetime) -> list[str]:
    """Return a line per step, the current one marked; empty on the way back, which has no steps."""
    if rotation.back is not None:
        return []
    rows = [
        [
            f"> {number}" if number == rotation.step else str(number),
            f"{step.new_weight} %" if rotation.terms.serving.weights else f"{step.new_capacity} %",
            "until promoted" if step.bake is None else ago(step.bake),
            _state(rotation, number, step, at),
        ]
        for number, step in enumerate(rotation.terms.steps, start=1)
    ]
    measure = "weight>" if rotation.terms.serving.weights else "capacity>"
    return text.table(["step>", measure, "bake>", "state"], rows)


def _state(rotation: Rotation, number: int, step: Step, at: datetime) -> str:
    if number < rotation.step:
        return f"gates passed {text.clock(_passed_at(rotation, number))}"
    if number > rotation.step:
        return _afterwards(rotation) if number == len(rotation.terms.steps) else ""
    since = rotation.clocks.baking_since
    if since is None:
        return str(rotation.phase).replace("_", " ")
    if step.bake is None:
        return f"since {text.clock(since)}, until promoted"
    halt = _halt(rotation, at)
    if halt is not None:  # `resume` adds the halt to the bake: only the time before it counts
        word, stood = halt[0], max(halt[1], since)
        bar = text.bar((stood - since).total_seconds(), step.bake.total_seconds())
        return f"since {text.clock(since)}, {word} {text.clock(stood)}  {bar} {ago(stood - since)}"
    bar = text.bar((at - since).total_seconds(), step.bake.total_seconds())
    return f"since {text.clock(since)}, until {text.clock(since + step.bake)}  {bar} {ago(at - since)}"


def _halt(rotation: Rotation, at: datetime) -> tuple[str, datetime] | None:
    """Return why and since when the clocks stand still; a held rotation was last observed when it was held."""
    if rotation.paused is not None:
        return "paused", rotation.paused.at
    return ("held", rotation.looked_at or at) if rotation.held is not None else None


def _passed_at(rotation: Rotation, number: int) -> datetime | None:
    return next((event.at for event in rotation.events if event.name == f"step {number}"), None)


def _afterwards(rotation: Rotation) -> str:
    stays = f"stays hot for {ago(rotation.terms.hot_for)}" if rotation.terms.hot_for else "goes cold"
    return f"then {rotation.old.number} {stays}"


def gates(rotation: Rotation, at: datetime) -> list[str]:
    """Return a line per gate: its verdict, the time of its last check, and the reason."""
    if not rotation.verdicts:
        return []
    looked = "-" if rotation.looked_at is None else f"{ago(at - rotation.looked_at)} ago"
    heads = ["gate", "verdict", "looked", "why"]
    cells = [[text.clip(v.gate, 20), str(v.judgement), looked, v.reason] for v in rotation.verdicts]
    return text.table(heads, text.with_wrapped(heads, cells, heads.index("why"), text.WIDTH))


def asked_by(verb: str, ask: Ask) -> str:
    """`Paused 02:41:12 by oncall: "reason"`."""
    return f"{verb} {text.clock(ask.at)} UTC by {text.by_whom(ask.by, ask.reason)}"


def way_back(rotation: Rotation) -> str:
    """`traffic back after 0.5s, all clean after 15s`, as far as it is known; counted from the request."""
    back, ended = rotation.back, rotation.ended_at
    if back is None or ended is None:
        return ""
    shifted, told = rotation.clocks.shifted_at, []
    if shifted is not None and back.ask.at <= shifted and rotation.terms.serving.weights:
        told.append(f"traffic back after {text.short(shifted - back.ask.at)}")
    return ", ".join([*told, f"all clean after {text.short(ended - back.ask.at)}"])
