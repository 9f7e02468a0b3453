"""What a load balancer has no room for, or does not reach, is known before the start."""

from __future__ import annotations

from datetime import timedelta

import pytest

from phoenix.core.blocker import UNKNOWN_AHEAD, Ahead, Blocker, passed
from phoenix.core.model import Slot
from phoenix.routers.balancer_limits import GROUPS_A_BALANCER, TARGETS_A_BALANCER, TARGETS_A_GROUP
from tests.account import Account, Opener
from tests.remedies import run_remedy

BLUE, GREEN = Slot.BLUE, Slot.GREEN
ROLLING = Ahead(timedelta(minutes=30), extra=1)


def blockers(account: Account, ahead: Ahead = UNKNOWN_AHEAD) -> list[Blocker]:
    """All of them, with blue live and four instances in it."""
    return list(account.router().find_blockers(account.slots(), BLUE, ahead))


def enable(account: Account, *zones: str) -> None:
    """Let the load balancer be in these zones only."""
    subnets = {s["AvailabilityZone"][-1]: s["SubnetId"] for s in account.client("ec2").describe_subnets()["Subnets"]}
    arn = account.client("elbv2").describe_load_balancers()["LoadBalancers"][0]["LoadBalancerArn"]
    account.client("elbv2").set_subnets(LoadBalancerArn=arn, Subnets=[subnets[zone] for zone in zones])


def add_targets(account: Account, count: int, target_group: str | None = None) -> None:
    """Register that many addresses, with that target group or with another one behind the same listener."""
    elbv2 = account.client("elbv2")
    if target_group is None:
        balancer = elbv2.describe_load_balancers()["LoadBalancers"][0]
        made = elbv2.create_target_group(Name="batch", Protocol="HTTP", Port=80, VpcId=balancer["VpcId"])
        target_group = made["TargetGroups"][0]["TargetGroupArn"]
        listener = elbv2.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"][0]
        elbv2.create_rule(
            ListenerArn=listener["ListenerArn"],
            Priority=99,
            Conditions=[{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/batch"]}}],
            Actions=[{"Type": "forward", "TargetGroupArn": target_group}],
        )
    targets = [{"Id": f"10.0.{number // 256}.{number % 256}"} for number in range(count)]
    elbv2.register_targets(TargetGroupArn=target_group, Targets=targets)


@pytest.mark.parametrize(
    ("quota", "value", "is_adjustable"),
    [(TARGETS_A_BALANCER, 1000, True), (TARGETS_A_GROUP, 1000, True), (GROUPS_A_BALANCER, 100, False)],
    ids=lambda each: getattr(each, "code", str(each)),
)
def test_quotas_are_those_of_the_guide(quota: object, value: int, is_adjustable: bool) -> None:
    assert (quota.default, quota.adjustable) == (value, is_adjustable)  # type: ignore[attr-defined]


# --- zones ------------------------------------------------------------------------------------------------------------


def test_a_zone_that_the_load_balancer_has_not_enabled_stands_in_the_way_and_its_command_mends_it(
    account: Account,
) -> None:
    enable(account, "a", "b")

    (blocker,) = blockers(account)

    assert (blocker.name, blocker.where, blocker.warning) == ("zone-not-enabled", "load balancer web", False)
    assert "web is not enabled in eu-west-1c" in blocker.text
    assert "(web-blue in eu-west-1c and web-green in eu-west-1c)" in blocker.text
    assert run_remedy(account.sandbox.session, blocker.remedy) == ["set-subnets"]
    assert blockers(account) == []


def test_where_only_the_live_one_launches_there_it_is_a_warning(account: Account) -> None:
    enable(account, "a", "b")
    subnets = [s["SubnetId"] for s in account.client("ec2").describe_subnets()["Subnets"]
               if not s["AvailabilityZone"].endswith("c")]  # fmt: skip
    account.client("autoscaling").update_auto_scaling_group(
        AutoScalingGroupName="web-green", VPCZoneIdentifier=",".join(subnets)
    )

    (blocker,) = blockers(account)

    assert (blocker.name, blocker.warning) == ("zone-not-enabled", True)
    assert "(web-blue in eu-west-1c)" in blocker.text


def test_more_zones_than_the_groups_need_are_fine(account: Account) -> None:
    subnets = [s["SubnetId"] for s in account.client("ec2").describe_subnets()["Subnets"]][:2]
    for name in ("web-blue", "web-green"):
        account.client("autoscaling").update_auto_scaling_group(
            AutoScalingGroupName=name, VPCZoneIdentifier=",".join(subnets)
        )

    assert blockers(account) == []


def test_each_load_balancer_has_its_own_zones(open_account: Opener) -> None:
    account = open_account("internal")
    account.sandbox.seed("web")
    enable(account, "a", "b")  # of `shared`

    assert [(b.name, b.where) for b in blockers(account)] == [("zone-not-enabled", "load balancer shared")]


def test_zones_that_may_not_be_read_are_told_as_not_checked(account: Account) -> None:
    account.aws.refusals["elasticloadbalancing:DescribeLoadBalancers"] = "AccessDenied"
    router = account.router()

    found = router.find_blockers(account.slots(), BLUE)

    assert [(b.name, b.warning) for b in found] == [("not-checked", True)]
    assert "zone-not-enabled" not in passed(router.checks, found)


# --- targets ----------------------------------------------------------------------------------------------------------


def test_both_generations_have_to_fit_beside_all_other_targets_and_more_can_be_asked_for(account: Account) -> None:
    add_targets(account, 993)

    (blocker,) = blockers(account)

    assert (blocker.name, blocker.where, blocker.warning) == ("too-many-targets", "load balancer web", False)
    assert "1001 targets while both generations run; AWS allows 1000" in blocker.text
    assert run_remedy(account.sandbox.session, blocker.remedy) == ["request-service-quota-increase"]
    assert blockers(account) == []


@pytest.mark.parametrize(("others", "ahead"), [(992, UNKNOWN_AHEAD), (995, ROLLING)])
def test_as_many_as_fit_at_the_peak_are_fine(account: Account, others: int, ahead: Ahead) -> None:
    add_targets(account, others)

    assert blockers(account, ahead) == []


def test_what_else_is_in_a_target_group_counts_there(account: Account) -> None:
    account.sandbox.world.quotas[TARGETS_A_BALANCER.code] = 5000
    add_targets(account, 997, account.target_groups()[GREEN][0])

    (blocker,) = (b for b in blockers(account) if b.name == "too-many-targets")

    assert blocker.where == "target group web-green"
    assert f"--quota-code {TARGETS_A_GROUP.code} --desired-value 1001" in str(blocker.remedy)


def test_what_else_is_in_a_target_group_counts_on_the_load_balancer(account: Account) -> None:
    add_targets(account, 996, account.target_groups()[GREEN][0])

    assert [b.where for b in blockers(account) if b.name == "too-many-targets"] == ["load balancer web"]


def test_a_quota_that_may_not_be_read_is_the_default_one_and_a_warning(account: Account) -> None:
    add_targets(account, 993)
    account.aws.refusals["servicequotas:GetServiceQuota"] = "AccessDeniedException"

    (blocker,) = blockers(account)

    assert (blocker.name, blocker.warning) == ("too-many-targets", True)
    assert "AWS allows 1000 by default; this account's own quota could not be read" in blocker.text


def test_service_quotas_is_not_asked_where_the_default_will_do(account: Account) -> None:
    blockers(account)

    assert "GetServiceQuota" not in account.operations()
