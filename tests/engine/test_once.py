"""The order of a tick is its promise: observe, decide, record, act; and the lease is asked before each action."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest

from phoenix.core.model import Outcome
from phoenix.engine.lease import claim
from phoenix.engine.once import tick_once
from phoenix.engine.request import RotateRequest
from phoenix.engine.rotate import begin
from phoenix.engine.survey import survey
from phoenix.errors import AccessDenied, LeaseLost, NotFound, StateConflict, Throttled
from tests.builders import why_held
from tests.engine.builders import BLUE, GREEN, Bench, a_bench


def started(bench: Bench) -> None:
    """A rotation is recorded, and nothing has been done yet."""
    found = survey(bench.group, RotateRequest())
    assert found.next is not None
    begin(bench.group, found, found.next, RotateRequest())
    bench.store.saved.clear()


def test_the_intent_is_saved_before_the_first_action() -> None:
    bench = a_bench()
    started(bench)
    saved_by_then: list[int] = []
    bench.fleet.before_write = lambda action: saved_by_then.append(len(bench.store.saved))

    tick_once(bench.group, claim(bench.group), bench.record)

    assert saved_by_then
    assert min(saved_by_then) == 1


@pytest.mark.edge(45)
def test_a_conflict_stops_the_tick_before_it_has_changed_anything() -> None:
    bench = a_bench()
    started(bench)
    record = bench.record
    bench.store.save(record)

    with pytest.raises(StateConflict):
        tick_once(bench.group, claim(bench.group), record)

    assert bench.writes == []


@pytest.mark.edge(33)
@pytest.mark.parametrize("broken", ["fleet", "router"])
def test_half_an_observation_causes_no_action_and_no_record(broken: str) -> None:
    bench = a_bench()
    started(bench)
    getattr(bench, broken).error = Throttled("slow down")

    with pytest.raises(Throttled):
        tick_once(bench.group, claim(bench.group), bench.record)

    assert bench.store.saved == []
    assert bench.writes == []


@pytest.mark.edge(45)
def test_the_lease_is_asked_before_every_single_action() -> None:
    bench = a_bench()
    bench.baking()
    lease = claim(bench.group)
    bench.clock.at += timedelta(minutes=9)
    bench.forget_writes()
    bench.fleet.before_write = lambda action: bench.seized_by("elsewhere/7")

    with pytest.raises(LeaseLost, match="elsewhere/7"):
        tick_once(bench.group, lease, bench.record)

    assert len(bench.writes) == 1


def test_a_lease_that_was_lost_before_the_first_action_allows_none() -> None:
    bench = a_bench()
    started(bench)
    lease = claim(bench.group)
    bench.seized_by()

    with pytest.raises(LeaseLost):
        tick_once(bench.group, lease, bench.record)

    assert bench.writes == []


@pytest.mark.parametrize("error", [AccessDenied("no right to do that"), NotFound("no such group")])
def test_a_permanent_error_while_acting_holds_the_rotation_and_tells(error: Exception) -> None:
    bench = a_bench()
    started(bench)
    bench.fleet.before_write = lambda action: (_ for _ in ()).throw(error)

    ticked = tick_once(bench.group, claim(bench.group), bench.record)

    assert why_held(bench.rotation) == str(error)
    assert bench.rotation.outcome is Outcome.HELD
    assert ticked.decision.look_again_at is None
    assert bench.inbox.subjects[-1] == "phoenix web: held, a person must look"


def test_a_permanent_error_at_rest_goes_to_the_caller() -> None:
    bench = a_bench()
    bench.rotated()
    bench.clock.at += timedelta(hours=2)
    bench.fleet.before_write = lambda action: (_ for _ in ()).throw(AccessDenied("no right to do that"))

    with pytest.raises(AccessDenied):
        tick_once(bench.group, claim(bench.group), bench.record)


def test_a_transient_error_while_acting_leaves_the_intent_for_the_next_tick() -> None:
    bench = a_bench()
    started(bench)
    bench.fleet.before_write = lambda action: (_ for _ in ()).throw(Throttled("slow down"))

    with pytest.raises(Throttled):
        tick_once(bench.group, claim(bench.group), bench.record)

    assert bench.rotation.held is None
    assert len(bench.store.saved) == 1


@pytest.mark.edge(24)
def test_a_tick_with_nothing_to_do_writes_neither_aws_nor_store() -> None:
    bench = a_bench()
    bench.rotated()
    bench.forget_writes()
    before = bench.record

    tick_once(bench.group, claim(bench.group), before)

    assert bench.writes == []
    assert bench.record == before


@pytest.mark.edge(35)
def test_a_rule_that_was_added_meanwhile_is_shifted_with_the_others() -> None:
    bench = a_bench()
    bench.router.sticky["arn:rule/new"] = 0
    blue_only = {BLUE: 100, GREEN: 0}
    bench.fleet.before_write = lambda action: bench.router.weights.setdefault("arn:rule/new", blue_only)

    bench.rotated()

    assert bench.router.weights["arn:rule/new"] == {BLUE: 0, GREEN: 100}
    assert bench.percent == {100}


def test_what_was_decided_and_done_is_logged_with_group_rotation_and_step(caplog: pytest.LogCaptureFixture) -> None:
    bench = a_bench()
    started(bench)
    with caplog.at_level(logging.INFO):
        tick_once(bench.group, claim(bench.group), bench.record)

    decided = next(r for r in caplog.records if r.message == "tick.decided")
    applied = [r for r in caplog.records if r.message == "action.applied"]
    assert (decided.__dict__["group"], decided.__dict__["rotation"]) == ("web", bench.rotation.id)
    assert [r.__dict__["action"] for r in applied] == bench.writes
