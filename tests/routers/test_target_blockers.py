"""Everything about the target groups themselves that stands in the way of a start."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from phoenix.core.action import SetFailover
from phoenix.core.blocker import Blocker, passed
from phoenix.core.lifecycle import Lifecycle
from phoenix.core.model import Instance, Slot, SlotState, TargetState
from phoenix.core.terms import Terms
from phoenix.routers.alb import AlbRouter
from phoenix.routers.forwarding import Pair
from phoenix.routers.target_blockers import AttributeCheck, Behind, find_in_targets, targets_read_once
from tests.account import Account
from tests.answers import ScriptedAws

ARN = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/web-blue/73e2d6bc24d8a067"
BLUE = SlotState(
    Slot.BLUE, "web-blue", 1, 4, 1, "1", "1", (Instance("i-1", "eu-west-1a", Lifecycle.IN_SERVICE, True, "1"),),
    target_groups=(ARN,),
)  # fmt: skip


def found(target: dict[str, Any], **attributes: str) -> list[Blocker]:
    """What is said when blue's one target, and its target group, are like that."""
    described = {"Target": {"Id": "i-1"}, "TargetHealth": {"State": "healthy"}} | target
    aws = ScriptedAws(
        describe_target_health={"TargetHealthDescriptions": [described]},
        describe_target_group_attributes={"Attributes": [{"Key": k, "Value": v} for k, v in attributes.items()]},
    )
    behind = Behind((), Pair({}), suspends_stickiness=False)
    of_kind = AttributeCheck((), lambda _read, _behind: iter(()), "")
    return find_in_targets(aws, {Slot.BLUE: BLUE}, behind, targets_read_once(aws), of_kind)


@pytest.mark.edge(38)
@pytest.mark.parametrize("state", ["zonal_shift_active", "zonal_shift_delegated_to_dns"])
def test_a_zonal_shift_stands_in_the_way(state: str) -> None:
    override = {
        "State": state,
        "Reason": "AdministrativeOverride.ZonalShiftActive",
        "Description": "away from euw1-az1",
    }

    (blocker,) = found({"AdministrativeOverride": override})

    assert (blocker.name, blocker.warning) == ("zonal-shift", False)
    assert "1 target of web-blue gets no traffic, healthy or not: away from euw1-az1." in blocker.text
    assert "cancel-zonal-shift" in str(blocker.remedy)


@pytest.mark.edge(38)
def test_without_a_zonal_shift_the_override_says_so() -> None:
    assert found({"AdministrativeOverride": {"State": "no_override"}}) == []


def test_targets_that_the_slot_did_not_register_are_worth_a_warning() -> None:
    (blocker,) = found({"Target": {"Id": "i-9", "Port": 8080}})

    assert (blocker.name, blocker.warning) == ("foreign-targets", True)
    assert "--targets Id=i-9" in str(blocker.remedy)


def test_a_target_on_its_way_out_is_not_counted() -> None:
    assert found({"Target": {"Id": "i-9"}, "TargetHealth": {"State": "draining"}}) == []


@pytest.mark.edge(17)
def test_cross_zone_off_is_worth_a_warning(account: Account) -> None:
    account.client("elbv2").modify_target_group_attributes(
        TargetGroupArn=account.target_groups()[Slot.GREEN][0],
        Attributes=[{"Key": "load_balancing.cross_zone.enabled", "Value": "false"}],
    )

    (blocker,) = account.router().find_blockers(account.slots(), Slot.BLUE)

    assert (blocker.name, blocker.warning, blocker.where) == ("cross-zone-off", True, "target group web-green")
    assert "a healthy target in every zone" in blocker.text
    assert account.router().serves_by_zone({s: state.target_groups for s, state in account.slots().items()})


@pytest.mark.parametrize(
    ("right", "missed"),
    [
        (
            "DescribeTargetGroupAttributes",
            {"cross-zone-off", "target-stickiness", "target-attributes-differ", "dns-failover"},
        ),
        ("DescribeTargetHealth", {"zonal-shift", "foreign-targets", "too-many-targets"}),
    ],
)
def test_a_denied_look_is_a_warning_and_not_among_those_that_passed(
    account: Account, right: str, missed: set[str]
) -> None:
    slots, router = account.slots(), account.router()
    account.aws.refusals[f"elasticloadbalancing:{right}"] = "AccessDenied"

    said = router.find_blockers(slots, Slot.BLUE)

    assert {(blocker.name, blocker.warning) for blocker in said} == {("not-checked", True)}
    assert set(router.checks) - set(passed(router.checks, said)) == missed


