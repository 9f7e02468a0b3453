"""What phoenix remembers by ARN, id or number has been replaced by the owner's IaC: it is found again, or said.

Behind the live weight there is never another image than that of the generation that is named live.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from phoenix.core.model import Outcome, Slot
from phoenix.engine.group import Group
from phoenix.engine.look import look
from phoenix.engine.plan import make_plan
from phoenix.engine.report import NotStarted
from phoenix.engine.request import RollbackRequest, RotateRequest
from phoenix.engine.rollback import rollback
from phoenix.engine.rotate import rotate
from phoenix.engine.tick import tick
from phoenix.errors import Blocked
from tests.rotation import iac
from tests.rotation.conftest import Opener
from tests.rotation.costs import COSTS, cost_of, rotated
from tests.rotation.stage import NEW_NAME, OLD_NAME, Stage, a_policy, write_policy


def assert_back_on_old(stage: Stage) -> None:
    stage.clock.advance(60)
    assert set(stage.images("blue")) == {OLD_NAME}
    assert share_of(stage, "blue") == 100


def share_of(stage: Stage, slot: str) -> float:
    """The least share of the pair that the slot's target group has by any rule, in per cent, as AWS describes it."""
    own = iac.target_group(stage, slot)["TargetGroupArn"]
    shares = []
    for rule in stage.rules():
        weights = {
            g["TargetGroupArn"]: int(g["Weight"])
            for g in rule["Actions"][0].get("ForwardConfig", {}).get("TargetGroups", [])
        }
        if own in weights:
            shares.append(100 * weights[own] / sum(weights.values()))
    return min(shares, default=0.0)


# --- target groups, listeners and rules -------------------------------------------------------------------------------

ROUTES: dict[str, Callable[[Stage], object]] = {
    "the retained slot's target group": lambda stage: iac.replace_target_group(stage, "blue"),
    "the live slot's target group": lambda stage: iac.replace_target_group(stage, "green"),
    "the rules": iac.replace_rules,
    "the listeners": iac.replace_listeners,
    "the load balancer": iac.replace_balancer,
}


@pytest.mark.parametrize("what", ROUTES)
def test_after_a_replacement_at_rest_every_command_works_and_a_rollback_moves_the_traffic(
    stage: Stage, what: str
) -> None:
    rotated(stage)
    ROUTES[what](stage)

    assert stage.look().exit_status == 0
    assert stage.look().rollback_ready.at_once
    assert stage.tick().exit_status == 0
    assert stage.rollback().outcome is Outcome.ROLLED_BACK
    assert_back_on_old(stage)


@pytest.mark.parametrize("what", ROUTES)
def test_after_a_replacement_at_rest_the_next_rotation_goes_through(stage: Stage, what: str) -> None:
    rotated(stage)
    ROUTES[what](stage)

    assert stage.rotate(force=True).outcome is Outcome.SUCCEEDED
    assert share_of(stage, "blue") == 100


@pytest.mark.parametrize("what", ROUTES)
def test_a_replacement_during_the_last_bake_does_not_keep_a_rollback_from_moving_the_traffic(
    open_stage: Opener, what: str
) -> None:
    stage = open_stage(policy=a_policy(strategy={"kind": "blue_green", "bake": "30m"}))
    stage.tick_until(lambda report: "baking at 100 %" in report.sentence)
    ROUTES[what](stage)

    assert stage.rollback().outcome is Outcome.ROLLED_BACK
    assert_back_on_old(stage)


@pytest.mark.parametrize("what", ["the rules", "the listeners"])
def test_a_replacement_during_a_rotation_is_found_and_the_rotation_ends(open_stage: Opener, what: str) -> None:
    stage = open_stage(policy=a_policy(strategy={"kind": "blue_green", "bake": "5m"}))
    stage.tick_until(lambda report: "baking at 100 %" in report.sentence)
    ROUTES[what](stage)

    stage.tick_until(lambda report: report.record.in_flight is None)

    assert stage.rotation.outcome is Outcome.SUCCEEDED
    assert set(stage.images("green")) == {NEW_NAME}


def test_a_target_group_that_is_attached_beside_the_old_one_is_found_before_the_old_one_goes(stage: Stage) -> None:
    rotated(stage)
    old = iac.target_group(stage, "blue")["TargetGroupArn"]
    new = iac.make_target_group(stage, "blue", "web-blue-new")
    iac.attach(stage, "blue", new)
    iac.reroute(stage, {old: new})
    stage.clock.advance(60)

    assert stage.look().exit_status == 0
    iac.detach(stage, "blue", old)

    assert stage.rollback().outcome is Outcome.ROLLED_BACK
    assert share_of(stage, "blue") == 100


