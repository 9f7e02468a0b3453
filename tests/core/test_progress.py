"""How a rotation moves on: the ratchets, the clocks, and from one resting place to the next."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from phoenix.core.model import Cause, Judgement, Observation, Slot, TargetState, Verdict
from phoenix.core.progress import advance, advance_clocks, bake_ends_at
from phoenix.core.rotation import Rotation
from phoenix.core.story import Ask
from phoenix.core.terms import Step
from tests.builders import (
    ALL_AT_ONCE,
    CANARY,
    NOON,
    ROLLING,
    a_generation,
    a_rotation,
    a_slot,
    after,
    an_instance,
    an_observation,
    changed,
    some_instances,
    some_terms,
)

GREEN = Slot.GREEN
DOUBT = Verdict("alarm", Judgement.WAIT, "no data yet")
RESTING: dict[str, Any] = {"proved_at": NOON, "shifted_at": NOON, "baking_since": NOON, "exposed_at": NOON}
GROWING = (Step(50, 100, 5, timedelta(0)), Step(100, 100, 100, timedelta(minutes=5)))


def whole(weight: int = 0, **changes: Any) -> Observation:
    """Four healthy candidates next to four live ones."""
    return an_observation(green=a_slot(GREEN, 4, "2"), weight=weight, **changes)


# --- clocks and ratchets ----------------------------------------------------------------------------------------------


@pytest.mark.edge(1)
def test_a_scale_out_raises_the_need_and_with_it_the_candidates_goal() -> None:
    rotation = advance_clocks(a_rotation(), an_observation(a_slot(healthy=7)))

    assert (rotation.need, rotation.candidate.target) == (7, 7)


@pytest.mark.edge(2)
def test_a_scale_in_lowers_nothing() -> None:
    rotation = advance_clocks(a_rotation(need=6, candidate_target=6), an_observation(a_slot(healthy=2)))

    assert (rotation.need, rotation.candidate.target) == (6, 6)


@pytest.mark.parametrize(
    ("desired", "looked_at", "counts_from"),
    [(0, after(1), after(4)), (4, after(1), NOON), (0, after(4), NOON), (0, None, NOON)],
    ids=["not asked for, unwatched", "asked for", "watched", "first look"],
)
def test_time_without_a_driver_does_not_count_against_a_launch_that_was_never_asked_for(
    desired: int, looked_at: datetime | None, counts_from: datetime
) -> None:
    growing = a_rotation(grown_since=NOON, looked_at=looked_at)
    green = a_slot(GREEN, healthy=0, version="2", desired=desired)

    rotation = advance_clocks(growing, an_observation(green=green, at=after(5)))

    assert rotation.growth.since == counts_from


def test_on_the_way_back_the_need_is_what_it_was() -> None:
    back = a_rotation(back=Ask(NOON, "oncall"), grown_since=None, ready_since=None)

    rotation = advance_clocks(back, an_observation(a_slot(healthy=7)))

    assert (rotation.need, rotation.growth.ready_since) == (4, NOON)


@pytest.mark.edge(21)
def test_readiness_is_counted_without_a_break() -> None:
    ready = advance_clocks(a_rotation(ready_since=after(-1)), whole())
    broken = advance_clocks(ready, an_observation(green=a_slot(GREEN, 3, "2"), at=after(1)))
    again = advance_clocks(broken, whole(at=after(2)))

    assert [r.growth.ready_since for r in (ready, broken, again)] == [after(-1), None, after(2)]
    assert [r.growth.short_since for r in (ready, broken, again)] == [None, after(1), None]


@pytest.mark.edge(10)
def test_progress_is_more_instances_in_service_than_ever() -> None:
    two = an_observation(green=a_slot(GREEN, 2, "2"), at=after(1))
    one = an_observation(green=a_slot(GREEN, 1, "2"), at=after(2))

    rotation = advance_clocks(advance_clocks(a_rotation(), two), one)

    assert (rotation.candidate.in_service_high, rotation.growth.progress_at) == (2, after(1))


def test_before_the_candidate_grows_nothing_is_counted() -> None:
    rotation = advance_clocks(a_rotation(step=0), an_observation())

    assert (rotation.growth.short_since, rotation.candidate.target, rotation.looked_at) == (None, 0, NOON)


# --- forward ----------------------------------------------------------------------------------------------------------


@pytest.mark.edge(46)
def test_a_template_version_that_was_made_before_a_crash_is_taken_and_not_made_again() -> None:
    fresh = a_rotation(new=a_generation(42, template_version=None), step=0, grown_since=None)

    assert advance(fresh, an_observation()) == fresh
    taken = advance(fresh, an_observation(prepared_version="58"))
    assert (taken.new.template_version, taken.step, taken.growth.since) == ("58", 1, NOON)


def test_the_first_step_waits_until_the_slot_is_empty() -> None:
    occupied = an_observation(green=a_slot(GREEN, 1, "9"))

    assert advance(a_rotation(step=0, grown_since=None), occupied).step == 0


@pytest.mark.edge(15)
def test_a_step_is_proved_only_when_all_were_ready_for_as_long_as_the_policy_says() -> None:
    rotation = a_rotation(terms=some_terms(healthy_for=timedelta(seconds=30)), ready_since=NOON)

    assert advance(rotation, whole(at=after(seconds=29))).clocks.proved_at is None
    proved = advance(rotation, whole(at=after(seconds=30)))
    assert (proved.clocks.proved_at, proved.intended_weight, proved.exposed_at) == (after(0.5), 100, after(0.5))


@pytest.mark.edge(52)
def test_a_gate_that_hesitates_keeps_traffic_where_it_is() -> None:
    waiting = advance(a_rotation(), whole(verdicts=(DOUBT,)))

    assert (waiting.clocks.proved_at, waiting.intended_weight) == (None, 0)


def test_a_step_without_weight_exposes_no_user() -> None:
    steps = (Step(100, 100, 0, timedelta(minutes=1)), *ALL_AT_ONCE)

    rotation = advance(a_rotation(steps), whole())

    assert rotation.exposed_at is None
    assert rotation.clocks.baking_since == NOON


def test_how_long_it_took_to_grow_is_measured_once() -> None:
    proved = advance(a_rotation(grown_since=after(-3), ready_since=after(-1)), whole())

    assert proved.candidate.grew_in == timedelta(minutes=2)
    assert advance(changed(proved, proved_at=None, grown_since=after(-9)), whole()).candidate.grew_in == timedelta(
        minutes=2
    )


@pytest.mark.edge(35)
def test_a_shift_counts_when_every_route_was_read_back() -> None:
    proved = a_rotation(proved_at=NOON, intended_weight=100)

    assert advance(proved, whole(50)).clocks.shifted_at is None
    assert (advance(proved, whole(100)).clocks.shifted_at, advance(proved, whole(100)).weight) == (NOON, 100)


@pytest.mark.edge(51)
def test_a_bake_lasts_its_time_by_the_record_not_by_anybodys_sleep() -> None:
    resting = a_rotation(CANARY, **RESTING, weight=5, intended_weight=5)

    assert advance(resting, whole(5, at=after(9.9))).step == 1
    assert advance(resting, whole(5, at=after(600))).step == 2


@pytest.mark.parametrize(
    "seen", [whole(5, at=after(10), verdicts=(DOUBT,)), an_observation(green=a_slot(GREEN, 3, "2"), at=after(10))]
)
def test_a_bake_does_not_end_while_a_gate_or_an_instance_is_missing(seen: Observation) -> None:
    resting = a_rotation(CANARY, **RESTING, weight=5, intended_weight=5)

    assert advance(resting, seen) == resting


def test_a_promoted_bake_ends_now_and_the_next_one_is_not_promoted_with_it() -> None:
    promoted = a_rotation(CANARY, **RESTING, weight=5, intended_weight=5, promoted=Ask(NOON, "oncall"))

    following = advance(promoted, whole(5, at=after(1)))

    assert (following.step, following.clocks.promoted) == (2, None)
    assert advance(replace(promoted, promoted_to_end=True), whole(5, at=after(1))).clocks.promoted is not None


def test_a_bake_until_promoted_never_ends_by_itself() -> None:
    manual = a_rotation((Step(100, 100, 100, None),), **RESTING, weight=100, intended_weight=100)

    assert bake_ends_at(manual) is None
    assert advance(manual, whole(100, at=after(60 * 24 * 9))) == manual
    assert advance(
        changed(manual, promoted=Ask(NOON, "oncall")), whole(100, at=after(2))
    ).clocks.closing_since == after(2)


@pytest.mark.edge(32)
def test_the_end_waits_until_the_data_plane_has_followed_the_last_shift() -> None:
    short = a_rotation((Step(100, 100, 100, timedelta(0)),), **RESTING, weight=100, intended_weight=100)

    assert advance(short, whole(100, at=after(seconds=59))).clocks.closing_since is None
    assert advance(short, whole(100, at=after(seconds=60))).clocks.closing_since == after(1)


def test_a_step_that_grows_starts_the_clocks_of_a_launch_and_one_that_does_not_leaves_them() -> None:
    small = an_observation(green=a_slot(GREEN, 2, "2"), weight=5, at=after(20))
    grows = advance(a_rotation(GROWING, **RESTING, weight=5, intended_weight=5, candidate_target=2), small)
    stays = advance(
        a_rotation(CANARY, **RESTING, weight=5, intended_weight=5, ready_since=NOON), whole(5, at=after(20))
    )

    assert (grows.step, grows.candidate.target, grows.growth.since, grows.growth.ready_since) == (2, 4, after(20), None)
    assert (stays.step, stays.growth.since, stays.growth.ready_since) == (2, NOON, NOON)


# --- shrinking --------------------------------------------------------------------------------------------------------


def shrinking(**changes: Any) -> Rotation:
    """Half the traffic has moved; the old half may go once it has settled."""
    standard = {"proved_at": NOON, "shifted_at": NOON, "exposed_at": NOON, "weight": 50, "intended_weight": 50}
    return a_rotation(ROLLING, **{**standard, **changes})


def halves(old: int = 4, new: int = 2, **changes: Any) -> Observation:
    return an_observation(a_slot(healthy=old), a_slot(GREEN, new, "2"), **{"weight": 50, "at": after(1), **changes})


def test_a_shrink_is_decided_once_and_a_blip_does_not_undo_it() -> None:
    decided = advance(shrinking(), halves())

    assert decided.clocks.shrunk_at == after(1)
    assert advance(decided, halves(new=1, at=after(2))).clocks.shrunk_at == after(1)


@pytest.mark.parametrize("seen", [halves(at=after(seconds=59)), halves(new=1)])
def test_a_shrink_waits_for_the_data_plane_and_for_a_whole_candidate(seen: Observation) -> None:
    assert advance(shrinking(), seen).clocks.shrunk_at is None


@pytest.mark.edge(37)
def test_the_bake_begins_when_those_who_leave_are_leaving() -> None:
    decided = shrinking(shrunk_at=after(1))
    draining = some_instances(2) + some_instances(2, lifecycle="Terminating", target=TargetState.DRAINING)

    assert advance(decided, halves(old=4)).clocks.baking_since is None
    lagging = a_slot(desired=2, instances=some_instances(3))
    assert advance(decided, an_observation(lagging, a_slot(GREEN, 2, "2"), 50, at=after(1))).clocks.baking_since is None
    gone = an_observation(a_slot(desired=2, instances=draining), a_slot(GREEN, 1, "2"), 50, at=after(1))
    assert advance(decided, gone).clocks.baking_since == after(1)


# --- the way back -----------------------------------------------------------------------------------------------------


def returning(**changes: Any) -> Rotation:
    standard: dict[str, Any] = {"back": Ask(NOON, "oncall"), "grown_since": None, "exposed_at": NOON}
    return a_rotation(**{**standard, "weight": 100, "intended_weight": 100, **changes})


def test_traffic_that_is_back_settles_before_anything_is_taken_away() -> None:
    shifted = advance(returning(), whole(0))

    assert (shifted.clocks.shifted_at, shifted.weight, shifted.intended_weight) == (NOON, 0, 0)
    assert shifted.clocks.closing_since is None
    assert advance(shifted, whole(0, at=after(1))).clocks.closing_since == after(1)


@pytest.mark.edge(39)
def test_nothing_is_taken_away_while_a_route_still_sends_traffic_there() -> None:
    assert advance(returning(), whole(5)).clocks.shifted_at is None
    shifted = returning(shifted_at=NOON, weight=0, intended_weight=0)
    assert advance(shifted, whole(5, at=after(9))).clocks.closing_since is None


@pytest.mark.edge(43)
def test_a_shrunk_generation_is_grown_and_watched_anew() -> None:
    small = an_observation(a_slot(healthy=1), a_slot(GREEN, 4, "2"), 100)

    growing = advance(returning(ready_since=after(-9)), small)

    assert (growing.growth.since, growing.growth.ready_since, growing.clocks.shifted_at) == (NOON, None, None)


def test_a_candidate_that_never_had_traffic_is_left_at_once() -> None:
    closing = advance(returning(exposed_at=None, weight=0, intended_weight=0), an_observation())

    assert closing.clocks.closing_since == NOON


def test_the_new_generation_stays_until_the_old_one_is_whole() -> None:
    hurt = a_slot(instances=some_instances(3))
    shifted = returning(shifted_at=NOON, weight=0, intended_weight=0)

    assert advance(shifted, an_observation(hurt, a_slot(GREEN, 4, "2"), at=after(9))).clocks.closing_since is None


# --- has the image run? -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lifecycle", ["Pending", "InService", "Terminating"])
def test_the_first_instance_of_the_new_generation_is_noted_whatever_becomes_of_it(lifecycle: str) -> None:
    there = an_instance(7, lifecycle=lifecycle, template_version="2")
    first = advance_clocks(a_rotation(), an_observation(green=a_slot(Slot.GREEN, 0, instances=(there,)), at=after(1)))

    assert (first.candidate.launched_at, first.has_run) == (after(1), True)
    assert advance_clocks(first, an_observation(at=after(2))).candidate.launched_at == after(1)


def test_what_the_slot_still_has_of_the_time_before_is_no_instance_of_the_new_generation() -> None:
    seen = an_observation(green=a_slot(Slot.GREEN, 4, version="1"))

    assert not advance_clocks(a_rotation(), seen).has_run
    assert not advance_clocks(a_rotation(new=a_generation(42, template_version=None), step=0), seen).has_run


@pytest.mark.parametrize(
    ("cause", "known", "fair"),
    [
        (Cause.OPERATOR, {}, Cause.ENVIRONMENT),
        (Cause.OPERATOR, {"launched_at": NOON}, Cause.OPERATOR),
        (Cause.OPERATOR, {"succeeded_at": NOON}, Cause.OPERATOR),
        (Cause.IMAGE, {}, Cause.IMAGE),  # AWS itself has said that the image cannot be launched
        (Cause.ENVIRONMENT, {"launched_at": NOON}, Cause.ENVIRONMENT),
    ],
)
def test_a_way_back_ends_with_a_cause_that_is_fair_to_the_image(
    cause: Cause, known: dict[str, Any], fair: Cause
) -> None:
    back = a_rotation(back=Ask(NOON, "ann"), cause=cause, shifted_at=NOON, **known)

    ended = advance(back, an_observation(at=after(5)))

    assert (ended.clocks.closing_since, ended.cause) == (after(5), fair)
