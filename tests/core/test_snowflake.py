"""Which instances of a group are like no other, and what of the group is not as it was left."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from phoenix.core.drift import Compared, Found, Fresh
from phoenix.core.model import Instance, Observation, Outcome, Slot
from phoenix.core.record import GroupRecord
from phoenix.core.routine import Routine
from phoenix.core.snowflake import Bounds, Drift, is_repeated, judge
from phoenix.core.tags import GENERATION, TAINTED, write_generation
from phoenix.core.terms import Capacity
from tests.builders import (
    NEW_IMAGE,
    NOON,
    OLD_IMAGE,
    a_generation,
    a_record,
    a_rotation,
    a_slot,
    after,
    an_instance,
    an_observation,
)

OPEN = Fresh(security_groups=frozenset({"sg-a"}))
LIVE = a_generation(42)


def facts(instance: Instance, image: str, **changes: Any) -> Compared:
    plain = Found(instance.id, image, after(-60), "m7i.large", instance.template_version)
    return Compared(replace(plain, **{"security_groups": frozenset({"sg-a"}), **changes}), OPEN)


def left(**live: Any) -> Observation:
    """Generation 42 lives in green as its rotation left it, 41 is hot in blue."""
    green = a_slot(Slot.GREEN, version="2", min=2, max=12, tags={GENERATION: write_generation(LIVE)})
    blue = a_slot(min=0, max=4, suspended=frozenset({Routine.SCHEDULES}))
    return an_observation(blue, replace(green, **live), weight=100)


def done(**changes: Any) -> GroupRecord:
    rotation = a_rotation(outcome=Outcome.SUCCEEDED, ended_at=after(-1), capacity=Capacity(2, 12), **changes)
    return a_record(rotation, live=LIVE, retained=a_generation(41), hot_until=after(30), highest_number=42)


def found(seen: Observation, record: GroupRecord | None = None, *ignore: str, **changed: Any) -> Drift:
    """`changed` is what differs on the first instance of the live slot."""
    images = {Slot.BLUE: OLD_IMAGE, Slot.GREEN: NEW_IMAGE}
    everyone = {i.id: facts(i, images[slot]) for slot, state in seen.slots.items() for i in state.instances}
    first = seen.slots[Slot.GREEN].instances[0]
    everyone[first.id] = facts(first, str(changed.pop("image", NEW_IMAGE)), **changed)
    return judge(record or done(), seen, everyone, Bounds(ignore=ignore))


def test_a_group_as_its_rotation_left_it_is_converged() -> None:
    drift = found(left())

    assert not drift.diverged
    assert len(drift.instances) == 8


def test_the_generation_that_is_kept_hot_is_no_drift() -> None:
    assert [each.generation.number for each in found(left()).instances if each.generation].count(41) == 4


def test_a_changed_instance_comes_first() -> None:
    drift = found(left(), security_groups=frozenset({"sg-b"}))

    assert [each.is_one for each in drift.instances] == [True] + [False] * 7
    assert [d.what for d in drift.instances[0].differences] == ["security-groups"]


def test_what_the_owner_ignores_is_not_told() -> None:
    changed: dict[str, Any] = {"security_groups": frozenset({"sg-b"}), "tags": {TAINTED: "disk"}}

    assert not found(left(), None, "security-groups", "tainted", **changed).diverged


def test_a_tainted_instance_is_a_snowflake_with_its_reason() -> None:
    (flake,) = found(left(), tags={TAINTED: "disk"}).snowflakes

    assert flake.taint is not None
    assert flake.taint.text == "disk"


@pytest.mark.parametrize("lifecycle", ["Pending:Wait", "Terminating", "Terminating:Wait", "EnteringSomething"])
def test_an_instance_on_its_way_in_or_out_is_not_judged(lifecycle: str) -> None:
    seen = left()
    green = seen.slots[Slot.GREEN]
    moving = (an_instance(1000, template_version="2", lifecycle=lifecycle), *green.instances[1:])

    drift = found(left(instances=moving), security_groups=frozenset())

    assert not drift.diverged


@pytest.mark.parametrize("image", [OLD_IMAGE, NEW_IMAGE])
def test_while_a_rotation_is_in_flight_both_generations_belong_and_the_group_is_the_rotations(image: str) -> None:
    flying = a_record(a_rotation(), live=a_generation(41), highest_number=42)

    drift = found(left(min=12, max=99, tags={}), flying)

    assert not drift.diverged, image


GROUP = {
    "bounds": ({"min": 3}, "bounds: web-green has min 3 max 12, left at 2 and 12"),
    "template": ({"template_version": "7"}, "template: web-green launches version 7, left at 2"),
    "latest": (
        {"template_version": None},
        "template: web-green launches version whatever is newest or default, left at 2",
    ),
    "launches": (
        {"suspended": frozenset({Routine.LAUNCHES})},
        "processes: launches are suspended on web-green, a lost instance is not replaced",
    ),
    "tag": ({"tags": {}}, "tags: phoenix:generation of web-green missing, left at 42"),
}


@pytest.mark.parametrize(("changed", "sentence"), GROUP.values(), ids=GROUP)
def test_what_is_not_as_it_was_left_is_told(changed: dict[str, Any], sentence: str) -> None:
    drift = found(left(**changed))

    assert [each.text for each in drift.group] == [sentence]
    assert drift.diverged


def test_moved_weights_are_told_by_route() -> None:
    drift = found(replace(left(), routes=an_observation(weight=60).routes))

    assert "weights: :443 sends it 60 %, left at 100 %" in [each.text for each in drift.group]


def test_a_group_that_was_never_rotated_was_left_as_nothing() -> None:
    seen = an_observation(a_slot(min=9, max=9, template_version="5"))

    assert judge(a_record(), seen, {}).group == ()


def test_a_group_made_anew_is_its_owners_choice() -> None:
    record = done(arns={Slot.GREEN: "arn:old"})

    drift = found(left(arn="arn:new", min=7, tags={}), record, image="ami-strange")

    assert not drift.diverged


def test_drift_rotates_at_most_once_a_day() -> None:
    record = done(trigger="1 of 4 instances drifted: i-1 (volumes)")

    assert is_repeated(record, NOON)
    assert not is_repeated(record, NOON + timedelta(days=1))
    assert not is_repeated(done(), NOON)
    assert not is_repeated(a_record(), NOON)
