"""How owners set up and scale one plain Auto Scaling group, and what a rotation in place makes of it."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from phoenix.core.model import Outcome, Phase
from phoenix.engine.plan import make_plan
from phoenix.engine.request import RollbackRequest, RotateRequest
from phoenix.engine.rollback import rollback
from tests.rotation.conftest import OneOpener as Open
from tests.rotation.one_stage import (
    OneStage,
    assert_new_generation_lives,
    assert_old_generation_is_back,
    during,
    healed,
)
from tests.rotation.stage import BRISK

HTTP = {"gates": [BRISK, {"kind": "http", "path": "/", "port": 8080}]}


def zones(stage: OneStage, state: str = "InService") -> Counter[str]:
    found = [each for each in stage.slot("blue")["Instances"] if each["LifecycleState"] == state]
    return Counter(each["AvailabilityZone"] for each in found)


def mix(stage: OneStage, on_demand: int) -> None:
    """Make the group's launches a mix, of which that many per cent are On-Demand."""
    own = {"LaunchTemplateName": stage.name, "Version": "1"}
    kinds = [{"InstanceType": each} for each in ("m7i.large", "m6i.large", "c7i.large")]
    stage.resize(
        MixedInstancesPolicy={
            "LaunchTemplate": {"LaunchTemplateSpecification": own, "Overrides": kinds},
            "InstancesDistribution": {
                "OnDemandPercentageAboveBaseCapacity": on_demand,
                "SpotAllocationStrategy": "price-capacity-optimized",
            },
        }
    )


# --- launches ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("on_demand", [0, 50])
def test_a_mix_of_types_and_markets_is_kept_as_it_is(open_one: Open, on_demand: int) -> None:
    stage = open_one()
    mix(stage, on_demand)
    before = stage.slot("blue")["MixedInstancesPolicy"]

    stage.rotate()
    assert_new_generation_lives(stage)
    stage.rollback()

    assert_old_generation_is_back(stage)
    after = stage.slot("blue")["MixedInstancesPolicy"]
    assert after["InstancesDistribution"] == before["InstancesDistribution"]
    assert after["LaunchTemplate"]["Overrides"] == before["LaunchTemplate"]["Overrides"]


def test_a_spot_instance_in_reserve_that_aws_takes_back_is_launched_anew(open_one: Open) -> None:
    stage = open_one()
    mix(stage, 0)
    stage.rotate()
    stage.clock.advance(60)
    stage.box.kill_instance(stage.members("Standby")[0])
    stage.clock.advance(60)

    stage.rollback()

    assert_old_generation_is_back(stage)


# --- lifecycle hooks --------------------------------------------------------------------------------------------------


def put_hook(stage: OneStage, transition: str, name: str = "owners", beat: int = 60, result: str = "ABANDON") -> None:
    stage.change(
        "put_lifecycle_hook",
        LifecycleHookName=name,
        LifecycleTransition=f"autoscaling:EC2_INSTANCE_{transition}",
        HeartbeatTimeout=beat,
        DefaultResult=result,
    )


def hooks(stage: OneStage) -> set[str]:
    found = stage.change("describe_lifecycle_hooks")["LifecycleHooks"]
    return {each["LifecycleHookName"] for each in found}


@pytest.mark.parametrize("gates", [{}, HTTP], ids=["health", "held"])
def test_a_launch_hook_of_the_owner_s_is_waited_for_and_stays(open_one: Open, gates: dict[str, Any]) -> None:
    stage = open_one(sections=gates, web_servers=bool(gates))
    put_hook(stage, "LAUNCHING", beat=300)
    before = hooks(stage)

    stage.rotate()
    assert_new_generation_lives(stage)
    stage.rollback()

    assert_old_generation_is_back(stage)
    assert hooks(stage) == before


def test_a_launch_hook_that_an_image_never_answers_leaves_the_old_generation_as_it_was(open_one: Open) -> None:
    stage = open_one(scenario="bad-image")
    put_hook(stage, "LAUNCHING", beat=45)

    stage.rotate()

    assert_old_generation_is_back(stage)


