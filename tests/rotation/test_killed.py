"""A driver dies before or after a call, without a word, and another one goes on: the same end state as undisturbed."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any, cast

import pytest

from phoenix.core.model import Outcome
from phoenix.engine.group import Group
from phoenix.engine.request import RollbackRequest, RotateRequest
from phoenix.engine.rollback import rollback
from phoenix.engine.rotate import rotate
from phoenix.ports import Lease, Store
from phoenix.sandbox import Call
from phoenix.sandbox.desk import Stage as When
from tests.rotation.conftest import Opener
from tests.rotation.stage import NEW_NAME, OLD_NAME, Stage, UnhurriedAws, a_policy

WRITES = 17
"""What a blue/green rotation of the web tier makes; `test_calls` holds it to that."""
CALLS = 102
UNTIL_NO_LEASE_HOLDS = 300
"""Seconds; longer than any lease here."""
ALWAYS = ["phoenix:generation", "phoenix:group", "phoenix:rotation", "phoenix:store"]
QUICK = a_policy(
    strategy={"kind": "blue_green", "bake": "0s"},
    gates=[{"kind": "target_health", "healthy_for": "0s"}],
    traffic={"kind": "alb", "propagation": "0s"},
)


class Killed(BaseException):
    """The driver is gone. No code may catch this, as none catches SIGKILL."""


class Abandoned:
    """A store whose lease stays taken: the dead give nothing back."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def release(self, lease: Lease, due_at: datetime | None = None) -> None:
        """Never happens."""


def kill_at(stage: Stage, number: int, when: When, *, writes_only: bool) -> None:
    """Kill the driver that makes the call of that number, counted from now on from 1."""
    count = [0]

    def strike(call: Call, moment: When) -> None:
        if moment == "before" and (call.mutating or not writes_only):
            count[0] += 1
        if moment == when and count[0] == number and (call.mutating or not writes_only):
            count[0] += 1
            raise Killed

    stage.box.intercept(strike)


def rotate_and_die(stage: Stage, number: int, when: When, *, writes_only: bool) -> bool:
    """True when the driver got so far as to die."""
    one_by_one = UnhurriedAws(session=stage.box.session, threads=1)
    doomed = without_last_words(stage.driver("here/1", aws=one_by_one))
    kill_at(stage, number, when, writes_only=writes_only)
    try:
        rotate(doomed, RotateRequest())
    except Killed:
        return True
    finally:
        stage.box.stop_intercepting()
        stage.clock.advance(UNTIL_NO_LEASE_HOLDS)
    return False


def without_last_words(group: Group) -> Group:
    """The same driver, whose lease stays taken when it dies."""
    return replace(group, store=cast(Store, Abandoned(group.store)))


def end_state(stage: Stage) -> dict[str, Any]:
    """Everything that a rotation leaves behind, but for ids and times."""
    stage.clock.advance(120)
    slots = ("blue", "green")
    record = stage.record
    return {
        "sizes": [stage.size(slot) for slot in slots],
        "images": [stage.images(slot) for slot in slots],
        "suspended": [stage.suspended(slot) for slot in slots],
        "tags": [sorted(stage.tags(slot)) for slot in slots],
        "generations": [stage.tags(slot).get("phoenix:generation") for slot in slots],
        "shares": [stage.share(slot) for slot in slots],
        "versions": len(stage.versions()),
        "record": (record.live, record.retained, record.rotation and record.rotation.outcome, record.quarantine),
    }


def test_the_undisturbed_rotation_makes_as_many_calls_as_are_died_at_here(open_stage: Opener) -> None:
    stage = open_stage(policy=QUICK)

    stage.rotate()

    assert len(stage.writes()) == WRITES
    assert CALLS - 16 < len(stage.calls()) <= CALLS


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("number", range(1, WRITES + 1))
def test_a_rotation_survives_death_at_any_write(open_stage: Opener, number: int, when: When) -> None:
    stage = open_stage(policy=QUICK)
    assert rotate_and_die(stage, number, when, writes_only=True)

    report = rotate(stage.driver("there/2"), RotateRequest())

    assert report.outcome is Outcome.SUCCEEDED
    assert end_state(stage) == undisturbed(stage)


