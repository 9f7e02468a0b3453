"""Drift and taints around a tick: read, made a reason, told once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from phoenix.core.model import Slot
from phoenix.core.tags import TAINTED
from phoenix.core.trigger import RotateWhen
from phoenix.engine.drift import find_drift
from phoenix.engine.plan import make_plan
from phoenix.engine.request import RotateRequest
from phoenix.engine.taint import taint, untaint
from phoenix.engine.tick import tick
from phoenix.errors import UsageError
from tests.engine.builders import Bench, Inbox, a_bench


def resting(**when: object) -> Bench:
    """Nothing is due; a pass has seen that."""
    bench = a_bench(rotate_when=RotateWhen(new_image=False, **when), notifiers=(Inbox(),))  # type: ignore[arg-type]
    tick(bench.group)
    bench.forget_writes()
    return bench


def inbox(bench: Bench) -> Inbox:
    (found,) = bench.group.notifiers
    assert isinstance(found, Inbox)
    return found


def an_id(bench: Bench) -> str:
    return bench.fleet.state[Slot.BLUE].instances[0].id


def test_a_group_as_it_is_launched_is_converged_and_nothing_is_written() -> None:
    bench = resting()

    report = find_drift(bench.group, deep=True)

    assert not report.drift.diverged
    assert len(report.drift.instances) == 4
    assert bench.fleet.applied == []


def test_drift_is_a_reason_only_where_the_policy_says_so() -> None:
    for drift in (False, True):
        bench = resting(drift=drift)
        bench.fleet.changed_by_hand[an_id(bench)] = {"type": "m5.large"}

        plan = make_plan(bench.group, RotateRequest())

        assert plan.due is drift
        assert all("drifted" in reason and "(type)" in reason for reason in plan.reasons)


def test_drift_that_comes_back_after_a_rotation_because_of_it_waits_a_day() -> None:
    bench = resting(drift=True)
    bench.fleet.changed_by_hand[an_id(bench)] = {"type": "m5.large"}
    bench.rotated()
    for instance in bench.fleet.state[Slot.GREEN].instances:
        bench.fleet.changed_by_hand[instance.id] = {"type": "m5.large"}

    assert not make_plan(bench.group, RotateRequest()).due
    bench.clock.at += timedelta(days=1, hours=1)
    assert make_plan(bench.group, RotateRequest()).due


def test_drift_that_the_owner_ignores_is_none() -> None:
    bench = a_bench(rotate_when=RotateWhen(new_image=False, drift=True), ignored_drift=("type",))
    bench.fleet.changed_by_hand[an_id(bench)] = {"type": "m5.large"}

    assert not find_drift(bench.group).drift.diverged
    assert not make_plan(bench.group, RotateRequest()).due


def test_sizes_that_schedules_may_set_are_no_drift() -> None:
    bench = a_bench()
    bench.rotated()
    live = bench.record.live
    assert live is not None
    bench.fleet._change(live.slot, min=3)

    assert [each.what for each in find_drift(bench.group).drift.group] == ["bounds"]
    bench.fleet.schedules = True
    assert find_drift(bench.group).drift.group == ()


def test_a_taint_is_a_tag_is_noted_and_is_told_once() -> None:
    bench = resting()

    value = taint(bench.group, [an_id(bench)], "debugging")
    tick(bench.group)

    assert bench.fleet.taints == {an_id(bench): value}
    assert bench.record.snowflakes is not None
    assert bench.record.snowflakes.tainted == (an_id(bench),)
    assert len(inbox(bench).ids) == 1


def test_a_taint_that_another_writer_sets_is_told_by_the_next_pass_and_forgotten_when_it_is_gone() -> None:
    bench = resting()
    bench.fleet.mark_tainted([an_id(bench)], "logged in")

    tick(bench.group)
    tick(bench.group)
    assert len(inbox(bench).ids) == 1
    untaint(bench.group, [an_id(bench)])
    assert bench.record.snowflakes is None
    tick(bench.group)
    assert len(inbox(bench).ids) == 1


def test_a_tainted_instance_makes_a_rotation_due_after_a_while() -> None:
    bench = resting(tainted=True, tainted_for=timedelta(hours=2))
    taint(bench.group, [an_id(bench)], "debugging")

    assert not make_plan(bench.group, RotateRequest()).due
    bench.clock.at += timedelta(hours=2)
    (reason,) = make_plan(bench.group, RotateRequest()).reasons
    assert reason.startswith(f"1 tainted: {an_id(bench)} (debugging, ")


def test_a_stranger_is_not_tainted() -> None:
    bench = resting()

    with pytest.raises(UsageError, match="i-strange: not in web; nothing was changed"):
        taint(bench.group, [an_id(bench), "i-strange"], "x")

    assert bench.fleet.taints == {}
    assert all(TAINTED not in each.tags for each in bench.fleet.live_instances(Slot.BLUE))
