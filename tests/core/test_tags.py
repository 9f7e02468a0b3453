"""What is written on the groups must read back as what was meant, or as nothing at all."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phoenix.core import failover, tags
from phoenix.core.model import Slot
from phoenix.core.story import Ask
from phoenix.core.tags import GenerationNote, HoldNote, RotationNote
from phoenix.core.temporary import Entry, Ledger, ReferenceEntry, SchedulesEntry, StickinessEntry, Upkeep
from phoenix.core.terms import Capacity
from tests.builders import NEW_IMAGE, NOON, OLD_IMAGE, a_generation, a_rotation, after
from tests.core.slots import ONCALL

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


# --- what AWS takes ---------------------------------------------------------------------------------------------------

MOST = 2**31 - 1


"""AWS's own numbers are 32 bits wide, and generations are counted one by one."""


GROUP = "w" * 63


"""The longest name that a policy takes."""


ID = f"{GROUP}-{MOST}-7k3f"


IMAGE = f"ami-{'f' * 17}"


TEMPLATE = f"lt-{'f' * 17}"


TABLE = f"dynamodb://123456789012/ap-southeast-1/{'t' * 255}"


PERSON = "Zoë (on call) <zoe@example.com>\n" * 30


ARN = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener-rule/app/web/50dc/f2f7/"


TAKEN = re.compile(r"[\w .:/=+@-]{1,256}")


def the_longest_tags() -> dict[str, str]:
    """Every tag that is ever written, as long as it can become."""
    each: dict[str, Any] = {"image": IMAGE, "template_version": str(MOST), "template": TEMPLATE}
    old, new = a_generation(MOST - 1, slot=Slot.BLUE, **each), a_generation(MOST, slot=Slot.GREEN, **each)
    kept: Upkeep[Any] = Upkeep(after(0))
    entries: list[Entry] = [SchedulesEntry(Slot.GREEN, False, kept)]
    entries += [StickinessEntry(f"{ARN}{n:016x}", 604_800, kept) for n in range(100)]
    entries += [ReferenceEntry(f"{ARN}{n:016x}", kept) for n in range(100)]
    rotation = a_rotation(
        id=ID, group=GROUP, old=old, new=new, capacity=Capacity(MOST, MOST), by=PERSON,
        ledger=Ledger(entries),
        back=Ask(after(0), PERSON, "a reason " * 100),
    )  # fmt: skip
    written = tags.rotation_tags(rotation, TABLE)
    return {
        **written[Slot.BLUE],
        **written[Slot.GREEN],
        tags.FAILOVER: failover.note([*["1000/100"] * 27, "off/off"]),
        tags.HOLD: tags.write_hold(rotation),
        tags.QUARANTINE: tags.write_quarantine([f"ami-{n:040x}" for n in range(50)]),
    }


def test_every_tag_has_its_longest_value_held_against_what_aws_takes() -> None:
    assert sorted(the_longest_tags()) == sorted(tags.WRITTEN)


@pytest.mark.parametrize("key", tags.WRITTEN)
def test_the_longest_value_of_a_tag_is_one_that_aws_takes(key: str) -> None:
    assert TAKEN.fullmatch(the_longest_tags()[key])


def test_the_longest_values_read_back() -> None:
    written = the_longest_tags()

    assert tags.read_rotation(written) == tags.RotationNote(ID, MOST - 1, MOST, after(120))
    assert tags.read_generation(written) == tags.GenerationNote(MOST, IMAGE, str(MOST), TEMPLATE)
    assert tags.read_capacity(written) == Capacity(MOST, MOST)
    assert tags.read_hold(written).rotation == ID  # type: ignore[union-attr]
    assert tags.read_quarantine(written)[-1] == f"ami-{49:040x}"


@given(st.text(max_size=400))
def test_any_text_can_be_made_to_fit_and_then_stays_as_it_is(text: str) -> None:
    fitted = tags.fitting(text)

    assert not text or TAKEN.fullmatch(fitted)
    assert tags.fitting(fitted) == fitted


@pytest.mark.parametrize("others", [(f"{TABLE}-one", f"{TABLE}-two"), ("a,b", "a;b"), ("a,b", "a_b")])
def test_two_texts_do_not_become_one_by_fitting(others: tuple[str, str]) -> None:
    one, other = map(tags.fitting, others)

    assert one != other


def test_what_fits_is_left_alone() -> None:
    assert tags.fitting("sqlite://1a2b3c4d@host/srv/phoenix.db") == "sqlite://1a2b3c4d@host/srv/phoenix.db"
    assert tags.fitting("Zoë 42 _.:/=+-@") == "Zoë 42 _.:/=+-@"


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
