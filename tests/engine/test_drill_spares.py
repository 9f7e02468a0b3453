"""A drill ends nothing that would not be replaced, and no victim that is to be left alone by now."""

from __future__ import annotations

from dataclasses import replace

import pytest

from phoenix.core.lifecycle import Lifecycle
from phoenix.core.routine import Routine
from phoenix.engine.tick import tick
from tests.engine.builders import BLUE
from tests.engine.test_drill import TWO, died_before_the_first_call, drilling, ended, last, objections


@pytest.mark.parametrize("routine", [Routine.CHECKS, Routine.REPLACEMENTS, Routine.TERMINATIONS])
def test_a_crash_needs_a_group_that_replaces_what_has_crashed(routine: Routine) -> None:
    bench = drilling()
    bench.fleet.state[BLUE] = replace(bench.fleet.state[BLUE], suspended=frozenset({routine}))

    assert "suspended" in objections(bench, hard=True)
    assert "suspended" not in objections(bench)


@pytest.mark.parametrize("now", [{"protected": True}, {"lifecycle": Lifecycle.RESERVE}], ids=["protected", "standby"])
def test_a_victim_that_is_to_be_left_alone_by_now_is_spared(now: dict[str, object]) -> None:
    bench = died_before_the_first_call(TWO)
    spared, other = last(bench).victims
    state = bench.fleet.state[BLUE]
    changed = tuple(replace(i, **now) if i.id == spared else i for i in state.instances)  # type: ignore[arg-type]
    bench.fleet.state[BLUE] = replace(state, instances=changed)

    tick(bench.group)

    assert ended(bench) == [other]
    assert (last(bench).victims, last(bench).spared) == ((other,), (spared,))