def test_a_termination_hook_is_run_for_each_instance_that_ends_and_for_none_that_stands_by(open_one: Open) -> None:
    stage = open_one("tcp")
    put_hook(stage, "TERMINATING", beat=600, result="CONTINUE")
    stage.rotate()
    waiting_while_hot = stage.members("Terminating:Wait")

    stage.clock.advance(3700)
    stage.tick_until(lambda report: report.record.hot_until is None)

    assert waiting_while_hot == []
    assert stage.numbers == (2, 8, 4)
    assert sum(stage.running().values()) == 4
    stage.clock.advance(700)
    assert len(stage.slot("blue")["Instances"]) == 4


def test_hooks_are_in_the_way_of_a_policy_that_does_not_call_them_harmless(open_one: Open) -> None:
    fleet = {"kind": "in_place", "auto_scaling_group": "api"}
    stage = open_one(sections={"fleet": fleet})

    found = make_plan(stage.group, RotateRequest()).in_the_way

    assert any("hook" in each.name for each in found), [each.name for each in found]


# --- zones ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("strategy", "desired"), [("blue_green", 5), ("rolling", 7)])
def test_zones_are_left_alone_while_a_reserve_makes_them_uneven_and_are_even_afterwards(
    open_one: Open, strategy: str, desired: int
) -> None:
    stage = open_one(strategy=strategy, desired=desired)

    stage.rotate()
    stage.clock.advance(1200)
    hot = (stage.halted, len(stage.members()), len(stage.members("Standby")))
    stage.rollback()
    stage.clock.advance(1200)

    assert hot == ({"AZRebalance"}, desired, desired)
    assert (stage.halted, len(stage.slot("blue")["Instances"])) == (set(), desired)
    spread = zones(stage)
    assert max(spread.values()) - min(spread.values()) <= 1


def test_zones_even_out_once_the_reserve_is_cold(open_one: Open) -> None:
    stage = open_one(desired=5)
    stage.rotate()
    lost = next(iter(zones(stage)))
    for each in stage.slot("blue")["Instances"]:
        if each["AvailabilityZone"] == lost and each["LifecycleState"] == "InService":
            stage.box.kill_instance(each["InstanceId"])

    stage.clock.advance(3700)
    stage.tick_until(lambda report: report.record.hot_until is None)
    stage.clock.advance(1800)

    assert (stage.halted, stage.numbers) == (set(), (2, 12, 5))
    assert sum(zones(stage).values()) == 5
    assert len(stage.slot("blue")["Instances"]) == 5


# --- protection -------------------------------------------------------------------------------------------------------


def protect(stage: OneStage, ids: list[str], protected: bool = True) -> None:
    stage.change("set_instance_protection", InstanceIds=ids, ProtectedFromScaleIn=protected)


def test_an_instance_that_protects_itself_is_in_the_way_before_anything_is_launched(open_one: Open) -> None:
    stage = open_one()
    protect(stage, stage.members()[:1])
    stage.mark()

    plan = make_plan(stage.group, RotateRequest())

    assert any("protect" in each.name for each in plan.in_the_way), [each.name for each in plan.in_the_way]
    assert stage.writes() == []


@pytest.mark.parametrize("lets_go", [False, True])
def test_a_new_instance_that_protects_itself_is_waited_for_on_the_way_back_and_left(
    open_one: Open, lets_go: bool
) -> None:
    stage = open_one(sections={"strategy": {"kind": "canary", "steps": [{"weight": 50, "bake": "10m"}], "bake": "30s"}})
    old = stage.members()
    stage.tick_until(lambda report: "baking" in report.sentence, every=20)
    (busy, *_) = [each for each in stage.members() if each not in old]
    protect(stage, [busy])

    stage.rollback(wait=False)
    stage.tick_until(lambda report: f"but {busy} is protected from scale-in" in report.sentence)
    protect(stage, [busy], protected=not lets_go)
    report = stage.tick_until(lambda _: not stage.rotation.in_flight)
    stage.tick()

    assert stage.rotation.outcome is Outcome.ROLLED_BACK
    assert sorted(stage.members()) == sorted(old if lets_go else [*old, busy])
    assert (f"generation 2 has not gone: {busy} is protected" in report.sentence) is not lets_go


