"""What is noted of the thresholds for DNS failover fits into a tag, or is not noted and not changed."""

from __future__ import annotations

from phoenix.core.failover import UNKNOWN
from phoenix.core.tags import fitting
from phoenix.routers import failover
from tests.account import Account


def target_groups(account: Account, count: int) -> list[str]:
    """That many, and no two with the same thresholds."""
    elbv2 = account.client("elbv2")
    vpc = elbv2.describe_target_groups()["TargetGroups"][0]["VpcId"]
    arns = []
    for number in range(count):
        made = elbv2.create_target_group(Name=f"t{number:02}", Protocol="HTTP", Port=80, VpcId=vpc)["TargetGroups"][0]
        arns.append(made["TargetGroupArn"])
        key = "target_group_health.dns_failover.minimum_healthy_targets.count"
        wanted = [{"Key": key, "Value": str(100 + number)}]
        elbv2.modify_target_group_attributes(TargetGroupArn=arns[-1], Attributes=wanted)
    return arns


def test_thresholds_that_differ_are_noted_in_letters_that_tags_take_and_put_back(account: Account) -> None:
    arns = target_groups(account, 3)
    noted = failover.read(account.aws, arns)

    failover.write(account.aws, arns, "off/off")
    failover.write(account.aws, arns, noted)

    assert noted == fitting(noted)
    assert failover.read(account.aws, arns) == noted == "100/off 101/off 102/off"


def test_thresholds_of_more_target_groups_than_fit_into_a_tag_are_left_alone(account: Account) -> None:
    assert failover.read(account.aws, target_groups(account, 40)) == UNKNOWN
