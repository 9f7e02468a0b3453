"""Lists in pages: AWS may answer any list with fewer elements than were asked for."""

from __future__ import annotations

from typing import Any

import pytest

from phoenix.sandbox import ManualClock
from tests.sandbox.conftest import Ground, Opener


@pytest.fixture
def ground(open_sandbox: Opener) -> Ground:
    """Where every page has one element."""
    ground = open_sandbox()
    ground.sandbox.small_pages(1)
    return ground


LISTS = (
    ("autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups"),
    ("autoscaling", "describe_scaling_activities", "Activities"),
    ("ec2", "describe_images", "Images"),
    ("ec2", "describe_instances", "Reservations"),
    ("elbv2", "describe_target_groups", "TargetGroups"),
)


@pytest.mark.parametrize(("service", "method", "items"), LISTS)
def test_a_page_has_one_element_and_all_pages_have_all(ground: Ground, service: str, method: str, items: str) -> None:
    session: Any = ground.sandbox.session
    client = session.client(service)
    pages = [page[items] for page in client.get_paginator(method).paginate()]
    ground.sandbox.mend_calls()

    whole = [each for page in client.get_paginator(method).paginate() for each in page[items]]

    assert all(len(page) <= 1 for page in pages)
    assert len(whole) == sum(map(len, pages)) > 1


def test_rules_and_listeners_come_in_pages_too(ground: Ground) -> None:
    balancer = ground.elbv2.describe_load_balancers()["LoadBalancers"][0]["LoadBalancerArn"]
    listeners = ground.elbv2.describe_listeners(LoadBalancerArn=balancer)
    rules = ground.elbv2.describe_rules(ListenerArn=listeners["Listeners"][0]["ListenerArn"])

    assert len(listeners["Listeners"]) == len(rules["Rules"]) == 1
    assert isinstance(ground.sandbox.clock, ManualClock)
