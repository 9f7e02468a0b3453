"""What is written on the groups must read back as what was meant, or as nothing at all."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phoenix.core import tags
from phoenix.core.model import Capacity, Slot
from tests.builders import NEW_IMAGE, OLD_IMAGE, a_generation, a_rotation, after

words = st.text(st.characters(codec="ascii", categories=["Ll", "Nd"]), min_size=1, max_size=20)
counts = st.integers(0, 100_000)
seconds = st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1)).map(lambda at: at.replace(microsecond=0, tzinfo=UTC))  # noqa: DTZ001
nonsense = st.one_of(st.text(max_size=30), st.sampled_from(["", "4", "4 x", "1 2 3 4 5", "a 1 2 yesterday"]))


@given(words, counts, counts, seconds)
def test_a_rotation_reads_back_as_it_was_written(rotation_id: str, old: int, new: int, deadline: datetime) -> None:
    rotation = a_rotation(id=rotation_id, old=a_generation(old), new=a_generation(new), deadline=deadline)

    note = tags.read_rotation({tags.ROTATION: tags.write_rotation(rotation)})

    assert note == tags.RotationNote(rotation_id, old, new, deadline)


@given(counts, words, counts)
def test_a_generation_reads_back_as_it_was_written(number: int, image: str, version: int) -> None:
    generation = a_generation(number, image=image, template_version=str(version))

    note = tags.read_generation({tags.GENERATION: tags.write_generation(generation)})

    assert note == tags.GenerationNote(number, image, str(version))


@given(counts, counts)
def test_the_owners_numbers_read_back_as_they_were_written(least: int, most: int) -> None:
    assert tags.read_capacity({tags.CAPACITY: tags.write_capacity(Capacity(least, most))}) == Capacity(least, most)


@given(nonsense)
def test_a_value_that_makes_no_sense_is_as_good_as_none(value: str) -> None:
    note = tags.read_rotation({tags.ROTATION: value})

    assert note is None or isinstance(note.deadline, datetime)
    assert tags.read_generation({tags.GENERATION: "42 ami-1"}) is None
    assert tags.read_capacity({tags.CAPACITY: "4 many"}) is None


@pytest.mark.parametrize("read", [tags.read_rotation, tags.read_generation, tags.read_capacity])
def test_a_group_without_tags_has_no_notes(read: object) -> None:
    assert read({}) is None  # type: ignore[operator]


@pytest.mark.edge(44)
def test_both_slots_carry_what_a_rollback_without_a_store_needs() -> None:
    written = tags.rotation_tags(a_rotation(), "sqlite:///here")

    assert written[Slot.BLUE][tags.GENERATION] == f"41 {OLD_IMAGE} 1"
    assert written[Slot.GREEN][tags.GENERATION] == f"42 {NEW_IMAGE} 2"
    for slot in Slot:
        assert written[slot][tags.ROTATION] == f"web-42-test 41 42 {after(120):%Y-%m-%dT%H:%M:%SZ}"
        assert written[slot][tags.STORE] == "sqlite:///here"
        assert written[slot][tags.GROUP] == "web"


@pytest.mark.edge(3)
def test_the_owners_numbers_are_noted_on_the_old_slot_only() -> None:
    written = tags.rotation_tags(a_rotation(), "s")

    assert written[Slot.BLUE][tags.CAPACITY] == "2 8"
    assert tags.CAPACITY not in written[Slot.GREEN]


def test_a_generation_without_a_template_version_is_not_noted_yet() -> None:
    rotation = a_rotation(old=a_generation(41, template_version=None), new=a_generation(42, template_version=None))

    assert not any(tags.GENERATION in written for written in tags.rotation_tags(rotation, "s").values())
