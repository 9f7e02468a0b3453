"""The plan screen: the effects and costs of a rotation, and its blockers.

Must never read as if a change had been made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from phoenix.core.explain import ago, counted
from phoenix.core.work import Station
from phoenix.engine.report import Plan, PlannedStep
from phoenix.errors import Blocked, PhoenixError
from phoenix.views import blocked, calls, comparison, text

_BECAUSE: Final = 40
"""The letters of a line that are left for the reason."""


@dataclass(frozen=True, slots=True)
class Manner:
    """What to show, and how wide. `asked` are the options that the plan depends on."""

    verbose: bool = False
    calls: bool = False
    asked: str = ""
    width: int = text.WIDTH


def render(plan: Plan, manner: Manner = Manner()) -> str:
    """Return the plan of one group, with its blockers if there are any."""
    return text.screen(
        [text.header(plan.group, plan.about, plan.at)],
        _headline(plan),
        comparison.generations(plan, manner.width),
        comparison.differences(plan, manner.width, verbose=manner.verbose),
        _steps(plan, manner.width),
        text.facts(_consequences(plan)) if plan.next is not None else [],
        *blocked.paragraphs(plan),
        blocked.checks(plan, verbose=manner.verbose),
        calls.render(plan, manner.width) if manner.calls else [],
        _what_to_type(plan, manner.asked),
    )


def render_all(found: Mapping[str, Plan | PhoenixError]) -> str:
    """Return a line for each group, by name: whether a rotation is due and can start, and why or why not."""
    if not found:
        return "There are no policies.\n"
    rows = [[name, *_in_short(each)] for name, each in sorted(found.items())]
    first = next((name for name, each in sorted(found.items()) if not isinstance(each, PhoenixError)), min(found))
    return text.screen(
        text.table(["group", "plan", "next", "because"], rows),
        ["Nothing was changed. More about one of them:", f"  {text.command('plan', first)}"],
    )


def _in_short(found: Plan | PhoenixError) -> list[str]:
    if isinstance(found, PhoenixError):
        word = "BLOCKED" if isinstance(found, Blocked) else "ERROR"
        return [word, "-", text.clip(found.message.splitlines()[0], _BECAUSE)]
    following = text.clip(found.next.image_name or found.next.image, 24) if found.next is not None else "-"
    if found.in_the_way:
        return ["BLOCKED", following, text.clip(", ".join(b.name for b in found.in_the_way), _BECAUSE)]
    if found.due:
        return ["DUE", following, text.clip("; ".join(found.reasons), _BECAUSE)]
    return [
        "NOT DUE",
        "-",
        text.clip(f"on generation {found.live.number}, {found.live.image_name or found.live.image}", _BECAUSE),
    ]


def _headline(plan: Plan) -> list[str]:
    why = "; also ".join(plan.reasons)
    if plan.in_the_way:
        names = ", ".join(b.name for b in plan.in_the_way)
        due = f"Due: {why}." if plan.due else "Nothing is due."
        return text.headline("BLOCKED", f"{due} In the way: {names}.")
    if plan.due:
        return text.headline("DUE", f"{why}. Not blocked.")
    return text.headline("NOT DUE", f"generation {plan.live.number} runs {plan.live.image_name or plan.live.image}.")


def _steps(plan: Plan, width: int) -> list[str]:
    """Return a line for each step, and more where its gates need them: at any width all of them are read."""
    if not plan.rows or plan.next is None:
        return []
    cells = [_row(plan, row) for row in plan.rows]
    if plan.ends_after is not None:
        last = plan.rows[-1]
        kept = f"{plan.live.number} {f'hot for {ago(plan.hot_for)}, then cold' if plan.hot_for else 'cold'}"
        capacity = {plan.next.slot: last.new, plan.live.slot: last.old}
        slots = [str(capacity[slot]) for slot in sorted(capacity)]
        cells.append(["end", *slots, f"{last.weight} %", kept, "", _at(plan.at, plan.ends_after)])
    slots = [f"{slot}>" for slot in sorted((plan.live.slot, plan.next.slot))]
    heads = ["step>", *slots, "weight>", "gates before it", "bake>", "earliest"]
    return text.table(heads, text.with_wrapped(heads, cells, heads.index("gates before it"), width))


def _row(plan: Plan, row: PlannedStep) -> list[str]:
    live, following = plan.live.slot, plan.next.slot if plan.next else plan.live.slot.other
    capacity = {following: row.new, live: row.old}
    bake = "" if row.number == 0 else "promoted" if row.bake is None else text.span(row.bake)
    return [
        str(row.number),
        *(str(capacity[slot]) for slot in sorted(capacity)),
        f"{row.weight} %",
        ", ".join(gate.replace(" ", text.UNBROKEN) for gate in row.gates) or "-",
        bake,
        "now" if not row.starts_after else _at(plan.at, row.starts_after),
    ]


def _at(start: datetime, after: timedelta) -> str:
    return f"{(start + after).astimezone(UTC):%H:%M}"


def _consequences(plan: Plan) -> list[tuple[str, str]]:
    kind = f" of {plan.instance_type}" if plan.instance_type else ""
    told = [
        *_asked_for(plan),
        ("capacity", f"worst case {plan.worst_case} healthy, {plan.needed} needed; peak {plan.peak}{kind}"),
        ("cost", f"about {plan.extra_instance_hours:.1f} instance-hours more than not rotating"),
        ("calls", _calls_in_short(plan)),
    ]
    told += [(text.clean(name), text.clean(price)) for name, price in plan.prices.items()]
    if plan.discovery:
        names = ", ".join(text.clean(station.name) for station in plan.discovery)
        told.append(("announced", f"in {names}, once their step gives them traffic; withdrawn before they leave"))
    if plan.before_leaving:
        told.append(("drained", _drained(plan.before_leaving)))
    if plan.ends_after is None:
        told.append(("end", "open: a step waits for phoenix promote"))
    if plan.hot_for and plan.ends_after is not None:
        until = _at(plan.at, plan.ends_after + plan.hot_for)
        how = "out of reserve, after one registration," if plan.reserve else "at once"
        told.append(("back", f"{how} until {until} UTC; after that it grows and is proved first"))
    retained = plan.record.retained if plan.record is not None else None
    if retained is not None and plan.next is not None and retained.slot is plan.next.slot:
        told.append(("gone", f"generation {retained.number} leaves {retained.slot}: no way back to it after step 0"))
    return told


def _asked_for(plan: Plan) -> list[tuple[str, str]]:
    """The requests that ask for the next generation, by rules of phoenix's own."""
    if not plan.opt_ins or plan.next is None:
        return []
    asks = ", ".join(map(str, plan.opt_ins))
    return [("routes", f"{asks}: to generation {plan.next.number}, from step 1 to the end")]