def test_a_group_that_protects_all_its_instances_rotates_and_comes_back(open_one: Open) -> None:
    stage = open_one()
    stage.resize(NewInstancesProtectedFromScaleIn=True)
    protect(stage, stage.members())

    stage.rotate()
    assert_new_generation_lives(stage)
    stage.rollback()

    assert_old_generation_is_back(stage)
    assert stage.slot("blue")["NewInstancesProtectedFromScaleIn"]


# --- the owner's autoscaler -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("strategy", "phase"),
    [
        ("blue_green", Phase.GROWING),
        ("blue_green", Phase.SHRINKING),
        ("blue_green", Phase.BAKING),
        ("rolling", Phase.PROVING),
    ],
)
def test_a_scale_in_while_the_need_is_pinned_takes_nothing(open_one: Open, strategy: str, phase: Phase) -> None:
    stage = open_one(strategy=strategy)
    serving: list[int] = []

    def scale_in() -> None:
        least, _, desired = stage.numbers
        stage.resize(DesiredCapacity=max(least, desired - 1))

    scaled = during(phase, scale_in)

    def watch(report: Any) -> None:
        scaled(report)
        serving.append(stage.serving())

    stage.rotate(watch)

    stage.clock.advance(120)
    assert stage.rotation.outcome is Outcome.SUCCEEDED
    assert (stage.numbers[:2], stage.version) == ((2, 12), "2")
    assert 3 <= stage.numbers[2] <= 4
    assert min(serving) >= 4
    assert healed(stage) == []


@pytest.mark.parametrize("by", [-1, 2])
def test_a_size_that_changes_right_before_a_rotation_is_the_need(open_one: Open, by: int) -> None:
    stage = open_one()
    stage.resize(DesiredCapacity=4 + by)
    stage.clock.advance(120)

    stage.rotate()

    assert_new_generation_lives(stage, 4 + by, 4 + by)


@pytest.mark.parametrize("by", [-1, 2])
def test_autoscaling_on_the_way_back_leaves_no_fewer_than_are_needed(open_one: Open, by: int) -> None:
    stage = open_one()
    stage.rotate()
    stage.clock.advance(60)
    serving: list[int] = []
    done: list[bool] = []

    def watch(_: Any) -> None:
        if not done:
            done.append(True)
            least, most, desired = stage.numbers
            stage.resize(DesiredCapacity=min(most, max(least, desired + by)))
        serving.append(stage.serving())

    stage.rollback(watch)

    stage.clock.advance(300)
    assert stage.rotation.outcome is Outcome.ROLLED_BACK
    assert min(serving) >= 4 - (by < 0)
    assert (stage.version, stage.members("Standby"), stage.halted) == ("1", [], set())
    assert set(stage.running()) == {"api-2026.11.11-41aa07"}
    assert sum(stage.running().values()) == stage.numbers[2] >= 4 - (by < 0)


# --- hooks and the way back -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("phase", [Phase.GROWING, Phase.BAKING])
def test_with_hooks_on_both_ends_a_way_back_in_any_phase_leaves_everything_as_it_was(
    open_one: Open, phase: Phase
) -> None:
    stage = open_one(sections=HTTP, web_servers=True)
    put_hook(stage, "LAUNCHING", beat=300)
    put_hook(stage, "TERMINATING", name="drained", beat=40, result="CONTINUE")
    before = hooks(stage)

    stage.rotate(during(phase, lambda: rollback(stage.driver("there/9", "bob"), RollbackRequest())))

    assert_old_generation_is_back(stage)
    assert hooks(stage) == before
