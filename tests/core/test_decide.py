"""From a record and an observation to a decision: strangers, failures, the end, and when to look again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from phoenix.core import tags
from phoenix.core.action import SetRole, SetWeights
from phoenix.core.decide import SETBACKS, decide
from phoenix.core.model import Cause, OnFailure, Outcome, Phase, Role, TargetState
from phoenix.core.record import GroupRecord, Quarantined, Setback
from phoenix.core.rotation import Rotation
from phoenix.core.routine import Routine
from phoenix.core.serving import NO_TRAFFIC
from tests.builders import (
    CANARY,
    NEW_IMAGE,
    NOON,
    ROLLING,
    a_generation,
    a_lone_route,
    a_record,
    a_rotation,
    a_route,
    a_slot,
    after,
    an_observation,
    changed,
    some_instances,
    some_terms,
    tags_of,
    why_held,
)
from tests.core.slots import BAKING, BLUE, FAIL, GREEN, ONCALL, baking, decided, settled

# --- another writer ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("found", [0, 4, 50, 100])
def test_a_weight_that_phoenix_did_not_write_holds_the_rotation_and_touches_nothing(found: int) -> None:
    decision = decide(a_record(baking()), settled(baking(), found, at=after(2)))

    rotation = decided(decision.record)
    assert decision.actions == ()
    assert decision.look_again_at is None
    assert rotation.outcome is Outcome.HELD
    assert f":443 sends {found} %" in why_held(rotation)


@pytest.mark.edge(35)
def test_one_strange_route_among_several_is_enough() -> None:
    routes = (a_route(5), a_route(90, ":80"))

    held = why_held(decided(decide(a_record(baking()), settled(baking(), routes=routes)).record))

    assert held.startswith(":80 sends 90 %")


@pytest.mark.parametrize("found", [5, 50])
def test_the_weight_that_may_be_on_its_way_is_no_stranger(found: int) -> None:
    rotation = baking(step=2, shifted_at=None, baking_since=None, intended_weight=50)

    assert decided(decide(a_record(rotation), settled(rotation, found)).record).held is None


@pytest.mark.edge(17)
def test_weight_on_an_empty_candidate_is_put_back_at_once() -> None:
    decision = decide(a_record(a_rotation()), an_observation(weight=100))

    assert decision.actions == (SetWeights(GREEN, 0),)
    assert decision.look_again_at == NOON
    assert decided(decision.record).events[-1].name == "healed"


@pytest.mark.edge(17)
def test_weight_that_goes_back_to_an_old_slot_that_is_empty_by_now_is_put_back_too() -> None:
    rotation = a_rotation(ROLLING, step=2, **{**BAKING, "weight": 100, "intended_weight": 100})
    seen = an_observation(a_slot(healthy=0), a_slot(GREEN, 4, "2"), 0)

    assert decide(a_record(rotation), seen).actions == (SetWeights(GREEN, 100),)


def test_weight_on_an_empty_candidate_is_not_put_back_onto_an_unhealthy_slot() -> None:
    dead = a_slot(instances=some_instances(4, target=TargetState.UNHEALTHY))

    decision = decide(a_record(a_rotation()), an_observation(dead, weight=100))

    assert decision.actions == ()
    assert decided(decision.record).held is not None


def test_a_held_rotation_decides_nothing_whatever_it_sees() -> None:
    record = a_record(a_rotation(held="another writer was here"))

    decision = decide(record, an_observation(weight=70, verdicts=(FAIL,), at=after(999)))

    assert (decision.record, decision.actions, decision.look_again_at) == (record, (), None)


# --- failure ----------------------------------------------------------------------------------------------------------


def test_a_failed_gate_turns_back_in_the_same_tick() -> None:
    decision = decide(a_record(baking()), settled(baking(), 5, verdicts=(FAIL,)))

    assert decision.actions == (SetWeights(GREEN, 0),)
    rotation = decided(decision.record)
    assert rotation.back is not None
    assert (rotation.cause, rotation.reason) == (Cause.IMAGE, "alarm: web-5xx is in ALARM")


def test_on_failure_pause_holds_and_moves_nothing() -> None:
    rotation = baking(terms=some_terms(CANARY, on_failure=OnFailure.PAUSE))

    decision = decide(a_record(rotation), settled(rotation, 5, verdicts=(FAIL,)))

    assert decision.actions == ()
    assert why_held(decided(decision.record)) == "alarm: web-5xx is in ALARM; on_failure: pause"


def test_a_pause_stops_everything_but_a_failing_gate() -> None:
    paused = baking(paused=ONCALL)

    still = decide(a_record(paused), settled(paused, 5, at=after(999)))
    back = decide(a_record(paused), settled(paused, 5, verdicts=(FAIL,)))

    assert (still.actions, decided(still.record).step, still.moving) == ((), 1, False)
    assert back.actions == (SetWeights(GREEN, 0),)


def test_on_the_way_back_no_gate_is_asked_any_more() -> None:
    back = baking(back=ONCALL, grown_since=None, **dict.fromkeys(("proved_at", "shifted_at", "baking_since")))

    decision = decide(a_record(back), settled(back, 5, verdicts=(FAIL,), at=after(999)))

    assert len([e for e in decided(decision.record).events if e.name == "FAIL"]) == 0
    assert decision.actions == (SetWeights(GREEN, 0),)


# --- the end ----------------------------------------------------------------------------------------------------------


def finished(*, back: bool = False, cause: Cause | None = None, **changes: Any) -> GroupRecord:
    """What is recorded when the last clean-up is done."""
    rotation = a_rotation(
        closing_since=NOON,
        weight=0 if back else 100,
        intended_weight=0 if back else 100,
        back=ONCALL if back else None,
        cause=cause,
        reason="INC-1" if back else None,
    )
    rotation = replace(rotation, terms=some_terms(hot_for=changes.pop("hot_for", timedelta(hours=1))))
    noted = {tags.QUARANTINE: NEW_IMAGE}
    live, other = a_slot(min=2, max=8, tags=noted), a_slot(GREEN, 0, "2", suspended=frozenset({Routine.SCHEDULES}))
    if not back:
        kept = 4 if rotation.terms.hot_for else 0
        live = a_slot(healthy=kept, suspended=frozenset({Routine.SCHEDULES}))
        other = a_slot(GREEN, 4, "2", min=2, max=8)
    cold = rotation.terms.hot_for == timedelta(0) or back
    route = a_lone_route(BLUE if back else GREEN) if cold else a_route(100)
    return decide(a_record(rotation, **changes), an_observation(live, other, at=after(30), routes=(route,))).record


def test_a_success_retains_exactly_the_generation_before() -> None:
    record = finished(retained=a_generation(40), setback=Setback(2, NOON))

    assert (record.live, record.retained) == (a_generation(42), a_generation(41))
    assert record.hot_until == after(90)
    assert record.setback is None
    assert decided(record).succeeded_at == after(30)
    assert decided(record).phase is Phase.DONE


def test_a_generation_that_is_not_kept_hot_is_retained_cold() -> None:
    record = finished(hot_for=timedelta(0))

    assert (record.retained, record.hot_until) == (a_generation(41), None)


@pytest.mark.edge(28)
@pytest.mark.parametrize("cause", [Cause.IMAGE, Cause.OPERATOR])
def test_an_image_that_was_rolled_back_from_is_quarantined_once(cause: Cause) -> None:
    earlier = Quarantined(NEW_IMAGE, after(-99), Cause.IMAGE, "web-40", "before")

    record = finished(back=True, cause=cause, quarantine=(earlier,))

    assert record.quarantine == (Quarantined(NEW_IMAGE, after(30), cause, "web-42-test", "INC-1"),)
    assert (record.live, record.retained, record.setback) == (a_generation(41), None, None)


@pytest.mark.edge(28)
@pytest.mark.parametrize(("before", "wait"), [(0, 1), (1, 4), (2, 24), (3, 24)])
def test_the_environment_is_tried_again_after_1_4_and_24_hours(before: int, wait: int) -> None:
    setback = Setback(before, NOON) if before else None

    record = finished(back=True, cause=Cause.ENVIRONMENT, setback=setback)

    assert record.quarantine == ()
    assert record.setback == Setback(min(before + 1, len(SETBACKS)), after(30 + 60 * wait))


def test_the_last_ten_generations_can_be_gone_back_to_by_number() -> None:
    known = tuple(a_generation(n) for n in range(20, 40))

    record = finished(known=known)

    assert [g.number for g in record.known] == [*range(32, 40), 41, 42]


def closing(**changes: Any) -> Rotation:
    return a_rotation(closing_since=NOON, exposed_at=NOON, **{"weight": 100, "intended_weight": 100, **changes})


LIVE_AT_REST = a_slot(GREEN, 4, "2", min=2, max=8, tags=tags_of(closing())[GREEN])
KEPT_HOT = a_slot(suspended=frozenset({Routine.SCHEDULES}))


def test_a_rotation_does_not_end_while_weights_are_not_where_it_says_they_are() -> None:
    accepted = closing(weight=70)

    decision = decide(a_record(accepted), an_observation(KEPT_HOT, LIVE_AT_REST, 70, at=after(9)))

    assert (decision.actions, decided(decision.record).outcome) == ((), Outcome.IN_PROGRESS)


def test_without_a_load_balancer_the_old_generation_is_let_go_only_by_a_whole_new_one_and_not_forgotten() -> None:
    rotation = closing(terms=some_terms(serving=NO_TRAFFIC))
    pinned = replace(LIVE_AT_REST, min=4)
    hurt = replace(pinned, instances=some_instances(3, template_version="2"))

    waits = decide(a_record(rotation), an_observation(KEPT_HOT, hurt, routes=(), at=after(9)))
    lets_go = decide(a_record(rotation), an_observation(KEPT_HOT, pinned, routes=(), at=after(9)))

    assert (waits.actions, decided(waits.record).outcome) == ((), Outcome.IN_PROGRESS)
    assert lets_go.actions == (SetRole(BLUE, Role.COLD, 0),)


def left_behind(minutes: float, **instance: Any) -> Rotation:
    """A cold old slot that one instance does not leave, so long after the closing began."""
    rotation = closing(terms=some_terms(hot_for=timedelta(0)))
    stays = a_slot(
        healthy=0,
        instances=some_instances(1, **instance),
        suspended=frozenset({Routine.SCHEDULES}),
        tags=tags_of(rotation)[BLUE],
    )
    cold = replace(stays, tags={k: v for k, v in stays.tags.items() if k not in tags.TEMPORARY})
    return decided(
        decide(
            a_record(rotation), an_observation(cold, LIVE_AT_REST, at=after(minutes), routes=(a_lone_route(GREEN),))
        ).record
    )


@pytest.mark.parametrize(
    ("instance", "why"),
    [
        ({"protected": True}, "is protected from scale-in"),
        ({"lifecycle": "Terminating:Retained"}, "is kept by the group's lifecycle policy (Terminating:Retained)"),
    ],
)
def test_the_end_waits_for_who_does_not_leave_and_then_does_not_pass_them_over(
    instance: dict[str, Any], why: str
) -> None:
    waiting, over = left_behind(1, **instance), left_behind(6, **instance)

    assert waiting.outcome is Outcome.IN_PROGRESS
    assert f"leave, but i-00000000000000000 {why}, at most until 12:05:00" in str(waiting.waiting_for)
    assert over.outcome is Outcome.SUCCEEDED
    assert over.events[-1].text == (
        f"generation 42 has all traffic; generation 41 has not gone: i-00000000000000000 {why}"
    )


@pytest.mark.parametrize("rotation", [baking(), a_rotation(back=ONCALL)])
def test_a_rotation_of_a_group_without_any_route_is_held_in_either_direction(rotation: Rotation) -> None:
    decision = decide(a_record(rotation), settled(rotation, routes=()))

    assert decision.actions == ()
    assert "no listener and no rule forwards" in why_held(decided(decision.record))


@pytest.mark.parametrize(
    ("now", "told"),
    [
        ({"template": "lt-new"}, "web-blue launches from lt-new now, not from lt-old"),
        ({"arn": "arn:asg/again"}, "web-blue was deleted and made anew"),
    ],
)
def test_a_slot_that_was_replaced_while_its_rotation_goes_forward_holds_it(now: dict[str, Any], told: str) -> None:
    rotation = changed(baking(), templates={BLUE: "lt-old"}, arns={BLUE: "arn:asg/first"})
    seen = settled(rotation)
    state = replace(seen.slots[BLUE], **({"template": "lt-old", "arn": "arn:asg/first"} | now))

    decision = decide(a_record(rotation), replace(seen, slots={**seen.slots, BLUE: state}))

    assert decision.actions == ()
    assert why_held(decided(decision.record)).startswith(told)


def test_a_weight_that_was_taken_away_before_the_first_step_needs_no_time_to_follow() -> None:
    resumed = a_rotation(step=0, weight=5)

    met = decided(decide(a_record(resumed), an_observation(weight=0)).record)
    moved = decided(decide(a_record(replace(resumed, weight=0)), an_observation(weight=5)).record)

    assert (met.exposed_at, moved.exposed_at) == (None, NOON)


def test_a_target_group_that_becomes_both_slots_in_the_middle_holds_the_way_forward_and_not_the_way_back() -> None:
    both = ("arn:tg/web-green", "arn:tg/web-blue")
    seen = an_observation(a_slot(), a_slot(GREEN, 4, "2", target_groups=both), at=after(1))

    held = decide(a_record(a_rotation()), seen)
    back = decide(a_record(a_rotation(back=ONCALL)), seen)

    assert held.actions == ()
    assert held.reason.startswith("held: web-blue and web-green both register with target group web-blue since another")
    assert "phoenix resume --group web" in held.reason
    assert "held" not in back.reason
