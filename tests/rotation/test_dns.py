"""Route 53 may judge the load balancer by every target group that a rule names: no rotation makes it look elsewhere."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from phoenix.core import tags
from phoenix.core.model import Outcome
from phoenix.engine.repair import find_repairs, repair
from tests.rotation.conftest import Opener
from tests.rotation.stage import BRISK, Stage, a_policy

CANARY = {"kind": "canary", "steps": [{"weight": 20, "bake": "1m"}], "bake": "30s"}
FAILOVER = "target_group_health.dns_failover.minimum_healthy_targets."


def opened(open_stage: Opener, *, scenario: str = "healthy", dns_failover: str = "suspend") -> Stage:
    """A pair at rest whose rules name blue only, as phoenix leaves them."""
    traffic = {"kind": "alb", "propagation": "15s", "dns_failover": dns_failover}
    sections: dict[str, Any] = {"traffic": traffic, "strategy": CANARY, "gates": [BRISK], "timeouts": {"launch": "5m"}}
    stage = open_stage(policy=a_policy(**sections, retain={"hot_for": "10m"}), scenario=scenario)
    client = stage.client("elbv2")
    blue = client.describe_target_groups(Names=["web-blue"])["TargetGroups"][0]
    action = [{"Type": "forward", "TargetGroupArn": blue["TargetGroupArn"]}]
    for listener in client.describe_listeners(LoadBalancerArn=blue["LoadBalancerArns"][0])["Listeners"]:
        client.modify_listener(ListenerArn=listener["ListenerArn"], DefaultActions=action)
        for rule in client.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]:
            if not rule["IsDefault"]:
                client.modify_rule(RuleArn=rule["RuleArn"], Actions=action)
    return stage


def watched(stage: Stage, *, empty_fails: bool = True) -> list[datetime]:
    """Moments at which DNS would send everybody elsewhere; looked for before and after every call."""
    fallen: list[datetime] = []

    def look(_call: object, _when: str) -> None:
        if not stage.box.dns_health(empty_fails=empty_fails)["web"]:
            fallen.append(stage.clock.now())

    stage.box.intercept(look)
    return fallen


def thresholds(stage: Stage, slot: str) -> tuple[str, str]:
    groups = stage.box.world.elbv2().target_groups.values()
    attributes = next(group.attributes for group in groups if group.name == f"web-{slot}")
    return attributes[f"{FAILOVER}count"], attributes[f"{FAILOVER}percentage"]


def rest(stage: Stage) -> None:
    """Let the retained generation go cold, as cron does."""
    stage.clock.advance(3600)
    for _ in range(12):
        stage.tick()
        stage.clock.advance(30)


def assert_nothing_is_left(stage: Stage) -> None:
    assert {thresholds(stage, slot) for slot in ("blue", "green")} == {("1", "off")}
    assert not any(tags.FAILOVER in stage.tags(slot) for slot in ("blue", "green"))


@pytest.mark.parametrize("empty_fails", [True, False])
@pytest.mark.parametrize("scenario", ["healthy", "bad-image", "slow-boot", "flapping"])
def test_no_rotation_makes_dns_look_elsewhere(open_stage: Opener, scenario: str, empty_fails: bool) -> None:
    stage = opened(open_stage, scenario=scenario)
    fallen = watched(stage, empty_fails=empty_fails)

    stage.rotate()
    rest(stage)

    assert fallen == []
    assert_nothing_is_left(stage)


def test_where_failover_is_kept_a_booting_candidate_makes_dns_look_elsewhere(open_stage: Opener) -> None:
    stage = opened(open_stage, dns_failover="keep")
    fallen = watched(stage, empty_fails=False)

    stage.rotate()

    assert fallen
    assert "ModifyTargetGroupAttributes" not in stage.writes()


def test_a_generation_that_is_kept_hot_cannot_make_dns_look_elsewhere(open_stage: Opener) -> None:
    stage = opened(open_stage)
    stage.rotate()
    fallen = watched(stage)

    for instance in stage.instances("blue"):
        stage.box.make_unhealthy(instance["InstanceId"])
    stage.clock.advance(60)
    stage.look()

    assert (thresholds(stage, "blue"), thresholds(stage, "green")) == (("off", "off"), ("1", "off"))
    assert fallen == []


@pytest.mark.parametrize("is_cold", [False, True])
def test_a_rollback_hands_the_word_back_and_leaves_nothing(open_stage: Opener, is_cold: bool) -> None:
    stage = opened(open_stage)
    stage.rotate()
    if is_cold:
        rest(stage)
    fallen = watched(stage)
    stage.mark()

    report = stage.rollback()

    assert report.outcome is Outcome.ROLLED_BACK
    assert fallen == []
    assert is_cold or stage.writes()[0] in ("ModifyListener", "ModifyRule")
    assert_nothing_is_left(stage)


def test_the_tags_alone_bring_the_thresholds_back(open_stage: Opener) -> None:
    stage = opened(open_stage)
    stage.tick_until(lambda report: tags.FAILOVER in stage.tags("green"), every=5)
    for path in stage.folder.glob("phoenix.db*"):
        path.unlink()
    group = stage.driver("there/2")

    repair(group, find_repairs(group))

    assert find_repairs(group).texts == ()
    assert_nothing_is_left(stage)


def test_thresholds_that_the_owner_has_switched_off_are_not_touched(open_stage: Opener) -> None:
    stage = opened(open_stage)
    client = stage.client("elbv2")
    for group in client.describe_target_groups(Names=["web-blue", "web-green"])["TargetGroups"]:
        off = [{"Key": f"{FAILOVER}count", "Value": "off"}]
        client.modify_target_group_attributes(TargetGroupArn=group["TargetGroupArn"], Attributes=off)
    stage.mark()

    stage.rotate()

    assert "ModifyTargetGroupAttributes" not in stage.writes()
