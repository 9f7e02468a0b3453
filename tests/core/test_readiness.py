"""The promise that status makes about a rollback: it is the one that the way back keeps."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from phoenix.core.blocker import Blocker
from phoenix.core.model import Observation, Outcome, Slot, SlotState, TargetState
from phoenix.core.readiness import Revival, RollbackReady, percent_of, rollback_readiness, short_by_now, with_blockers
from phoenix.core.record import GroupRecord
from phoenix.core.routine import Routine
from phoenix.core.serving import NO_TRAFFIC
from phoenix.core.story import Ask
from tests.builders import (
    NOON,
    ROLLING,
    a_generation,
    a_record,
    a_rotation,
    a_slot,
    after,
    an_observation,
    some_instances,
    some_terms,
)

GREEN = Slot.GREEN


LIVE = a_slot(GREEN, 6, "2", min=3, max=12)


GONE = Blocker("image-gone", "image ami-1", "ami-1 is gone.", "restore it")


DENIED = Blocker("not-checked", "vCPU quota", "denied", warning=True)


def a_success(**changes: Any) -> GroupRecord:
    """42 lives in green with six, 41 is retained in blue, hot."""
    rotation = a_rotation(ended_at=NOON, outcome=Outcome.SUCCEEDED, succeeded_at=NOON, exposed_at=after(-9))
    standard = {"live": a_generation(42), "retained": a_generation(41), "hot_until": after(60)}
    return a_record(rotation, **{**standard, **changes})


def at_rest(blue: SlotState, live: SlotState = LIVE) -> Observation:
    return an_observation(blue, live, 100)


def sick(count: int, of: int = 6) -> SlotState:
    """Blue with that many unhealthy ones."""
    ill = some_instances(of)[:count]
    return a_slot(
        healthy=of,
        instances=(*(replace(i, target=TargetState.UNHEALTHY) for i in ill), *some_instances(of)[count:]),
    )


def judged(blue: SlotState, **changes: Any) -> RollbackReady:
    return rollback_readiness(a_success(**changes), at_rest(blue))


def test_with_nothing_retained_it_would_not() -> None:
    found = rollback_readiness(a_record(), an_observation())

    assert (found.ready, found.why) == (False, "nothing is retained")


@pytest.mark.edge(43)
def test_weights_move_first_where_the_retained_one_is_whole() -> None:
    found = judged(a_slot(healthy=6))

    assert (found.ready, found.at_once, found.revival) == (True, True, None)
    assert found.why == "41 has 6 of 6 healthy, weights move first"


@pytest.mark.edge(43)
def test_a_retained_one_that_is_too_small_grows_first_and_says_what_now_would_leave() -> None:
    found = judged(a_slot(healthy=4))

    assert (found.ready, found.at_once) == (True, False)
    assert (
        found.why
        == "41 has 4 of 6 healthy: it grows and is proved first, then weights move; --now leaves 66 % until then"
    )
    assert found.revival is not None
    assert (found.revival.missing, found.revival.left) == (2, 66)


def test_a_cold_one_has_nothing_that_now_could_leave() -> None:
    found = judged(a_slot(healthy=0), hot_until=None)

    assert (found.ready, found.why) == (True, "41 has 0 of 6 healthy: it grows and is proved first, then weights move")


def test_one_that_is_partly_sick_waits_for_the_rest_while_the_live_one_serves() -> None:
    found = judged(sick(2))

    assert (found.ready, found.at_once, found.revival) == (True, False, None)
    assert found.why == "41 has 4 of 6 healthy: weights move when all are, after 15m at the latest; --now leaves 66 %"


def test_one_that_is_partly_sick_takes_over_at_once_from_one_that_is_no_better() -> None:
    worse = replace(LIVE, instances=tuple(replace(i, target=TargetState.UNHEALTHY) for i in LIVE.instances[:3]))

    found = rollback_readiness(a_success(), at_rest(sick(2), worse))

    assert (found.ready, found.at_once) == (True, True)
    assert "as many as carry the traffic now" in found.why


def test_without_a_healthy_instance_it_would_not() -> None:
    found = judged(sick(6))

    assert (found.ready, found.at_once) == (False, False)
    assert found.why == "41 has no healthy instance of 6: traffic waits until it has one"


def test_without_its_template_version_a_cold_generation_cannot_come_back() -> None:
    retained = a_generation(41, template_version=None)

    assert not judged(a_slot(healthy=0), retained=retained, hot_until=None).ready


def test_what_an_untouched_rotation_left_retained_comes_back_by_its_number_only() -> None:
    record = a_success()
    assert record.rotation is not None
    back = replace(record.rotation, outcome=Outcome.ROLLED_BACK)

    found = rollback_readiness(replace(record, rotation=back), at_rest(a_slot(healthy=6)))

    assert (found.ready, found.why) == (False, "already back on 41; `--to 41` launches 41 again")


# --- a slot that another writer has changed ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("healthy", "version", "told"),
    [
        (6, "7", "; but web-blue launches from template version 7, not 1"),
        (6, None, "; but web-blue launches from no pinned template version, not 1"),
        (0, "7", "; but web-blue launches from template version 7, not 1, which the rollback sets back"),
    ],
)
def test_another_version_in_the_slot_is_told_and_no_obstacle(healthy: int, version: str | None, told: str) -> None:
    found = judged(a_slot(healthy=healthy, template_version=version))

    assert found.ready
    assert found.why.endswith(told)


@pytest.mark.parametrize(
    ("others", "healthy", "told"),
    [
        (1, "41 has 5 of 6 healthy: 1 more of version 1", "1 instance there is not of 41's template version"),
        (2, "41 has 4 of 6 healthy: 2 more of version 1", "2 instances there are not of 41's template version"),
        (6, "41 has 0 of 6 healthy: 6 more of version 1", "6 instances there are not of 41's template version"),
    ],
)
def test_only_instances_of_the_generations_version_count_and_the_others_are_told(
    others: int, healthy: str, told: str
) -> None:
    there = some_instances(6)
    mixed = (*there[others:], *(replace(i, template_version="7") for i in there[:others]))

    found = judged(a_slot(healthy=6, instances=mixed))

    assert (found.ready, found.at_once) == (True, False)
    assert found.why == f"{healthy} to be launched and proved first, then weights move; but {told}"
    assert found.revival is not None
    assert found.revival.missing == others


def test_what_is_there_besides_a_whole_generation_takes_nothing_from_the_promise() -> None:
    there = (*some_instances(6), replace(some_instances(7)[-1], template_version="7"))

    assert judged(a_slot(healthy=6, instances=there)).at_once


def test_instances_of_another_template_do_not_count_whatever_their_number_is() -> None:
    kept = a_generation(41, template="lt-old")
    foreign = some_instances(6, template="lt-new")

    found = judged(a_slot(healthy=6, instances=foreign), retained=kept)

    assert (found.at_once, found.revival is not None) == (False, True)


def test_in_flight_the_old_generations_drifted_instances_serve_and_count() -> None:
    seen = an_observation(a_slot(instances=some_instances(4, template_version="7")), weight=50)

    assert rollback_readiness(a_record(a_rotation(exposed_at=NOON)), seen).at_once


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"suspended": frozenset({Routine.LAUNCHES})}, "Launches are suspended on web-blue, not by phoenix."),
        ({"suspended": frozenset({Routine.REGISTRATIONS})}, "Registrations are suspended on web-blue, not by phoenix."),
        ({"target_groups": ()}, "web-blue registers no more with target group web-blue."),
    ],
)
def test_a_slot_that_can_launch_nothing_that_serves_cannot_grow(change: dict[str, Any], told: str) -> None:
    cold, whole = judged(a_slot(healthy=0, **change)), judged(a_slot(healthy=6, **change))

    assert (cold.ready, cold.why) == (False, f"41 has 0 of 6 healthy and cannot grow: {told}")
    assert whole.at_once


# --- what AWS says of the launch --------------------------------------------------------------------------------------


def test_an_image_that_is_gone_stands_in_the_way_with_its_remedy() -> None:
    found = with_blockers(judged(a_slot(healthy=4)), [GONE, DENIED])

    assert (found.ready, found.at_once, found.remedy) == (False, False, "restore it")
    assert found.why == "41 has 4 of 6 healthy and cannot grow: ami-1 is gone. --now leaves 66 %."


def test_what_could_not_be_checked_is_said_and_stands_in_no_ones_way() -> None:
    found = with_blockers(judged(a_slot(healthy=0)), [DENIED])

    assert found.ready
    assert found.why.endswith("then weights move; not checked: vCPU quota")


def test_with_nothing_found_the_promise_stands() -> None:
    promise = judged(a_slot(healthy=0))

    assert with_blockers(promise, []) == promise


# --- in flight --------------------------------------------------------------------------------------------------------


def test_in_flight_an_old_generation_that_carries_what_is_carried_now_takes_it_back_first() -> None:
    whole = rollback_readiness(a_record(a_rotation()), an_observation())
    hurt = rollback_readiness(a_record(a_rotation()), an_observation(a_slot(instances=some_instances(3))))

    assert (whole.at_once, whole.why) == (True, "41 has 4 of 4 healthy, weights move first")
    assert (hurt.at_once, hurt.why) == (
        True,
        "41 has 3 of 4 healthy, as many as carry the traffic now, weights move first",
    )


def test_a_rolling_rotation_grows_first() -> None:
    found = rollback_readiness(
        a_record(a_rotation(ROLLING, weight=50)), an_observation(a_slot(healthy=2), a_slot(GREEN, 2, "2"), 50)
    )

    assert (found.ready, found.at_once) == (True, False)
    assert found.why.startswith("41 has 2 of 4 healthy: it grows and is proved first")
    assert found.why.endswith("--now leaves 50 % until then")


@pytest.mark.parametrize(
    ("there", "at_once", "why"),
    [
        (2, False, "41 has 2 of 4; no load balancer: it grows first"),
        (4, True, "41 has 4 of 4; no load balancer: 42 is let go at once"),
    ],
)
def test_without_a_load_balancer_it_says_so(there: int, at_once: bool, why: str) -> None:
    rotation = a_rotation(terms=some_terms(serving=NO_TRAFFIC))

    found = rollback_readiness(a_record(rotation), an_observation(a_slot(healthy=there), routes=()))

    assert (found.at_once, found.why) == (at_once, why)


def test_on_the_way_back_there_is_nothing_more_to_ask_for() -> None:
    found = rollback_readiness(a_record(a_rotation(back=Ask(NOON, "oncall"))), an_observation())

    assert (found.ready, found.why) == (True, "rolling back to 41 already")


# --- what --now leaves ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("healthy", "told"),
    [
        (4, None),
        (3, "--now: traffic goes to generation 41 with 3 of 4 healthy: 75 % of the capacity"),
        (0, "--now: generation 41 has no healthy instance, so traffic waits until it has one"),
    ],
)
def test_now_says_beforehand_what_it_leaves(healthy: int, told: str | None) -> None:
    rotation = a_rotation(back=Ask(NOON, "oncall"), back_now=True)

    assert short_by_now(rotation, an_observation(a_slot(healthy=healthy))) == told


def test_only_now_and_only_with_weights_there_is_something_to_say() -> None:
    patient = a_rotation(back=Ask(NOON, "oncall"))
    workers = a_rotation(back=Ask(NOON, "oncall"), back_now=True, terms=some_terms(serving=NO_TRAFFIC))

    assert [short_by_now(each, an_observation(a_slot(healthy=1))) for each in (patient, workers)] == [None, None]


OLD = a_generation(41)


REVIVAL = Revival(OLD, healthy=1, needed=4, missing=3)


GROWS = RollbackReady(True, "41 has 1 of 4 healthy: it grows first", revival=REVIVAL)


@pytest.mark.parametrize(
    ("healthy", "expected"),
    [
        (4, RollbackReady(True, "41 has 4 of 4; no load balancer: 42 is let go at once", at_once=True)),
        (1, RollbackReady(True, "41 has 1 of 4; no load balancer: it grows first", revival=Revival(OLD, 1, 4, 3))),
    ],
)
def test_without_a_load_balancer_it_lets_go_at_once_or_grows_first(healthy: int, expected: RollbackReady) -> None:
    rotation = a_rotation(terms=some_terms(serving=NO_TRAFFIC))
    seen = an_observation(a_slot(healthy=healthy), a_slot(Slot.GREEN, 4, "2"), routes=())

    assert rollback_readiness(a_record(rotation), seen) == expected


def test_what_cannot_be_launched_is_said_with_every_reason_and_the_first_remedy() -> None:
    quota = Blocker("quota", "vCPU", "3 more than the quota.")
    gone = Blocker("image-gone", "ami-1", "ami-1 is gone.", "restore it")

    assert with_blockers(GROWS, [quota, gone]) == RollbackReady(
        False,
        "41 has 1 of 4 healthy and cannot grow: 3 more than the quota. ami-1 is gone. --now leaves 25 %.",
        revival=REVIVAL,
        remedy="restore it",
    )
    assert with_blockers(GROWS, [quota]).remedy is None


def test_what_could_not_be_checked_is_listed_and_does_not_stand_in_the_way() -> None:
    denied = [Blocker("not-checked", where, "denied", warning=True) for where in ("vCPU quota", "image")]

    assert with_blockers(GROWS, denied) == replace(GROWS, why=f"{GROWS.why}; not checked: vCPU quota, image")
    assert with_blockers(GROWS, []) == GROWS


def test_per_cent_of_nothing_is_nothing() -> None:
    assert [percent_of(1, 1), percent_of(1, 3), percent_of(0, 0), percent_of(1, 0)] == [100, 33, 0, 100]
