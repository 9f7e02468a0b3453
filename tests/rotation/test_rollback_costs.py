"""What a rollback costs in every situation in which an operator may type it: the calls before traffic moves, counted.

The figures are those of docs/operations.md; a test holds the table there against them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from phoenix.core.model import Outcome
from phoenix.engine.report import Report
from phoenix.engine.request import RollbackRequest, RotateRequest
from phoenix.engine.rollback import rollback
from phoenix.engine.rotate import rotate
from phoenix.engine.tick import tick
from phoenix.errors import Blocked
from phoenix.ports import Lease
from tests.rotation.conftest import Opener
from tests.rotation.costs import (
    COSTS,
    NONE,
    SHIFT,
    Cost,
    assert_back_on_the_first,
    cost_of,
    elsewhere,
    moves_traffic,
    resting,
    rotated,
    word_left,
)
from tests.rotation.stage import OLD_NAME, Stage, a_policy

OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"
CANARY = {"kind": "canary", "steps": [{"weight": 20, "bake": "10m"}], "bake": "30s"}
ROLLING = {"kind": "rolling", "batch": "50%", "pause": "10m", "bake": "30s"}
WITHOUT_STORE = "rolled back without the store"


# --- in flight --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", ["waiting for generation 2, 0 of 4", "waiting for generation 2, target_health"])
def test_during_the_launch_there_is_no_traffic_to_move_and_the_candidate_goes(stage: Stage, words: str) -> None:
    report = resting(stage, words).rollback()

    assert report.exit_status == 0
    assert cost_of(stage) == COSTS["during the launch, or before it"]
    assert not any(moves_traffic(call) for call in stage.calls() if call.mutating)
    assert_back_on_the_first(stage)


def test_during_a_bake_of_a_canary_the_shift_is_first(open_stage: Opener) -> None:
    stage = resting(open_stage(policy=a_policy(strategy=CANARY)), "baking at 20 %")

    report = stage.rollback()

    assert report.exit_status == 0
    assert cost_of(stage) == COSTS["during a bake of a canary"]
    assert_back_on_the_first(stage)


def test_during_the_last_bake_the_shift_is_first(stage: Stage) -> None:
    report = resting(stage, "baking at 100 %").rollback()

    assert report.exit_status == 0
    assert cost_of(stage) == COSTS["during the last bake"]
    assert_back_on_the_first(stage)


def test_in_the_middle_of_rolling_it_grows_before_it_shifts(open_stage: Opener) -> None:
    stage = resting(open_stage(policy=a_policy(strategy=ROLLING)), "baking at 50 %")

    report = stage.rollback()

    assert report.exit_status == 0
    assert cost_of(stage) == COSTS["in the middle of `rolling`"]
    assert_back_on_the_first(stage)


def test_in_the_middle_of_rolling_now_shifts_first_and_says_before_what_that_leaves(open_stage: Opener) -> None:
    stage = resting(open_stage(policy=a_policy(strategy=ROLLING)), "baking at 50 %")
    said: list[tuple[str, list[str]]] = []

    report = rollback(stage.group, RollbackRequest(now=True), say=lambda text: said.append((text, stage.writes())))

    told = "--now: traffic goes to generation 1 with 2 of 4 healthy: 50 % of the capacity"
    assert said == [(told, [])]
    assert cost_of(stage) == COSTS["in the middle of `rolling`, with `--now`"]
    assert (report.exit_status, report.sentence.startswith(told)) == (0, True)
    assert told in [event.text for event in stage.rotation.events]
    assert_back_on_the_first(stage)


def test_without_a_load_balancer_there_is_nothing_to_shift(open_stage: Opener) -> None:
    strategy = {"kind": "rolling", "batch": "50%", "bake": "30s"}
    workers = a_policy("workers", traffic={"kind": "none"}, strategy=strategy, gates=None)
    stage = rotated(open_stage("workers", policy=workers))

    report = stage.rollback()

    assert report.exit_status == 0
    assert cost_of(stage) == COSTS["without a load balancer"]
    assert (stage.size("blue"), stage.size("green")) == ((2, 12, 4), (0, 0, 0))


# --- after a success --------------------------------------------------------------------------------------------------


def test_after_the_success_while_it_is_hot_the_shift_is_first(stage: Stage) -> None:
    group = rotated(stage).wiring().group_from_record("web")
    assert group is not None

    report = rollback(group, RollbackRequest())

    assert report.exit_status == 0
    assert cost_of(stage) == COSTS["after the success, while hot"]
    assert_back_on_the_first(stage)


def test_a_hot_one_that_has_become_too_small_grows_before_it_shifts(stage: Stage) -> None:
    rotated(stage).resize("green", DesiredCapacity=8)
    stage.clock.advance(300)

    report = stage.rollback()

    assert report.exit_status == 0
    assert cost_of(stage) == COSTS["hot, but the live one has grown since"]
    assert_back_on_the_first(stage, desired=8)


def test_with_now_a_hot_one_of_which_some_are_unhealthy_is_shifted_to_at_once(stage: Stage) -> None:
    ill = rotated(stage).instances("blue")[0]
    stage.box.make_unhealthy(ill["InstanceId"])
    stage.clock.advance(12)

    report = stage.rollback(now=True)

    assert report.exit_status == 0
    assert cost_of(stage) == COSTS["hot, but some are unhealthy, with `--now`"]
    assert "3 of 4 healthy: 75 %" in report.sentence


def test_a_cold_one_is_grown_and_proved_before_the_shift(stage: Stage) -> None:
    rotated(stage).clock.advance(3601)
    stage.tick_until(lambda _: stage.record.hot_until is None, every=60)
    stage.clock.advance(300)
    stage.mark()

    report = stage.rollback()

    assert report.exit_status == 0
    assert cost_of(stage) == COSTS["gone cold"]
    assert_back_on_the_first(stage)


def test_the_second_one_writes_nothing(stage: Stage) -> None:
    rotated(stage).rollback()
    stage.mark()

    report = stage.rollback()

    assert (report.outcome, report.exit_status) == (Outcome.NONE, 0)
    assert cost_of(stage) == COSTS["for the second time"]


# --- nothing retained -------------------------------------------------------------------------------------------------


def forgotten(stage: Stage) -> Stage:
    """What was retained is not any more, as after its slot was needed for something else."""
    stage.group.store.save(replace(rotated(stage).record, retained=None, hot_until=None))
    return stage


def test_with_nothing_retained_it_says_so_and_offers_the_last_good_image(stage: Stage) -> None:
    with pytest.raises(Blocked, match="nothing is retained; the last good image was ami-") as refused:
        forgotten(stage).rollback()

    assert (refused.value.exit_status, refused.value.hint) == (5, "phoenix rollback --group web --to 1")
    assert cost_of(stage) == COSTS["with nothing retained"]


def test_what_it_offers_works(stage: Stage) -> None:
    report = forgotten(stage).rollback(to=1)

    assert (report.outcome, report.exit_status) == (Outcome.SUCCEEDED, 0)
    assert stage.images("blue") == {OLD_NAME: 4}


def test_a_group_that_was_never_rotated_offers_to_look_at_the_images(stage: Stage) -> None:
    stage.mark()

    with pytest.raises(Blocked, match="no image before it is known") as refused:
        stage.rollback()

    assert (refused.value.hint, stage.writes()) == ("phoenix images --group web", [])


# --- another driver has the group -------------------------------------------------------------------------------------


class Meddled:
    """A store in which something happens right before its driver's second action of a tick."""

    def __init__(self, store: Any, happen: Callable[[], None]) -> None:
        self._store, self._happen, self._asked = store, happen, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def holds(self, lease: Lease) -> bool:
        self._asked += 1
        if self._asked == 2:
            self._happen()
        return bool(self._store.holds(lease))


