from __future__ import annotations

from dataclasses import replace

from phoenix.core.milestones import with_first_healthy, with_phase_since
from phoenix.core.model import Slot
from phoenix.core.record import GroupRecord
from phoenix.core.rotation import Rotation
from phoenix.core.story import Ask
from tests.builders import NOON, a_record, a_rotation, a_slot, after, an_observation, changed


def phase_since(before: Rotation | None, now: Rotation) -> object:
    rotation = with_phase_since(a_record(before), a_record(now), after(5)).rotation
    assert rotation is not None
    return rotation.phase_since


def first_healthy(rotation: Rotation, healthy: int) -> object:
    seen = an_observation(green=a_slot(Slot.GREEN, healthy=healthy, version="2"), at=after(5))
    found = with_first_healthy(a_record(rotation), seen).rotation
    assert found is not None
    return found.candidate.first_healthy_at


def test_another_phase_begins_now_and_the_same_one_goes_on() -> None:
    growing = a_rotation(phase_since=NOON)

    assert phase_since(growing, growing.bake(NOON)) == after(5)
    assert phase_since(growing, growing) == NOON


def test_the_first_phase_of_a_rotation_began_with_it() -> None:
    assert phase_since(None, a_rotation()) is None
    assert phase_since(a_rotation(id="another", ended_at=NOON), a_rotation()) is None


def test_the_first_healthy_instance_is_noted_once() -> None:
    assert first_healthy(a_rotation(), 0) is None
    assert first_healthy(a_rotation(), 1) == after(5)
    assert first_healthy(a_rotation(first_healthy_at=NOON), 1) == NOON


def test_instances_from_before_or_on_the_way_back_are_not_the_new_generation() -> None:
    rotation = a_rotation()

    assert first_healthy(replace(rotation, new=replace(rotation.new, template_version=None)), 4) is None
    assert first_healthy(changed(rotation, back=Ask(NOON, "ann")), 4) is None


def test_a_group_without_a_rotation_has_no_milestones() -> None:
    record = GroupRecord("web")

    assert with_first_healthy(record, an_observation()) == with_phase_since(record, record, NOON) == record