def test_a_target_group_that_is_deleted_while_the_group_still_names_it_serves_no_user_and_stops_nothing(
    stage: Stage,
) -> None:
    rotated(stage)
    old = iac.target_group(stage, "blue")["TargetGroupArn"]
    new = iac.make_target_group(stage, "blue", "web-blue-new")
    iac.attach(stage, "blue", new)
    iac.reroute(stage, {old: new})
    iac.delete_target_group(stage, old)
    stage.clock.advance(60)

    assert stage.look().rollback_ready.at_once
    assert stage.rollback().outcome is Outcome.ROLLED_BACK


def unroute(stage: Stage) -> None:
    """What is left when the load balancer is gone, and nothing has come in its place."""
    with stage.unnoticed():
        elbv2 = stage.client("elbv2")
        for balancer in elbv2.describe_load_balancers()["LoadBalancers"]:
            elbv2.delete_load_balancer(LoadBalancerArn=balancer["LoadBalancerArn"])


def test_without_any_route_a_rollback_refuses_and_changes_nothing(stage: Stage) -> None:
    rotated(stage)
    unroute(stage)

    with pytest.raises(Blocked, match="no listener and no rule forwards to a target group of web-blue nor web-green"):
        stage.rollback()

    assert stage.writes() == []
    assert stage.look().exit_status == 0


def test_a_rotation_whose_routes_are_all_gone_is_held_and_says_so(open_stage: Opener) -> None:
    stage = open_stage(policy=a_policy(strategy={"kind": "blue_green", "bake": "5m"}))
    stage.tick_until(lambda report: "baking at 100 %" in report.sentence)
    unroute(stage)
    stage.mark()

    assert stage.tick().outcome is Outcome.HELD
    assert "no listener and no rule forwards" in stage.tick().sentence
    assert stage.writes() == []


# --- launch templates and images --------------------------------------------------------------------------------------

COLD = {"hot_for": "0s"}


def cold(open_stage: Opener) -> Stage:
    """Rotated, and the generation before is cold."""
    stage = rotated(open_stage(policy=a_policy(retain=COLD)))
    stage.clock.advance(600)
    assert stage.instances("blue") == []
    return stage


@pytest.mark.parametrize("image", [OLD_NAME, NEW_NAME])
def test_a_cold_generation_whose_template_was_replaced_comes_back_with_its_own_image(
    open_stage: Opener, image: str
) -> None:
    stage = cold(open_stage)
    new = iac.replace_template(stage, image)

    report = stage.rollback()

    assert report.outcome is Outcome.ROLLED_BACK
    assert_back_on_old(stage)
    assert stage.slot("blue")["LaunchTemplate"]["LaunchTemplateId"] == new
    assert stage.tags("blue")["phoenix:generation"].endswith(new)


def test_a_rollback_by_the_tags_alone_knows_a_replaced_template_too(open_stage: Opener) -> None:
    stage = cold(open_stage)
    iac.replace_template(stage, NEW_NAME)
    for path in stage.folder.glob("phoenix.db*"):
        path.unlink()

    assert stage.rollback().outcome is Outcome.ROLLED_BACK
    assert_back_on_old(stage)


def test_an_image_that_is_gone_is_said_before_anything_is_changed(open_stage: Opener) -> None:
    stage = cold(open_stage)
    gone = iac.image(stage, OLD_NAME)
    iac.replace_template(stage, NEW_NAME)
    with stage.unnoticed():
        stage.client("ec2").deregister_image(ImageId=gone)

    with pytest.raises(Blocked, match=f"generation 1 cannot be launched again: {gone} is gone"):
        stage.rollback()

    assert stage.writes() == []


def test_a_hot_generation_whose_template_was_replaced_gets_the_traffic_first_and_its_own_launches_after(
    stage: Stage,
) -> None:
    rotated(stage)
    iac.replace_template(stage, NEW_NAME)

    report = stage.rollback()

    assert report.outcome is Outcome.ROLLED_BACK
    assert cost_of(stage) == COSTS["after the success, while hot"]
    stage.resize("blue", DesiredCapacity=6)
    assert_back_on_old(stage)


