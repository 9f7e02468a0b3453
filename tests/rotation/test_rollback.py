"""The way back: after a success, out of the middle of a rotation, and with nothing left but the tags."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from phoenix.core.model import Cause, Outcome
from phoenix.engine.report import NotStarted, Report
from phoenix.engine.request import RollbackRequest
from phoenix.engine.rollback import rollback
from phoenix.errors import Blocked
from tests.rotation.conftest import Opener
from tests.rotation.stage import NEW_NAME, OLD_NAME, Stage, a_policy

CANARY = {"kind": "canary", "steps": [{"weight": 20, "bake": "10m"}], "bake": "30s"}
ROLLING = {"kind": "rolling", "batch": "50%", "bake": "15s"}
SHIFTS = {"ModifyListener", "ModifyRule"}


def until_first_write(stage: Stage) -> tuple[list[str], str]:
    """The reads before the first write, and that write."""
    operations = [(call.operation, call.mutating) for call in stage.calls()]
    first = next(i for i, (_, mutating) in enumerate(operations) if mutating)
    return [operation for operation, _ in operations[:first]], operations[first][0]


def assert_back_on_the_first(stage: Stage) -> None:
    stage.clock.advance(120)
    assert stage.share("blue") == (1.0, 1.0)
    assert stage.images("blue") == {OLD_NAME: 4}
    assert (stage.size("blue"), stage.size("green")) == ((2, 12, 4), (0, 0, 0))
    assert stage.suspended("blue") == set()
    assert not any("phoenix:capacity" in stage.tags(slot) for slot in ("blue", "green"))


def in_the_bake(stage: Stage, act: Any) -> Any:
    """A watch that lets another writer act once, when the rotation first bakes."""
    done: list[bool] = []

    def watch(report: Report) -> None:
        if "baking" in report.sentence and not done:
            done.append(True)
            act()

    return watch


def test_a_rollback_returns_to_the_retained_generation(stage: Stage) -> None:
    stage.rotate()

    report = stage.rollback(reason="checkout is slow")

    assert (report.outcome, report.exit_status) == (Outcome.ROLLED_BACK, 0)
    assert_back_on_the_first(stage)
    assert [(q.cause, q.reason) for q in stage.record.quarantine] == [(Cause.OPERATOR, "checkout is slow")]
    assert stage.record.retained is None


def test_a_hot_rollback_reads_four_times_at_most_before_it_shifts(stage: Stage) -> None:
    stage.rotate()
    stage.mark()

    stage.rollback()

    reads, write = until_first_write(stage)
    assert len(reads) <= 4
    assert write in SHIFTS


def test_a_rollback_out_of_a_canary_shifts_first_as_well(open_stage: Opener) -> None:
    stage = open_stage(policy=a_policy(strategy=CANARY))
    stage.tick_until(lambda report: "baking" in report.sentence)
    stage.mark()

    report = stage.rollback()

    reads, write = until_first_write(stage)
    assert (len(reads) <= 4, write in SHIFTS) == (True, True)
    assert report.exit_status == 0
    assert_back_on_the_first(stage)


def test_a_second_rollback_makes_no_write_and_never_goes_forward(stage: Stage) -> None:
    stage.rotate()
    stage.rollback()
    stage.mark()

    report = stage.rollback()

    assert stage.writes() == []
    assert (report.outcome, report.exit_status) == (Outcome.NONE, 0)
    assert report.sentence.startswith("Nothing to do: web is already back on 1.")


def test_a_group_that_was_never_rotated_has_nothing_to_go_back_to(stage: Stage) -> None:
    with pytest.raises(Blocked, match="nothing to go back to") as refused:
        stage.rollback()

    assert (stage.writes(), refused.value.exit_status) == ([], 5)


def test_a_rollback_to_a_generation_that_is_gone_grows_it_before_it_shifts(open_stage: Opener) -> None:
    stage = open_stage(policy=a_policy(strategy=ROLLING))
    stage.rotate()
    stage.mark()

    report = stage.rollback()

    assert stage.writes()[:2] == ["CreateOrUpdateTags", "UpdateAutoScalingGroup"]
    assert report.outcome is Outcome.ROLLED_BACK
    assert_back_on_the_first(stage)


def test_a_cold_generation_comes_back_with_its_own_image(stage: Stage) -> None:
    stage.rotate()
    stage.clock.advance(3601)
    stage.tick_until(lambda _: stage.record.hot_until is None, every=60)
    stage.clock.advance(300)

    report = stage.rollback()

    assert report.outcome is Outcome.ROLLED_BACK
    assert_back_on_the_first(stage)


def test_a_rollback_asks_again_while_aws_refuses_to_answer(stage: Stage) -> None:
    stage.rotate()
    stage.box.throttle(["Describe*"], count=14)
    stage.box.throttle(["ModifyListener"], count=7)

    report = stage.rollback()

    assert (report.outcome, report.exit_status) == (Outcome.ROLLED_BACK, 0)
    assert_back_on_the_first(stage)


def test_forward_again_goes_only_by_number(stage: Stage) -> None:
    stage.rotate()
    stage.rollback()

    report = stage.rollback(to=2, reason="it was the database")

    assert (report.outcome, report.exit_status) == (Outcome.SUCCEEDED, 0)
    assert stage.images("green") == {NEW_NAME: 4}
    assert stage.share("green") == (1.0, 1.0)
    assert stage.record.quarantine == ()


# --- with what is left ------------------------------------------------------------------------------------------------


def rolled_back_from(stage: Stage, **places: Any) -> Report:
    group = stage.wiring("there/2", "bob", **places).group_for_rollback(stage.name)
    return rollback(group, RollbackRequest(reason="it burns"))


def test_a_rollback_needs_no_policy_file(stage: Stage, tmp_path: Path) -> None:
    stage.rotate()
    (tmp_path / "web.yaml").unlink()

    report = rolled_back_from(stage)

    assert report.exit_status == 0
    assert_back_on_the_first(stage)


def test_a_rollback_needs_no_store(stage: Stage, tmp_path: Path) -> None:
    stage.rotate()
    stage.mark()

    report = rolled_back_from(stage, store=f"sqlite:///{tmp_path}/another.db")

    assert until_first_write(stage)[1] in SHIFTS
    assert (report.outcome, report.exit_status) == (Outcome.ROLLED_BACK, 0)
    assert_back_on_the_first(stage)


def test_a_rollback_needs_neither_store_nor_policy_file(stage: Stage, tmp_path: Path) -> None:
    stage.rotate()
    (tmp_path / "web.yaml").unlink()

    report = rolled_back_from(stage, store=f"sqlite:///{tmp_path}/another.db")

    assert (report.outcome, report.exit_status) == (Outcome.ROLLED_BACK, 0)
    assert_back_on_the_first(stage)


def test_the_tags_alone_bring_a_canary_back_out_of_its_bake(open_stage: Opener, tmp_path: Path) -> None:
    stage = open_stage(policy=a_policy(strategy=CANARY))
    stage.tick_until(lambda report: "baking" in report.sentence)
    (tmp_path / "web.yaml").unlink()

    report = rolled_back_from(stage, store=f"sqlite:///{tmp_path}/another.db")

    assert (report.outcome, report.exit_status) == (Outcome.ROLLED_BACK, 0)
    assert_back_on_the_first(stage)


# --- against a driver that goes on ------------------------------------------------------------------------------------


def test_the_driver_that_is_pre_empted_ends_with_exit_status_three(open_stage: Opener) -> None:
    stage = open_stage(policy=a_policy(strategy=CANARY))
    other = stage.driver("there/2", "bob")
    ends: list[Report] = []

    report = stage.rotate(in_the_bake(stage, lambda: ends.append(rollback(other, RollbackRequest()))))

    assert (report.outcome, report.exit_status) == (Outcome.ROLLED_BACK, 3)
    assert "bob is rolling back to generation 1" in report.sentence
    assert ends[0].exit_status == 0
    assert_back_on_the_first(stage)


def test_the_driver_that_is_pre_empted_acts_no_more_while_the_way_back_lasts(open_stage: Opener) -> None:
    stage = open_stage(policy=a_policy(strategy=CANARY))
    other = stage.driver("there/2", "bob")

    def turn() -> None:
        rollback(other, RollbackRequest(wait=False))
        stage.mark()

    report = stage.rotate(in_the_bake(stage, turn))

    assert (stage.writes(), report.exit_status) == ([], 3)
    assert rollback(other, RollbackRequest()).outcome is Outcome.ROLLED_BACK
    assert_back_on_the_first(stage)


# --- another writer has brought it back -------------------------------------------------------------------------------


@pytest.fixture
def brought_back(stage: Stage, tmp_path: Path) -> Stage:
    """A rotation that was rolled back without its store, which still believes that generation 2 is live."""
    stage.rotate()
    rolled_back_from(stage, store=f"sqlite:///{tmp_path}/another.db")
    stage.clock.advance(120)
    stage.mark()
    return stage


def test_a_second_rollback_with_the_store_again_leaves_the_live_generation_alone(brought_back: Stage) -> None:
    report = brought_back.rollback()

    assert (brought_back.writes(), report.exit_status) == (["DeleteTags"], 0)
    assert_back_on_the_first(brought_back)
    assert brought_back.record.live == brought_back.rotation.old


def test_the_next_ticks_quarantine_the_image_that_was_rolled_back_from_elsewhere(brought_back: Stage) -> None:
    ticked = brought_back.tick_until(lambda _: brought_back.record.retained is None)

    with pytest.raises(NotStarted, match="quarantine"):
        brought_back.rotate()

    assert (ticked.exit_status, brought_back.writes()) == (0, ["DeleteTags"])
    assert "phoenix:hold" not in brought_back.tags("blue") | brought_back.tags("green")


def test_a_rotate_that_comes_before_that_tick_finishes_the_rollback_first(brought_back: Stage) -> None:
    report = brought_back.rotate()

    assert (report.outcome, report.exit_status) == (Outcome.ROLLED_BACK, 3)
    assert "phoenix:hold" not in brought_back.tags("blue") | brought_back.tags("green")


def test_the_next_image_is_rotated_to_from_what_is_really_live(brought_back: Stage) -> None:
    brought_back.tick_until(lambda _: brought_back.record.retained is None)
    brought_back.box.bake_image("web-2026.11.19-77d0aa")

    report = brought_back.rotate()

    assert (report.outcome, brought_back.rotation.old.number) == (Outcome.SUCCEEDED, 1)
    assert brought_back.images("green") == {"web-2026.11.19-77d0aa": 4}


def test_nothing_starts_while_the_weights_deny_who_the_record_says_is_live(stage: Stage) -> None:
    stage.rotate()
    stage.shift_by_hand("blue", 100)
    stage.box.bake_image("web-2026.11.19-77d0aa")
    stage.mark()

    with pytest.raises(NotStarted, match="weight"):
        stage.rotate()

    assert (stage.tick().exit_status, stage.writes()) == (0, [])


def test_a_rollback_completes_what_a_person_began_by_hand(stage: Stage) -> None:
    stage.rotate()
    stage.shift_by_hand("blue", 100)

    report = stage.rollback()

    assert (report.outcome, report.exit_status) == (Outcome.ROLLED_BACK, 0)
    assert_back_on_the_first(stage)


# --- right after a start ----------------------------------------------------------------------------------------------


def test_a_rollback_with_another_store_finds_a_rotation_that_was_only_just_begun(stage: Stage, tmp_path: Path) -> None:
    stage.rotate(wait=False)

    report = rolled_back_from(stage, store=f"sqlite:///{tmp_path}/another.db")

    assert report.outcome is Outcome.ROLLED_BACK
    stage.tick_until(lambda _: stage.record.in_flight is None)
    assert stage.rotation.outcome is Outcome.ROLLED_BACK
    assert_back_on_the_first(stage)


def test_it_is_found_on_the_groups_as_soon_as_the_command_has_ended(stage: Stage) -> None:
    stage.mark()

    report = stage.rotate(wait=False)

    assert (report.outcome, report.exit_status) == (Outcome.IN_PROGRESS, 0)
    assert stage.writes() == ["CreateLaunchTemplateVersion", "CreateOrUpdateTags"]
    assert all(stage.rotation.id in stage.tags(slot)["phoenix:rotation"] for slot in ("blue", "green"))
