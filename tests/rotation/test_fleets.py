"""The example fleets, each with the policy that ships for it: there, and back again."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from phoenix.core.model import Outcome
from phoenix.engine.control import promote
from phoenix.engine.report import Report
from tests.rotation.conftest import Opener
from tests.rotation.stage import EXAMPLES, Stage


def the_example(open_stage: Opener, group: str, **options: Any) -> Stage:
    """The fleet of that name, with its real file from policies/."""
    policy = yaml.safe_load((EXAMPLES / f"{group}.yaml").read_text(encoding="utf-8"))
    return open_stage(group, policy=policy, **options)


def promoting(stage: Stage) -> Any:
    """A watch that does what the example's manual step waits for."""

    def watch(report: Report) -> None:
        if "until promoted" in report.sentence:
            promote(stage.group)

    return watch


def newest(group: str) -> str:
    return f"{group}-2026.11.18-9f2c1e"


@pytest.mark.parametrize("group", ["web", "internal", "elastic", "single", "edge"])
def test_an_example_behind_a_load_balancer_is_rotated(open_stage: Opener, group: str) -> None:
    stage = the_example(open_stage, group, web_servers=group == "web")
    before = stage.size("blue")

    report = stage.rotate(promoting(stage))

    assert (report.outcome, report.exit_status, report.rollback_ready.at_once) == (Outcome.SUCCEEDED, 0, True)
    assert stage.images("green") == {newest(group): before[2]}
    assert (stage.size("green"), stage.suspended("green")) == (before, set())
    assert stage.share("blue") == (0.0, 0.0)


@pytest.mark.parametrize("group", ["web", "internal", "elastic", "single", "edge"])
def test_an_example_behind_a_load_balancer_is_rolled_back_with_its_first_write(open_stage: Opener, group: str) -> None:
    stage = the_example(open_stage, group, web_servers=group == "web")
    before = stage.size("blue")
    stage.rotate(promoting(stage))
    stage.mark()

    report = stage.rollback()

    assert report.exit_status == 0
    assert stage.writes()[0] in ("ModifyListener", "ModifyRule")
    assert (stage.size("blue"), stage.size("green")) == (before, (0, 0, 0))
    assert stage.share("green") == (0.0, 0.0)


def test_the_workers_are_rotated_batch_by_batch_and_both_generations_work(open_stage: Opener) -> None:
    stage = the_example(open_stage, "workers")
    working: list[int] = []

    report = stage.rotate(watch=lambda _: working.append(stage.staying("blue") + stage.staying("green")))

    assert report.outcome is Outcome.SUCCEEDED
    assert (min(working), max(working)) == (4, 5)
    assert (stage.images("green"), stage.size("green")) == ({newest("workers"): 4}, (2, 12, 4))
    assert stage.staying("blue") == 0


def test_the_workers_come_back_by_growing_first(open_stage: Opener) -> None:
    stage = the_example(open_stage, "workers")
    stage.rotate()
    stage.mark()

    report = stage.rollback()

    stage.clock.advance(120)
    assert (report.outcome, report.exit_status) == (Outcome.ROLLED_BACK, 0)
    assert (stage.size("blue"), stage.size("green")) == ((2, 12, 4), (0, 0, 0))
    assert stage.images("blue") == {"workers-2026.11.11-41aa07": 4}
    assert not {"ModifyListener", "ModifyRule"} & set(stage.writes())


def test_the_elastic_tier_doubles_in_the_middle_and_nothing_is_lost(open_stage: Opener) -> None:
    stage = the_example(open_stage, "elastic")
    stage.tick_until(lambda report: "baking at 10 %" in report.sentence)
    stage.resize(DesiredCapacity=8)

    report = stage.rotate(promoting(stage))

    assert report.outcome is Outcome.SUCCEEDED
    assert stage.images("green") == {newest("elastic"): 8}
    assert stage.size("green") == (2, 24, 8)
    assert report.rollback_ready.at_once


def test_the_elastic_tier_comes_back_at_the_size_that_it_has_grown_to(open_stage: Opener) -> None:
    stage = the_example(open_stage, "elastic")
    stage.tick_until(lambda report: "baking at 10 %" in report.sentence)
    stage.resize(DesiredCapacity=8)
    stage.rotate(promoting(stage))

    stage.rollback()

    assert stage.size("blue") == (2, 24, 8)
    assert stage.box.serving()["elastic-blue"].healthy == 8


def test_the_retained_generation_of_the_elastic_tier_follows_its_load(open_stage: Opener) -> None:
    stage = the_example(open_stage, "elastic")
    stage.rotate(promoting(stage))
    stage.resize("green", DesiredCapacity=10)

    stage.tick()
    stage.clock.advance(120)

    assert stage.size("blue") == (10, 10, 10)
    assert stage.look().rollback_ready.at_once


def test_the_group_of_one_is_two_for_a_while_and_never_none(open_stage: Opener) -> None:
    stage = the_example(open_stage, "single")
    serving: list[int] = []

    def count(_: Report) -> None:
        now = stage.box.serving().values()
        serving.append(sum(each.healthy for each in now if each.highest_share > 0))

    stage.rotate(watch=count)

    assert min(serving) == 1
    assert (stage.size("green"), len(stage.instances("blue"))) == ((1, 2, 1), 1)


def test_the_group_of_one_waits_for_a_person_when_its_image_is_bad(open_stage: Opener) -> None:
    stage = the_example(open_stage, "single", scenario="bad-image")

    report = stage.rotate()

    assert (report.outcome, report.exit_status) == (Outcome.HELD, 1)
    assert stage.share("blue") == (1.0, 1.0)


def test_the_web_tier_gives_no_traffic_to_an_image_that_answers_with_errors(open_stage: Opener) -> None:
    stage = the_example(open_stage, "web", scenario="bad-image", web_servers=True)

    report = stage.rotate()

    assert (report.outcome, report.exit_status) == (Outcome.ROLLED_BACK, 3)
    # Its slot leaves the rules in the end: they are written, and never with a weight for it.
    assert set(stage.weights_written("green")) == {0}
