"""What becomes of the tags that a lost rotation has left, to the last field: a rollback has to work from it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from phoenix.core import tags
from phoenix.core.adopt import adopt, generation_in
from phoenix.core.generation import UNKNOWN_IMAGE, Generation
from phoenix.core.model import Cause, Outcome, Slot
from phoenix.core.record import GroupRecord, Quarantined
from phoenix.core.rotation import Rotation
from phoenix.core.serving import NO_TRAFFIC, Serving
from phoenix.core.terms import Capacity, Step
from tests.builders import NEW_IMAGE, OLD_IMAGE, a_route, a_slot, after, an_observation, some_terms
from tests.core.test_adopt import BLUE, GREEN, TAGS, left_behind

OLD = Generation(41, BLUE, OLD_IMAGE, template_version="1")
NEW = Generation(42, GREEN, NEW_IMAGE, template_version="2")
ONE_STEP = (Step(100, 100, 100, timedelta(0)),)


def rotation_of(record: GroupRecord) -> Rotation:
    assert record.rotation is not None
    return record.rotation


def test_a_finished_rotation_becomes_one_that_has_succeeded_now() -> None:
    seen = left_behind(100, new=6)

    record = adopt("web", seen)

    rotation = rotation_of(record)
    assert (rotation.id, rotation.group, rotation.old, rotation.new) == ("web-42-test", "web", OLD, NEW)
    assert (rotation.origin.trigger, rotation.origin.by) == ("found on the tags of the groups", "")
    assert (rotation.terms.steps, rotation.terms.strategy, rotation.terms.serving) == (ONE_STEP, "unknown", Serving())
    assert (rotation.deadline, rotation.started_at) == (after(120), after(0))
    assert (rotation.need, rotation.capacity, rotation.weight, rotation.step) == (6, Capacity(2, 8), 100, 1)
    assert (rotation.ended_at, rotation.succeeded_at, rotation.exposed_at) == (seen.at, seen.at, seen.at)
    assert (rotation.outcome, rotation.reason) == (Outcome.SUCCEEDED, None)
    assert (record.retained, record.hot_until) == (OLD, seen.at + timedelta(hours=1))
    assert (record.highest_number, record.known) == (42, (OLD, NEW))
    assert record.target_groups == {slot: (f"arn:tg/web-{slot.value}",) for slot in Slot}


def test_a_rotation_whose_weights_are_on_both_is_in_flight_with_the_greatest_of_them() -> None:
    seen = replace(left_behind(0, old=5), routes=(a_route(5), a_route(20, ":80")))

    record = adopt("web", seen)

    rotation = rotation_of(record)
    assert (rotation.outcome, rotation.ended_at, rotation.succeeded_at) == (Outcome.IN_PROGRESS, None, None)
    assert (rotation.need, rotation.weight, rotation.capacity) == (5, 20, Capacity(2, 8))
    assert (record.live, record.retained, record.hot_until) == (None, None, None)


def test_one_that_had_no_traffic_yet_is_in_flight_and_what_lives_is_the_old_one() -> None:
    record = adopt("web", left_behind(0))

    assert (record.live, rotation_of(record).in_flight, rotation_of(record).weight) == (OLD, True, 0)


def test_one_that_came_back_is_over_and_says_where_that_is_known_from() -> None:
    record = adopt("web", left_behind(0, new=0, noted=False))

    rotation = rotation_of(record)
    assert (rotation.outcome, rotation.ended_at) == (Outcome.ROLLED_BACK, after(0))
    assert (rotation.reason, rotation.succeeded_at) == ("found on the tags of the groups", None)
    assert (record.live, record.retained, record.hot_until) == (OLD, None, None)
    assert rotation.capacity == Capacity(4, 4)


def test_one_whose_note_is_still_there_has_not_come_back_yet() -> None:
    assert rotation_of(adopt("web", left_behind(0, new=0))).in_flight


def test_one_whose_candidate_still_exists_has_not_come_back_yet() -> None:
    assert rotation_of(adopt("web", left_behind(0, noted=False))).in_flight


def test_a_need_is_never_nothing() -> None:
    in_flight, finished = adopt("web", left_behind(0, old=0)), adopt("web", left_behind(100, new=0))

    assert (rotation_of(in_flight).need, rotation_of(finished).need) == (1, 1)


def test_without_a_load_balancer_the_rotation_has_no_traffic_and_all_the_weight() -> None:
    seen = replace(left_behind(0, old=0, noted=False), routes=())

    rotation = rotation_of(adopt("web", seen))

    assert (rotation.terms.serving, rotation.weight, rotation.outcome) == (NO_TRAFFIC, 100, Outcome.SUCCEEDED)


def test_the_policys_patience_is_taken_where_there_is_one_but_not_its_steps() -> None:
    terms = some_terms(propagation=timedelta(minutes=9), serving=NO_TRAFFIC)

    rotation = rotation_of(adopt("web", left_behind(100), terms))

    assert rotation.terms == replace(terms, steps=ONE_STEP, serving=Serving())


def test_terms_do_not_invent_a_rotation() -> None:
    assert adopt("web", an_observation(), some_terms()).rotation is None


def test_tags_of_a_rotation_without_both_generations_are_not_enough() -> None:
    lost = {k: v for k, v in TAGS[GREEN].items() if k != tags.GENERATION}
    seen = an_observation(a_slot(tags=TAGS[BLUE]), a_slot(GREEN, 4, "2", tags=lost), 100)

    record = adopt("web", seen)

    assert record.rotation is None
    assert record.live == Generation(43, GREEN, UNKNOWN_IMAGE, template_version="2")
    assert (record.highest_number, record.known) == (42, (OLD,))


def test_two_generations_in_one_slot_are_no_rotation() -> None:
    note = {tags.ROTATION: "web-42-test 41 41 2026-11-18T14:00:00Z"}

    record = adopt("web", an_observation(a_slot(tags={**TAGS[BLUE], **note}), a_slot(GREEN, 4, tags=TAGS[GREEN])))

    assert record.rotation is None


def test_the_note_may_be_on_either_slot() -> None:
    without = {k: v for k, v in TAGS[BLUE].items() if k != tags.ROTATION}
    seen = an_observation(a_slot(tags=without), a_slot(GREEN, 4, "2", tags=TAGS[GREEN]), 100)

    assert rotation_of(adopt("web", seen)).id == "web-42-test"


def test_images_that_are_quarantined_on_the_tags_stay_out_each_once() -> None:
    noted = {tags.QUARANTINE: "ami-1 ami-2"}
    seen = an_observation(a_slot(tags=noted), a_slot(GREEN, 0, tags={tags.QUARANTINE: "ami-2 ami-3"}))

    entries = adopt("web", seen).quarantine

    assert [entry.image for entry in entries] == ["ami-1", "ami-2", "ami-3"]
    assert entries[0] == Quarantined("ami-1", seen.at, Cause.IMAGE, "", "found on the tags of the groups")


def test_a_live_slot_without_a_note_never_gets_the_number_of_another_generation() -> None:
    seen = an_observation(a_slot(), a_slot(GREEN, 0, tags={tags.GENERATION: f"7 {NEW_IMAGE} 3"}))

    record = adopt("web", seen)

    assert record.live == Generation(8, BLUE, UNKNOWN_IMAGE, template_version="1")
    assert generation_in(a_slot(tags={tags.GENERATION: "7 ami-x 3"}), number=9) == Generation(
        7, BLUE, "ami-x", template_version="3"
    )
