"""Members of AWS's answers that the installed model does not know."""

from __future__ import annotations

from typing import Any

import pytest

from phoenix.aws.members import below, unknown_members
from tests.account import Account, account, open_account

__all__ = ["account", "open_account"]


def newer(account: Account, service: str, operation: str, old: bytes, new: bytes) -> None:
    """Let AWS answer with a member that came after the installed model."""

    def answer(response_dict: dict[str, Any], **_: object) -> None:
        response_dict["body"] = response_dict["body"].replace(old, new + old)

    client = account.aws.client(service)
    name = client.meta.service_model.service_id.hyphenize()
    client.meta.events.register_first(f"before-parse.{name}.{operation}", answer)


@pytest.mark.parametrize(
    ("service", "method", "before", "expected"),
    [
        ("autoscaling", "describe_auto_scaling_groups", b"<MinSize>", "AutoScalingGroups.Fresh"),
        ("ec2", "describe_launch_template_versions", b"<imageId>", "LaunchTemplateVersions.LaunchTemplateData.Fresh"),
        ("elbv2", "describe_target_groups", b"<Protocol>", "TargetGroups.Fresh"),
    ],
)
def test_a_member_that_the_model_does_not_know_is_named_with_its_place(
    account: Account, service: str, method: str, before: bytes, expected: str
) -> None:
    operation = account.aws.client(service).meta.method_to_api_mapping[method]
    newer(account, service, operation, before, b"<Fresh><Inner>1</Inner></Fresh>")
    asked = {"LaunchTemplateName": "web"} if service == "ec2" else {}

    with unknown_members(account.aws, service, method) as unknown:
        account.aws.call(service, method, **asked)

    assert unknown == {expected}
    assert below(unknown, expected.rpartition(".")[0]) == (expected,)


@pytest.mark.parametrize(
    ("service", "method"),
    [
        ("autoscaling", "describe_auto_scaling_groups"),
        ("ec2", "describe_launch_template_versions"),
        ("elbv2", "describe_rules"),
        ("elbv2", "describe_listeners"),
    ],
)
def test_answers_that_the_model_knows_whole_have_no_unknown_members(
    account: Account, service: str, method: str
) -> None:
    balancers = account.client("elbv2").describe_load_balancers()["LoadBalancers"]
    balancer = balancers[0]["LoadBalancerArn"]
    listener = account.client("elbv2").describe_listeners(LoadBalancerArn=balancer)["Listeners"][0]["ListenerArn"]
    asked = {
        "describe_launch_template_versions": {"LaunchTemplateName": "web"},
        "describe_rules": {"ListenerArn": listener},
        "describe_listeners": {"LoadBalancerArn": balancer},
    }

    with unknown_members(account.aws, service, method) as unknown:
        account.aws.call(service, method, **asked.get(method, {}))

    assert not unknown


def test_only_what_is_called_within_the_block_is_looked_at(account: Account) -> None:
    newer(account, "autoscaling", "DescribeAutoScalingGroups", b"<MinSize>", b"<Fresh>1</Fresh>")
    with unknown_members(account.aws, "autoscaling", "describe_auto_scaling_groups") as unknown:
        pass

    account.aws.call("autoscaling", "describe_auto_scaling_groups")

    assert not unknown