def test_health_checks_are_made_like_those_of_the_live_slot(account: Account) -> None:
    green = account.target_groups()[Slot.GREEN][0]
    account.client("elbv2").modify_target_group(TargetGroupArn=green, HealthCheckPath="/ping")

    (blocker,) = account.router().find_blockers(account.slots(), Slot.BLUE)

    assert str(blocker.remedy).endswith(f"--target-group-arn {green} \\\n    --health-check-path /healthz")


def test_a_slot_without_a_target_group_leaves_everything_else_unchecked(account: Account) -> None:
    slots, router = account.slots(), account.router()
    bare = slots | {Slot.GREEN: replace(slots[Slot.GREEN], target_groups=())}

    assert passed(router.checks, router.find_blockers(bare, Slot.BLUE)) == ()


def add_unrouted(account: Account) -> dict[Slot, str]:
    """Let both slots register with one more target group each, which no listener forwards to."""
    made = {}
    for slot in Slot:
        described = account.client("elbv2").describe_target_groups(Names=[f"web-{slot}"])["TargetGroups"][0]
        wanted = {"Name": f"web-{slot}-metrics", "Protocol": "HTTP", "Port": 9100, "VpcId": described["VpcId"]}
        mark = [{"Key": "phoenix:managed", "Value": "true"}]
        arn = account.client("elbv2").create_target_group(**wanted, Tags=mark)["TargetGroups"][0]["TargetGroupArn"]
        account.client("autoscaling").attach_load_balancer_target_groups(
            AutoScalingGroupName=f"web-{slot}", TargetGroupARNs=[arn]
        )
        made[slot] = arn
    return made


def test_a_target_group_that_nothing_forwards_to_is_named(account: Account) -> None:
    add_unrouted(account)

    said = account.router().find_blockers(account.slots(), Slot.BLUE)

    assert [(b.name, b.warning, b.where) for b in said] == [
        ("unrouted-target-group", True, "target group web-blue-metrics"),
        ("unrouted-target-group", True, "target group web-green-metrics"),
    ]


def test_a_target_group_that_nothing_forwards_to_does_not_make_its_slot_sick(account: Account) -> None:
    add_unrouted(account)
    slots, router = account.slots(), account.router()
    target_groups = {slot: state.target_groups for slot, state in slots.items()}
    routes = [route.arn for route in router.find(target_groups)]

    seen = router.observe(target_groups, routes, frozenset({Slot.BLUE}))

    assert set(seen.health[Slot.BLUE].values()) == {TargetState.HEALTHY}
    assert len(seen.health[Slot.BLUE]) == 4


def test_dns_failover_that_is_kept_is_worth_a_warning_with_the_command(account: Account) -> None:
    account.scope = replace(account.scope, terms=Terms(steps=()))
    router = account.make(AlbRouter)

    found = router.find_blockers(account.slots(), Slot.BLUE)

    assert [(b.name, b.where, b.warning) for b in found] == [
        ("dns-failover", f"target group web-{slot}", True) for slot in ("blue", "green")
    ]
    assert str(found[0].remedy).endswith("minimum_healthy_targets.count,Value=off")


def test_thresholds_are_set_where_they_differ_and_read_back(account: Account) -> None:
    router, groups = account.router(), account.target_groups()
    assert router.read_failover(groups) == {Slot.BLUE: "1/off", Slot.GREEN: "1/off"}

    for _ in range(2):
        router.set_failover(SetFailover(Slot.GREEN, "off/off"), groups)

    assert router.read_failover(groups) == {Slot.BLUE: "1/off", Slot.GREEN: "off/off"}
    assert account.writes().count("ModifyTargetGroupAttributes") == 1


def test_a_target_group_that_is_gone_has_no_thresholds_and_stops_nothing(account: Account) -> None:
    router, groups = account.router(), account.target_groups()
    gone = groups[Slot.GREEN][0].rpartition("/")[0] + "/0123456789abcdef"
    beside, alone = ({**groups, Slot.GREEN: arns} for arns in ((*groups[Slot.GREEN], gone), (gone,)))

    for has in (beside, alone):
        router.set_failover(SetFailover(Slot.GREEN, "2/off"), has)

    assert router.read_failover(beside) == {Slot.BLUE: "1/off", Slot.GREEN: "2/off"}
    assert router.read_failover(alone) == {Slot.BLUE: "1/off", Slot.GREEN: "unknown"}
    assert not router.serves_by_zone(beside)


def test_thresholds_that_may_not_be_read_are_unknown(account: Account) -> None:
    account.aws.refusals = {"elasticloadbalancing:DescribeTargetGroupAttributes": "AccessDenied"}

    assert set(account.router().read_failover(account.target_groups()).values()) == {"unknown"}
