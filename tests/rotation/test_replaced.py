"""What phoenix remembers by ARN, id or number has been replaced by the owner's IaC: it is found again, or said.

Behind the live weight there is never another image than that of the generation that is named live.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from phoenix.core.model import Outcome
from phoenix.errors import Blocked
from tests.rotation import iac
from tests.rotation.conftest import Opener
from tests.rotation.costs import rotated
from tests.rotation.stage import NEW_NAME, OLD_NAME, Stage, a_policy


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


def test_a_target_group_that_is_deleted_while_the_group_still_names_it_serves_nobody_and_stops_nothing(
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