def test_a_rollback_raises_the_epoch_and_the_other_driver_stops_before_its_next_action(stage: Stage) -> None:
    epochs: list[int] = []

    def meddle() -> None:
        epochs.append(_epoch(stage.group.store.lease_of("web")))
        stage.mark()
        rollback(stage.driver("there/2", "bob"), RollbackRequest(), lambda report: epochs.append(_epoch(report.lease)))
        stage.clock.advance(120)
        stage.mark()

    driver: Any = replace(stage.group, store=Meddled(stage.group.store, meddle))
    report = rotate(driver, RotateRequest())

    assert (report.outcome, report.exit_status, stage.writes()) == (Outcome.ROLLED_BACK, 3, [])
    assert epochs[1] > epochs[0]
    assert_back_on_the_first(stage)


def _epoch(lease: Lease | None) -> int:
    assert lease is not None
    return lease.epoch


def test_taking_a_group_over_costs_no_call(open_stage: Opener) -> None:
    stage = open_stage(policy=a_policy(strategy=CANARY))
    costs: list[Cost] = []

    def seize(report: Report) -> None:
        if "baking at 20 %" in report.sentence and not costs:
            stage.mark()
            rollback(stage.driver("there/2", "bob"), RollbackRequest())
            costs.append(cost_of(stage))

    report = stage.rotate(seize)

    assert (report.exit_status, costs) == (3, [COSTS["while another driver drives"]])
    assert_back_on_the_first(stage)


