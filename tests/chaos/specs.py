"""Every run has a name, and the name is all that it takes to run it again.

`1234` is a seed; `deaths:CASE:3,17`, `stall:CASE:MOMENT:TICKS` and `operator:CASE:COMMAND:TICK` are single strikes on
one case; so are `gap:` (a stall between the check of the lease and the call), `late:` (with the request on its way) and
`late-back:` (while an operator rolls back); `in-place:...` are runs of one group that is rotated in place, and
`sandbox:...` those of the second level. What fails prints `make chaos SEED=<name>`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import combinations

from tests.chaos import in_place, on_sandbox
from tests.chaos.cases import CASES, Case, case_named
from tests.chaos.dice import with_dice
from tests.chaos.drivers import Run
from tests.chaos.invariants import Violated
from tests.chaos.runs import (
    OPERATORS,
    Crew,
    calm,
    end_state,
    is_gap,
    with_deaths,
    with_late_request,
    with_late_request_at_a_rollback,
    with_operator,
    with_stall,
)

STALL_TICKS = (1, 3, 1000)
"""How far the other driver gets while one is frozen: one tick, a few, all the way."""


STALLS = {
    "stall": with_stall,
    "gap": with_stall,
    "late": with_late_request,
    "late-back": with_late_request_at_a_rollback,
}


@dataclass(frozen=True, slots=True)
class Figures:
    """What one run has gone through."""

    kind: str
    moments: int = 0
    actions: int = 0
    checks: int = 0
    struck: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Calm:
    """A case without a disturbance: how it ends, how many moments it has, which of them are gaps, how many ticks."""

    end: tuple[object, ...]
    moments: tuple[str, ...]
    ticks: int


@cache
def undisturbed(name: str) -> Calm:
    """What every disturbed run of the case is held against (I6)."""
    case = case_named(name)
    run = calm(case)
    crew = Crew(case.run())
    crew.finish()
    return Calm(end_state(run), tuple(crew.run.fate.passed), crew.ticks)


def play(name: str) -> Figures:
    """Run what the name says.

    Raises:
        Violated: an invariant does not hold.
    """
    kind, _, rest = name.partition(":")
    if kind.isdigit():
        return _figures("seed", with_dice(int(kind)).run)
    if kind == "sandbox":
        return Figures("sandbox", **on_sandbox.play(rest))
    if kind == "in-place":
        one = in_place.play(rest)
        return Figures(kind, 2 * one.calls, len(one.world.actions), one.ticks, dict(one.struck))
    case, _, rest = rest.partition(":")
    if kind == "deaths":
        run = with_deaths(case_named(case), tuple(int(each) for each in rest.split(",")))
        run.struck["dies"] = rest.count(",") + 1
        _hold_to_the_end(run, case)
    elif kind in STALLS:
        moment, _, ticks = rest.partition(":")
        run = STALLS[kind](case_named(case), int(moment), int(ticks))
        run.struck["stalls"] = 1
        if kind != "late-back":
            _hold_to_the_end(run, case)
    elif kind == "operator":
        command, _, tick = rest.partition(":")
        run = with_operator(case_named(case), command, int(tick))
        run.struck[f"operator: {command}"] = 1
    else:
        raise ValueError(f"no such run: {name}")
    return _figures(kind, run)


def _figures(kind: str, run: Run) -> Figures:
    return Figures(kind, len(run.fate.passed), len(run.model.applied), run.judge.checks, dict(run.struck))


def _hold_to_the_end(run: Run, case: str) -> None:
    found, expected = end_state(run), undisturbed(case).end
    if found != expected:
        raise Violated("I6", f"ended as {found}, undisturbed as {expected}")


# --- which there are --------------------------------------------------------------------------------------------------


def deaths(case: Case, every: int = 1) -> Iterator[str]:
    """Killed once, at each moment."""
    for moment in range(1, len(undisturbed(case.name).moments) + 1, every):
        yield f"deaths:{case.name}:{moment}"


def pairs(case: Case, every: int = 1) -> Iterator[str]:
    """Killed twice, at each pair of moments; the second is counted on from where the next driver began."""
    moments = range(1, len(undisturbed(case.name).moments) + 3)
    for first, second in list(combinations(moments, 2))[::every]:
        yield f"deaths:{case.name}:{first},{second}"


def stalls(case: Case, every: int = 1, ticks: Sequence[int] = STALL_TICKS) -> Iterator[str]:
    """Frozen for longer than the lease at each moment but the gaps, while another driver goes on."""
    frozen = [n for n, name in enumerate(undisturbed(case.name).moments, start=1) if not is_gap(name)]
    for moment in frozen[::every]:
        for count in ticks:
            yield f"stall:{case.name}:{moment}:{count}"


def gaps(case: Case, every: int = 1) -> Iterator[str]:
    """Frozen between the check of the lease and the call."""
    yield from _at_gaps("gap", case, every)


def late(case: Case, every: int = 1) -> Iterator[str]:
    """Frozen with the request on its way: what AWS allows, to be counted."""
    yield from _at_gaps("late", case, every)


def late_back(case: Case, every: int = 1) -> Iterator[str]:
    """The same while an operator rolls back."""
    yield from _at_gaps("late-back", case, every)


def _at_gaps(kind: str, case: Case, every: int) -> Iterator[str]:
    moments = [n for n, name in enumerate(undisturbed(case.name).moments, start=1) if is_gap(name)]
    yield from (f"{kind}:{case.name}:{moment}:{count}" for moment in moments[::every] for count in STALL_TICKS)


def operators(case: Case, every: int = 1) -> Iterator[str]:
    """Each command after each tick."""
    for command in OPERATORS:
        for tick in range(1, undisturbed(case.name).ticks + 1, every):
            yield f"operator:{case.name}:{command}:{tick}"


def everything(cases: Iterable[Case] = CASES) -> Iterator[str]:
    """All single strikes, and all pairs of deaths, on all cases."""
    for case in cases:
        yield from deaths(case)
        yield from pairs(case)
        yield from stalls(case)
        yield from operators(case)
