"""A rotation from the first image to the second, and what each strategy leaves behind."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from phoenix.core.model import Outcome, Slot
from phoenix.sandbox import Call
from tests.rotation.conftest import Opener
from tests.rotation.stage import NEW_NAME, OLD_NAME, Stage, a_policy

BLUE_GREEN = {"kind": "blue_green", "bake": "30s"}
CANARY = {
    "kind": "canary",
    "steps": [{"weight": 5, "bake": "30s"}, {"weight": 50, "bake": "30s"}],
    "bake": "30s",
}
ROLLING = {"kind": "rolling", "batch": "50%", "bake": "15s"}


def test_blue_green_ends_with_all_traffic_on_the_new_image(stage: Stage) -> None:
    report = stage.rotate()

    assert (report.outcome, report.exit_status) == (Outcome.SUCCEEDED, 0)
    assert stage.images("green") == {NEW_NAME: 4}
    assert stage.share("green") == (1.0, 1.0)
    assert stage.share("blue") == (0.0, 0.0)
    assert stage.record.live is not None
    assert (stage.record.live.number, stage.record.live.slot) == (2, Slot.GREEN)


def test_blue_green_retains_exactly_one_earlier_generation_hot(stage: Stage) -> None:
    report = stage.rotate()

    assert stage.images("blue") == {OLD_NAME: 4}
    assert stage.size("blue") == (4, 4, 4)
    assert stage.record.retained is not None
    assert stage.record.retained.number == 1
    assert stage.record.hot_until == report.at + timedelta(hours=1)
    assert (report.rollback_ready.ready, report.rollback_ready.at_once) == (True, True)


def test_a_success_leaves_nothing_temporary_behind(stage: Stage) -> None:
    stage.rotate()

    assert stage.size("green") == (2, 12, 4)
    assert stage.suspended("green") == set()
    assert "phoenix:capacity" not in stage.tags("green")
    assert stage.suspended("blue") == {"ScheduledActions"}


def test_canary_gives_the_traffic_in_the_steps_that_the_policy_names(open_stage: Opener) -> None:
    stage = open_stage(policy=a_policy(strategy=CANARY))
    shares: list[float] = []

    report = stage.rotate(watch=lambda _: shares.append(stage.share("green")[1]))

    assert report.outcome is Outcome.SUCCEEDED
    assert sorted(set(shares)) == [0.0, 0.05, 0.5, 1.0]
    assert shares == sorted(shares)
    assert stage.images("blue") == {OLD_NAME: 4}
    assert report.rollback_ready.at_once


def test_rolling_never_exceeds_the_capacity_that_the_policy_allows(open_stage: Opener) -> None:
    limits = {"min_healthy_percentage": 100, "max_healthy_percentage": 150}
    stage = open_stage(policy=a_policy(strategy=ROLLING, capacity=limits))
    sizes: list[int] = []

    report = stage.rotate(watch=lambda _: sizes.append(stage.staying("blue") + stage.staying("green")))

    assert report.outcome is Outcome.SUCCEEDED
    assert max(sizes) <= 6
    assert stage.images("green") == {NEW_NAME: 4}
    assert stage.staying("blue") == 0


@pytest.mark.parametrize("strategy", [BLUE_GREEN, CANARY, ROLLING], ids=lambda each: each["kind"])
def test_no_request_ever_meets_a_group_that_cannot_answer(open_stage: Opener, strategy: dict[str, Any]) -> None:
    stage = open_stage(policy=a_policy(strategy=strategy))
    fewest: list[int] = []

    def look(call: Call, when: str) -> None:
        serving = [each for each in stage.box.serving().values() if each.highest_share > 0]
        fewest.append(min(each.healthy for each in serving) and sum(each.healthy for each in serving))

    stage.box.intercept(look)
    stage.rotate()
    stage.rollback()

    assert min(fewest) >= 4


def test_rolling_says_that_its_way_back_has_to_grow_first(open_stage: Opener) -> None:
    stage = open_stage(policy=a_policy(strategy=ROLLING))

    report = stage.rotate()

    assert stage.record.retained is not None
    assert stage.record.hot_until is None
    assert (report.rollback_ready.ready, report.rollback_ready.at_once) == (True, False)
    assert "grows and is proved first" in report.rollback_ready.why


def test_the_retained_generation_goes_cold_when_its_time_is_over(stage: Stage) -> None:
    stage.rotate()
    stage.clock.advance(3601)

    stage.tick_until(lambda _: stage.record.hot_until is None, every=60)
    stage.clock.advance(120)

    assert stage.size("blue") == (0, 0, 0)
    assert stage.instances("blue") == []
    assert stage.size("green") == (2, 12, 4)


def test_the_third_generation_takes_the_slot_of_the_first(stage: Stage) -> None:
    stage.rotate()
    stage.box.bake_image("web-2026.11.19-77d0aa")

    report = stage.rotate()

    assert report.outcome is Outcome.SUCCEEDED
    assert stage.images("blue") == {"web-2026.11.19-77d0aa": 4}
    assert stage.images("green") == {NEW_NAME: 4}
    assert [g.number for g in stage.record.known] == [1, 2, 3]


def test_a_tick_every_half_minute_ends_as_a_driver_does(stage: Stage) -> None:
    report = stage.tick_until(lambda _: stage.record.in_flight is None)

    assert report.exit_status == 0
    assert stage.rotation.outcome is Outcome.SUCCEEDED
    assert stage.share("green") == (1.0, 1.0)
    assert stage.size("green") == (2, 12, 4)