@pytest.mark.parametrize("number", range(1, CALLS + 1, 7))
def test_a_rotation_survives_death_at_any_read(open_stage: Opener, number: int) -> None:
    stage = open_stage(policy=QUICK)
    rotate_and_die(stage, number, "before", writes_only=False)

    report = rotate(stage.driver("there/2"), RotateRequest())

    assert report.outcome in (Outcome.SUCCEEDED, Outcome.NONE)
    assert end_state(stage) == undisturbed(stage)


@pytest.mark.parametrize("number", [1, 2, 5, 7, 8, 10, 11, 12, 13, 15, 16, 17])
def test_a_rollback_brings_back_whatever_a_dead_driver_has_left(open_stage: Opener, number: int) -> None:
    stage = open_stage(policy=QUICK)
    assert rotate_and_die(stage, number, "after", writes_only=True)

    report = rollback(stage.driver("there/2"), RollbackRequest())

    stage.clock.advance(120)
    assert report.exit_status == 0
    assert (stage.size("blue"), stage.size("green")) == ((2, 12, 4), (0, 0, 0))
    assert (stage.suspended("blue"), stage.share("blue")) == (set(), (1.0, 1.0))
    assert not any("phoenix:capacity" in stage.tags(slot) for slot in ("blue", "green"))


@pytest.mark.parametrize("number", range(1, 8))
def test_a_rollback_survives_death_as_well(open_stage: Opener, number: int) -> None:
    stage = open_stage(policy=QUICK)
    stage.rotate()
    kill_at(stage, number, "after", writes_only=True)
    with suppress(Killed):
        rollback(without_last_words(stage.driver("here/1")), RollbackRequest())
    stage.box.stop_intercepting()
    stage.clock.advance(UNTIL_NO_LEASE_HOLDS)

    report = rollback(stage.driver("there/2"), RollbackRequest())

    stage.clock.advance(120)
    assert report.exit_status == 0
    assert (stage.size("blue"), stage.size("green")) == ((2, 12, 4), (0, 0, 0))
    assert (stage.suspended("blue"), stage.images("blue")) == (set(), {OLD_NAME: 4})


def test_a_rollback_that_dies_before_it_has_looked_is_known_to_all_the_same(open_stage: Opener) -> None:
    stage = open_stage(policy=a_policy(strategy={"kind": "blue_green", "bake": "10m"}))
    stage.tick_until(lambda report: "baking" in report.sentence)
    kill_at(stage, 1, "before", writes_only=False)
    with suppress(Killed):
        rollback(stage.driver("here/1"), RollbackRequest(reason="slow"))
    stage.box.stop_intercepting()

    report = rotate(stage.driver("there/2"), RotateRequest())

    assert (report.outcome, report.exit_status, stage.rotation.reason) == (Outcome.ROLLED_BACK, 3, "slow")
    assert stage.share("blue") == (1.0, 1.0)


def undisturbed(stage: Stage) -> dict[str, Any]:
    """The end state of a rotation to which nothing happens."""
    assert stage.rotation.old.template_version == "1"
    assert stage.rotation.old.template
    return {
        "sizes": [(4, 4, 4), (2, 12, 4)],
        "images": [{OLD_NAME: 4}, {NEW_NAME: 4}],
        "suspended": [{"ScheduledActions"}, set()],
        "tags": [["phoenix:capacity", "phoenix:failover", *ALWAYS], ALWAYS],
        "generations": [
            f"1 {stage.rotation.old.image} 1 {stage.rotation.old.template}",
            f"2 {stage.rotation.new.image} 2 {stage.rotation.new.template}",
        ],
        "shares": [(0.0, 0.0), (1.0, 1.0)],
        "versions": 2,
        "record": (stage.rotation.new, stage.rotation.old, Outcome.SUCCEEDED, ()),
    }
