"""The values that everything is made of: what counts as an instance, and what a weight is in per cent."""

from __future__ import annotations

from dataclasses import replace

import pytest

from phoenix.core.model import Judgement, Route, Slot, Verdict
from phoenix.core.rotation import Rotation
from phoenix.core.serving import Serving
from phoenix.core.terms import Step
from tests.builders import CANARY, NOON, a_record, a_rotation, a_slot, an_instance, some_instances
from tests.core.slots import ONCALL

BLUE, GREEN = Slot.BLUE, Slot.GREEN


def percent(blue: int | None, green: int | None) -> tuple[int, int]:
    weights = {slot: weight for slot, weight in ((BLUE, blue), (GREEN, green)) if weight is not None}
    route = Route("arn:rule/1", ":443", weights)
    return route.percent(BLUE), route.percent(GREEN)


@pytest.mark.parametrize(
    ("blue", "green", "expected"),
    [
        (100, 0, (100, 0)),
        (1, None, (100, 0)),
        (0, 0, (0, 0)),
        (None, None, (0, 0)),
        (1, 2, (33, 67)),
        (1, 1, (50, 50)),
        (999, 1, (99, 1)),
        (1, 999, (1, 99)),
        (5, 995, (1, 99)),
    ],
)
def test_only_nothing_is_nothing_and_only_everything_is_everything(
    blue: int | None, green: int | None, expected: tuple[int, int]
) -> None:
    assert percent(blue, green) == expected


@pytest.mark.parametrize(
    ("lifecycle", "in_service", "counts", "leaving"),
    [
        ("InService", True, True, False),
        ("Pending", False, True, False),
        ("Pending:Wait", False, True, False),
        ("Standby", False, False, False),
        ("EnteringStandby", False, False, False),
        ("Terminating", False, False, True),
        ("Terminated", False, False, True),
        ("Detaching", False, False, True),
        ("Detached", False, False, True),
        ("Quarantined", False, True, False),
    ],
)
def test_an_instance_serves_counts_or_leaves_by_its_lifecycle(
    lifecycle: str, in_service: bool, counts: bool, leaving: bool
) -> None:
    instance = an_instance(lifecycle=lifecycle)

    assert (instance.in_service, instance.counts, instance.leaving) == (in_service, counts, leaving)


def test_the_instances_of_a_version_are_its_own_and_without_a_version_all() -> None:
    one, two = some_instances(2)
    drifted = an_instance(3, template_version="7")
    slot = a_slot(instances=(one, drifted, two))

    assert slot.of_version("1") == (one, two)
    assert slot.of_version(None) == (one, drifted, two)
    assert slot.of_version("9") == ()


def test_each_slot_trades_places_with_the_other() -> None:
    assert (BLUE.other, GREEN.other) == (GREEN, BLUE)


@pytest.mark.parametrize(("step", "expected"), [(0, CANARY[0]), (1, CANARY[0]), (2, CANARY[1]), (3, CANARY[2])])
def test_the_current_step_is_counted_from_one_and_before_it_the_first(step: int, expected: Step) -> None:
    assert a_rotation(CANARY, step=step).current == expected


def test_the_way_back_is_a_step_like_any_other() -> None:
    assert a_rotation(CANARY, step=2, back=ONCALL).current == Step(0, 100, 0)


@pytest.mark.parametrize(("step", "is_last"), [(0, False), (2, False), (3, True), (4, True)])
def test_after_the_last_step_none_follows(step: int, is_last: bool) -> None:
    assert a_rotation(CANARY, step=step).is_last_step is is_last


@pytest.mark.parametrize(
    ("rotation", "in_flight"), [(None, False), (a_rotation(), True), (a_rotation(ended_at=NOON), False)]
)
def test_a_rotation_is_in_flight_until_it_has_ended(rotation: Rotation | None, in_flight: bool) -> None:
    assert (a_record(rotation).in_flight is not None) is in_flight


@pytest.mark.parametrize(
    ("weights", "reserve", "keeps_hot"),
    [(True, False, True), (False, True, True), (True, True, True), (False, False, False)],
)
def test_what_needs_no_work_done_can_be_kept_hot_by_weights_or_by_a_reserve(
    weights: bool, reserve: bool, keeps_hot: bool
) -> None:
    assert Serving.of(weights=weights, health=True, reserve=reserve) == Serving(weights, True, keeps_hot)


def test_a_gates_memo_lasts_until_it_says_otherwise() -> None:
    said, silent = Verdict("http", Judgement.WAIT, "asked", memo="one"), Verdict("alarm", Judgement.PASS, "quiet")
    rotation = a_rotation().look(NOON, 4, (silent, said))

    assert (rotation.memo_of("http"), rotation.memo_of("alarm")) == ("one", "")
    assert rotation.look(NOON, 4, (silent,)).memo_of("http") == "one"
    assert rotation.look(NOON, 4, (replace(said, memo=""),)).memo_of("http") == ""
