"""The words of a tag as they stand on a group: what is written, and what is read from words that others wrote."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from phoenix.core import tags
from phoenix.core.model import Capacity
from phoenix.core.tags import GenerationNote, HoldNote, RotationNote
from tests.builders import NOON, a_generation, a_rotation
from tests.core.slots import ONCALL

INDIA = timezone(timedelta(hours=5, minutes=30))


def test_a_rotation_is_written_with_its_deadline_in_utc() -> None:
    rotation = a_rotation(deadline=NOON.astimezone(INDIA))

    assert tags.write_rotation(rotation) == "web-42-test 41 42 2026-11-18T12:00:00Z"


def test_a_rotation_is_read_with_its_deadline_in_utc() -> None:
    note = tags.read_rotation({tags.ROTATION: " web-42-7k3f  41 42 2026-11-18T04:41:12Z"})

    assert note == RotationNote("web-42-7k3f", 41, 42, datetime(2026, 11, 18, 4, 41, 12, tzinfo=UTC))


def test_a_generation_is_written_and_read_as_number_image_and_version() -> None:
    assert tags.write_generation(a_generation(42, image="ami-1", template_version="58")) == "42 ami-1 58"
    assert tags.read_generation({tags.GENERATION: "42 ami-1 58"}) == GenerationNote(42, "ami-1", "58")


def test_a_generation_is_written_with_the_template_that_its_version_belongs_to() -> None:
    known = a_generation(42, image="ami-1", template_version="58", template="lt-7")

    assert tags.write_generation(known) == "42 ami-1 58 lt-7"
    assert tags.read_generation({tags.GENERATION: "42 ami-1 58 lt-7"}) == GenerationNote(42, "ami-1", "58", "lt-7")


@pytest.mark.parametrize("value", ["", "42", "42 ami-1", "x ami-1 58", "42 ami-1 58 59", "42 ami-1 58 lt-7 lt-8"])
def test_a_generation_with_a_word_too_few_or_too_many_is_none(value: str) -> None:
    assert tags.read_generation({tags.GENERATION: value}) is None


def test_word_of_a_rollback_names_the_rotation_and_who_turned_it_back() -> None:
    assert tags.write_hold(a_rotation(back=ONCALL)) == "web-42-test oncall"
    assert tags.write_hold(a_rotation(by="cron")) == "web-42-test cron"


def test_word_of_a_rollback_fits_into_a_tag() -> None:
    assert len(tags.write_hold(a_rotation(by="x" * 300))) == 256


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("web-42-test oncall", HoldNote("web-42-test", "oncall")),
        ("web-42-test Jane Doe", HoldNote("web-42-test", "Jane Doe")),
        ("web-42-test", None),
        (" oncall", None),
        ("", None),
    ],
)
def test_word_of_a_rollback_is_read_only_whole(value: str, expected: HoldNote | None) -> None:
    assert tags.read_hold({tags.HOLD: value}) == expected
    assert tags.read_hold({}) is None


def test_the_newest_ten_images_of_a_quarantine_fit_into_its_tag() -> None:
    images = [f"ami-{number:017x}" for number in range(12)]

    written = tags.write_quarantine(images)

    assert tags.read_quarantine({tags.QUARANTINE: written}) == tuple(images[2:])
    assert len(written) <= 256


def test_a_quarantine_that_has_ended_is_none_and_reads_as_empty() -> None:
    assert tags.write_quarantine([]) == "none"
    assert tags.read_quarantine({tags.QUARANTINE: "none"}) == ()
    assert tags.read_quarantine({}) == ()


def test_the_owners_numbers_are_two_words() -> None:
    assert tags.write_capacity(Capacity(4, 24)) == "4 24"
    assert tags.read_capacity({tags.CAPACITY: "4 24 32"}) is None