def _drained(stations: Sequence[Station]) -> str:
    """`before they leave, by ecs shop: at most 15m each time, then it is held`."""
    names = ", then ".join(station.name for station in stations)
    longest = ago(sum((station.timeout for station in stations), timedelta(0)))
    then = "they leave all the same" if all(station.goes_on for station in stations) else "it is held"
    return f"instances before they leave, by {names}: at most {longest}, then {then}"


def _calls_in_short(plan: Plan) -> str:
    if plan.writes is None:
        return "not known, and the times are estimates: the rotation could not be rehearsed"
    return f"{counted(plan.writes, 'write')} (--calls lists them)"


def _what_to_type(plan: Plan, asked: str) -> list[str]:
    purpose, command = what_to_type(plan, asked)
    return [f"Nothing was changed. {purpose}:", f"  {command}"]


def what_to_type(plan: Plan, asked: str = "") -> tuple[str, str]:
    """Return the command that comes next, after what it is for. `asked` are the options that the plan depends on."""
    given = f" {text.clean(asked)}" if asked else ""
    if plan.in_the_way:
        return "When these are mended", f"{text.command('plan', plan.group)}{given}"
    if plan.due and plan.next is not None:
        return (
            "To do exactly this",
            f"{text.command('rotate', plan.group)} --image {text.clean(plan.next.image)}{given}",
        )
    return "To rotate all the same", f"{text.command('rotate', plan.group)} --force"
