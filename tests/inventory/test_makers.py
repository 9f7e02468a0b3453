from __future__ import annotations

import pytest

from phoenix.inventory.makers import maker_of


def a_group(name: str = "api", **tags: str) -> dict[str, object]:
    return {"AutoScalingGroupName": name, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}


@pytest.mark.parametrize(
    ("tags", "maker"),
    [
        ({"ManagedBy": "terraform"}, "Terraform"),
        ({"terraform": "true"}, "Terraform"),
        ({"provisioner": "OpenTofu"}, "OpenTofu"),
        ({"aws:cloudformation:stack-name": "api"}, "CloudFormation"),
        ({"aws:cloudformation:stack-name": "api", "elasticbeanstalk:environment-name": "api"}, "Elastic Beanstalk"),
        ({"eks:nodegroup-name": "api", "ManagedBy": "terraform"}, "EKS"),
        ({"AmazonECSManaged": ""}, "ECS"),
        ({"service": "terraform-docs"}, None),
        ({}, None),
    ],
)
def test_tags_say_who_made_a_group(tags: dict[str, str], maker: str | None) -> None:
    assert maker_of(a_group(**tags)) == maker


@pytest.mark.parametrize(
    ("name", "maker"),
    [
        ("api-20241118024102123400000001", "Terraform"),
        ("terraform-20241118024102123400000001", "Terraform"),
        ("CodeDeploy_api_d-ABC123XYZ", "CodeDeploy"),
        ("api-2", None),
    ],
)
def test_names_that_a_tool_generates_say_so(name: str, maker: str | None) -> None:
    assert maker_of(a_group(name)) == maker
