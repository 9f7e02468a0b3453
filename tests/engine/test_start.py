"""From a survey to a record with an intent: all that a rotation is to remember of its beginning."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from phoenix.core import tags
from phoenix.core.generation import Generation
from phoenix.core.model import Outcome, Phase
from phoenix.core.record import GroupRecord
from phoenix.core.rotation import Rotation
from phoenix.core.story import Event
from phoenix.core.terms import Capacity
from phoenix.engine.group import About
from phoenix.engine.request import RotateRequest
from phoenix.engine.start import new_record
from phoenix.engine.survey import survey
from tests.builders import NOON
from tests.engine.builders import BLUE, CANARY, GREEN, Bench, a_bench
from tests.fakes import NEW_IMAGE, OLD_IMAGE, an_image


def begun(bench: Bench, **asked: Any) -> GroupRecord:
    request = RotateRequest(**asked)
    found = survey(bench.group, request)
    assert found.next is not None
    return new_record(bench.group, found, found.next, request)


def rotation_of(record: GroupRecord) -> Rotation:
    assert record.rotation is not None
    return record.rotation


def test_the_intent_remembers_what_lives_what_comes_by_whom_why_and_until_when() -> None:
    bench = a_bench(terms={"steps": CANARY}, policy='{"group": "web"}')

    rotation = rotation_of(begun(bench))

    assert (rotation.group, rotation.origin.by, rotation.origin.policy, rotation.origin.store) == (
        "web", "tester", '{"group": "web"}', "memory:test",
    )  # fmt: skip
    old = Generation(1, BLUE, OLD_IMAGE, "web-2026.11.11-41aa07", "1", template="lt-1", images=(OLD_IMAGE,))
    assert replace(rotation.old, since=None) == old
    assert replace(rotation.new, since=None) == Generation(2, GREEN, NEW_IMAGE, an_image().name)
    assert (rotation.started_at, rotation.deadline) == (NOON, NOON + bench.group.terms.rotation_timeout)
    assert (rotation.origin.trigger, rotation.terms) == ("new image (9h46m old)", bench.group.terms)
    assert (rotation.need, rotation.capacity) == (4, Capacity(2, 12))
    assert (rotation.outcome, rotation.phase, rotation.waiting_for) == (
        Outcome.IN_PROGRESS,
        Phase.PREPARING,
        "starting",
    )


def test_its_story_begins_with_the_image_the_person_and_the_reason() -> None:
    record = begun(a_bench())

    story = f"image {an_image().name}, by tester: new image (9h46m old)"
    assert rotation_of(record).events == (Event(NOON, "start", story),)


def test_an_image_without_a_name_is_told_by_its_id() -> None:
    bench = a_bench()
    found = survey(bench.group, RotateRequest())

    record = new_record(bench.group, found, Generation(2, GREEN, NEW_IMAGE), RotateRequest())

    assert rotation_of(record).events[0].text.startswith(f"image {NEW_IMAGE}, by tester")


def test_the_groups_record_knows_the_account_and_never_gives_a_number_twice() -> None:
    bench = a_bench(about=About(account="123456789012", region="eu-west-1"))

    record = begun(bench)

    assert (record.account, record.region, record.highest_number) == ("123456789012", "eu-west-1", 2)
    assert record.live == rotation_of(record).old


@pytest.mark.parametrize(("highest", "following"), [(1, 2), (9, 10)])
def test_the_highest_number_is_that_of_the_newest_generation(highest: int, following: int) -> None:
    bench = a_bench()
    bench.rotated()
    live = replace(bench.record.live or Generation(0, BLUE, ""), number=1)
    bench.store.save(replace(bench.record, highest_number=highest, live=live))

    assert begun(bench, force=True).highest_number == following


def test_several_reasons_and_what_was_ignored_are_kept_in_one_line() -> None:
    record = begun(a_bench(), force=True, ignore=frozenset({"window", "freeze"}), reason="hotfix 123")

    expected = 'new image (9h46m old); requested with --force; ignoring freeze, window: "hotfix 123"'
    assert rotation_of(record).origin.trigger == expected


def test_a_reason_without_anything_ignored_is_kept_too() -> None:
    assert rotation_of(begun(a_bench(), reason="because")).origin.trigger == 'new image (9h46m old): "because"'


def test_the_owners_numbers_come_from_the_policy_then_from_the_note_then_from_the_group() -> None:
    bench = a_bench()
    found_on_the_group = rotation_of(begun(bench)).capacity
    bench.fleet.state[BLUE] = replace(bench.fleet.state[BLUE], tags={tags.CAPACITY: "1 40"})
    noted = rotation_of(begun(bench)).capacity
    bench.group = replace(bench.group, terms=replace(bench.group.terms, capacity=Capacity(3, 30)))

    assert (found_on_the_group, noted) == (Capacity(2, 12), Capacity(1, 40))
    assert rotation_of(begun(bench)).capacity == Capacity(3, 30)


def test_ids_are_readable_aloud_and_differ() -> None:
    ids = {rotation_of(begun(a_bench())).id for _ in range(20)}

    assert len(ids) > 1
    assert all(len(i) == len("web-2-7k3f") and i.startswith("web-2-") for i in ids)
    assert all(set(i.removeprefix("web-2-")) <= set("23456789abcdefghjkmnpqrstvwxyz") for i in ids)