def test_what_aws_has_launched_into_the_retained_slot_from_another_template_gets_no_traffic(stage: Stage) -> None:
    rotated(stage)
    iac.replace_template(stage, NEW_NAME)
    stage.box.kill_instance(stage.instances("blue")[0]["InstanceId"])
    stage.clock.advance(300)
    assert set(stage.images("blue")) == {OLD_NAME, NEW_NAME}
    behind: list[set[str]] = []

    report = stage.rollback(
        watch=lambda _: behind.append(set(stage.images("blue")) if share_of(stage, "blue") else set())
    )

    assert report.outcome is Outcome.ROLLED_BACK
    assert {NEW_NAME} not in behind
    assert_back_on_old(stage)


def test_a_retained_generation_does_not_grow_from_another_template(stage: Stage) -> None:
    rotated(stage)
    iac.replace_template(stage, NEW_NAME)
    stage.resize("green", DesiredCapacity=6)

    stage.tick()
    stage.clock.advance(120)

    assert set(stage.images("blue")) == {OLD_NAME}


def test_a_generation_that_is_asked_for_by_its_number_comes_with_its_own_image(open_stage: Opener) -> None:
    stage = cold(open_stage)
    assert stage.rollback().outcome is Outcome.ROLLED_BACK
    stage.clock.advance(600)
    iac.replace_template(stage, OLD_NAME)

    assert stage.rollback(to=2).outcome is Outcome.SUCCEEDED
    assert set(stage.images("green")) == {NEW_NAME}


def test_the_generation_before_is_the_image_that_ran_whatever_the_group_was_set_to_meanwhile(
    open_stage: Opener,
) -> None:
    stage = open_stage(policy=a_policy(retain=COLD))
    iac.replace_template(stage, NEW_NAME)
    assert stage.rotate(force=True).outcome is Outcome.SUCCEEDED
    stage.clock.advance(600)

    assert stage.rollback().outcome is Outcome.ROLLED_BACK
    assert_back_on_old(stage)


def test_status_says_what_a_rollback_does_about_a_template_that_was_replaced(open_stage: Opener) -> None:
    stage = cold(open_stage)
    new = iac.replace_template(stage, NEW_NAME)

    ready = stage.look().rollback_ready

    assert ready.ready
    assert f"web-blue launches from {new} now, not from lt-" in ready.why


# --- Auto Scaling groups ----------------------------------------------------------------------------------------------


def rename(stage: Stage) -> Group:
    """The policy names other groups from now on; as another driver finds it."""
    write_policy(stage.folder, a_policy(fleet={"kind": "pair", "blue": "internal-blue", "green": "internal-green"}))
    return stage.driver("there/2")


def test_while_a_generation_is_hot_in_the_groups_before_a_policy_that_names_others_changes_nothing(
    stage: Stage,
) -> None:
    rotated(stage)
    group = rename(stage)

    told = look(group).other_groups
    assert told is not None
    assert "generation 1 is kept hot in web-blue and web-green until" in told
    with pytest.raises(NotStarted, match="other-groups"):
        rotate(group, RotateRequest(force=True))
    assert stage.writes() == []
    assert rollback(group, RollbackRequest()).outcome is Outcome.ROLLED_BACK
    assert_back_on_old(stage)


def test_a_rotation_in_flight_ends_in_its_own_groups_and_the_next_baseline_is_of_the_others(
    open_stage: Opener,
) -> None:
    stage = open_stage(policy=a_policy(retain=COLD))
    stage.tick_until(lambda report: "baking at 100 %" in report.sentence)
    group = rename(stage)
    assert look(group).other_groups is not None
    while stage.record.in_flight is not None:
        tick(group)
        stage.clock.advance(60)

    anew = stage.driver("there/3")
    record = anew.store.load(stage.name)

    assert set(stage.images("green")) == {NEW_NAME}
    assert (anew.slots, anew.awaited) == ({Slot.BLUE: "internal-blue", Slot.GREEN: "internal-green"}, ())
    assert record is not None
    assert (record.live, record.retained, record.rotation, record.highest_number) == (None, None, None, 2)


def test_a_target_group_that_both_slots_register_with_is_named_and_nothing_is_moved(stage: Stage) -> None:
    iac.attach(stage, "green", iac.target_group(stage, "blue")["TargetGroupArn"])

    with pytest.raises(NotStarted, match="shared-target-group") as refused:
        stage.rotate()

    assert refused.value.exit_status == 5
    (blocker,) = make_plan(stage.group, RotateRequest()).in_the_way
    assert blocker.remedy is not None
    assert "detach-traffic-sources --auto-scaling-group-name web-green" in blocker.remedy
    assert stage.writes() == []
