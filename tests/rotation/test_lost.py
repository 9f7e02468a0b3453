"""A driver dies and takes its store with it: `repair` has nothing but the groups, and leaves nothing temporary."""

from __future__ import annotations

import pytest

from phoenix.core.model import Outcome
from phoenix.engine.repair import find_repairs, repair
from phoenix.sandbox.desk import Stage as When
from tests.rotation.conftest import Opener
from tests.rotation.stage import Stage
from tests.rotation.test_foreign_writers import suspend
from tests.rotation.test_killed import QUICK, UNTIL_NO_LEASE_HOLDS, WRITES, rotate_and_die

TEMPORARY = {"phoenix:capacity", "phoenix:ledger", "phoenix:hold"}


def lost_at(stage: Stage, number: int, when: When = "after") -> None:
    """Killed at that write, and the store is deleted."""
    assert rotate_and_die(stage, number, when, writes_only=True)
    stage.box.stop_intercepting()
    stage.clock.advance(UNTIL_NO_LEASE_HOLDS)
    for path in stage.folder.glob("phoenix.db*"):
        path.unlink()


def is_clean(stage: Stage) -> bool:
    """The live slot has the owner's numbers and its schedules; the other one is kept hot, or is cold."""
    live, other = ("blue", "green") if stage.share("blue")[0] == 1 else ("green", "blue")
    kept = stage.size(other) in ((0, 0, 0), (4, 4, 4))
    noted = (TEMPORARY & set(stage.tags(live))) | ({"phoenix:ledger"} & set(stage.tags(other)))
    return kept and stage.size(live) == (2, 12, 4) and not noted and not stage.suspended(live)


@pytest.mark.edge(46)
@pytest.mark.parametrize("number", range(2, WRITES + 1))
def test_a_rotation_that_is_lost_at_any_write_leaves_nothing_after_a_repair(open_stage: Opener, number: int) -> None:
    stage = open_stage(policy=QUICK)
    lost_at(stage, number)
    group = stage.driver("there/2")

    report = repair(group, find_repairs(group))
    stage.clock.advance(60)

    assert report.outcome is not Outcome.HELD
    assert is_clean(stage)
    assert find_repairs(group).texts == ()


def test_schedules_that_the_owner_had_suspended_are_not_resumed_by_a_repair(open_stage: Opener) -> None:
    stage = open_stage(policy=QUICK)
    suspend(stage, "blue", "ScheduledActions")
    lost_at(stage, 9)
    group = stage.driver("there/2")

    repair(group, find_repairs(group))

    assert stage.suspended("blue") == stage.suspended("green") == {"ScheduledActions"}