# --- something is missing ---------------------------------------------------------------------------------------------


def test_reads_that_are_throttled_are_made_again(stage: Stage) -> None:
    rotated(stage).box.throttle(["DescribeAutoScalingGroups"], count=1)
    stage.box.throttle(["DescribeTargetHealth"], count=1)
    stage.box.throttle(["DescribeRules"], count=1)

    report = stage.rollback()

    assert report.exit_status == 0
    assert cost_of(stage) == COSTS["while reads are throttled, each once"]
    assert_back_on_the_first(stage)


def test_with_its_store_deleted_the_tags_bring_it_back(stage: Stage) -> None:
    for file in rotated(stage).folder.glob("phoenix.db*"):
        file.unlink()

    report = rollback(elsewhere(stage), RollbackRequest())

    assert report.exit_status == 0
    assert cost_of(stage) == COSTS["the store deleted, or out of reach"]
    assert_back_on_the_first(stage)


def test_with_its_store_out_of_reach_it_leaves_word_that_the_next_tick_understands(stage: Stage) -> None:
    store, aside = stage.folder / "phoenix.db", stage.folder / "aside.db"
    rotated(stage)
    store.rename(aside)
    store.mkdir()

    report = rollback(elsewhere(stage), RollbackRequest())

    assert report.exit_status == 0
    assert cost_of(stage) == COSTS["the store deleted, or out of reach"]
    assert word_left(stage) == {True}
    store.rmdir()
    aside.rename(store)
    stage.tick_until(lambda _: stage.record.in_flight is None and stage.record.retained is None)
    assert ([q.reason for q in stage.record.quarantine], word_left(stage)) == ([WITHOUT_STORE], {False})
    assert_back_on_the_first(stage)


def test_with_neither_store_nor_policy_file_the_tags_suffice(stage: Stage) -> None:
    (rotated(stage).folder / "web.yaml").unlink()

    report = rollback(elsewhere(stage, store=f"sqlite:///{stage.folder}/another.db"), RollbackRequest())

    assert report.exit_status == 0
    assert cost_of(stage) == COSTS["neither store nor policy file"]


def test_a_store_that_begins_anew_after_that_leaves_the_image_alone_and_clears_the_word_with_its_next_rotation(
    stage: Stage,
) -> None:
    for file in rotated(stage).folder.glob("phoenix.db*"):
        file.unlink()
    rollback(elsewhere(stage), RollbackRequest())
    server, stage.marked = stage.driver("server/1"), len(stage.box.calls)

    assert (tick(server).exit_status, stage.writes(), word_left(stage)) == (0, [], {True})
    stage.box.bake_image("web-2026.11.19-77d0aa")
    assert rotate(server, RotateRequest()).outcome is Outcome.SUCCEEDED

    assert (stage.images("green"), word_left(stage)) == ({"web-2026.11.19-77d0aa": 4}, {False})


# --- the table in the docs --------------------------------------------------------------------------------------------


def test_the_runbook_shows_these_figures() -> None:
    section = OPERATIONS.read_text(encoding="utf-8").split("## What a rollback costs")[1].split("\n### ")[0]
    rows = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in section.splitlines() if "|" in line]

    shown = {row[0]: (row[1], row[2], row[3]) for row in rows[2:]}

    assert shown == {each: (str(c.reads), _written(c.first), _before(each, c)) for each, c in COSTS.items()}


def _written(first: str) -> str:
    return first if first in (SHIFT, NONE) else f"`{first}`"


def _before(situation: str, cost: Cost) -> str:
    nothing_moves = cost.first == NONE or re.match("during the launch|without a load", situation)
    return "nothing moves" if nothing_moves else str(cost.writes)
