"""What else serves the instances of a group: named by its kind, known or not."""

from __future__ import annotations

from typing import Any

import pytest

from phoenix.fleets.group_attachments import judge_attachments
from phoenix.fleets.group_shapes import target_groups

ALB = "arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/web-blue/73e2"
LATTICE = "arn:aws:vpc-lattice:eu-west-1:1:targetgroup/tg-0b1"


def a_group(**attached: Any) -> dict[str, Any]:
    return {"AutoScalingGroupName": "web-blue"} | attached


def a_source(identifier: str, kind: str | None) -> dict[str, Any]:
    return {"TrafficSources": [{"Identifier": identifier} | ({"Type": kind} if kind else {})]}


@pytest.mark.parametrize("attached", [{}, {"TargetGroupARNs": [ALB]}, a_source(ALB, "elbv2"), a_source(ALB, None)])
def test_target_groups_are_the_routers_business(attached: dict[str, Any]) -> None:
    assert list(judge_attachments(a_group(**attached))) == []
    assert set(target_groups(a_group(**attached))) == ({ALB} if attached else set())


@pytest.mark.parametrize(
    ("attached", "called", "source"),
    [
        ({"LoadBalancerNames": ["web-classic"]}, "the Classic Load Balancer web-classic", "web-classic,Type=elb"),
        (a_source("web-classic", "elb"), "the Classic Load Balancer web-classic", "web-classic,Type=elb"),
        (a_source("web-classic", None), "the Classic Load Balancer web-classic", "web-classic,Type=elb"),
        (a_source(LATTICE, "vpc-lattice"), f"the VPC Lattice target group {LATTICE}", f"{LATTICE},Type=vpc-lattice"),
        (a_source(LATTICE, None), f"the VPC Lattice target group {LATTICE}", f"{LATTICE},Type=vpc-lattice"),
        (a_source("x-1", "quantum"), 'x-1, a traffic source of the unknown type "quantum"', "x-1,Type=quantum"),
    ],
)
def test_every_other_attachment_stands_in_the_way_by_its_name(
    attached: dict[str, Any], called: str, source: str
) -> None:
    (blocker,) = judge_attachments(a_group(**attached))

    assert (blocker.name, blocker.warning) == ("other-traffic-source", False)
    assert called in blocker.text
    assert f"Identifier={source}" in str(blocker.remedy)


def test_one_attachment_that_aws_shows_twice_is_named_once() -> None:
    twice = {"LoadBalancerNames": ["web-classic"]} | a_source("web-classic", "elb")

    assert len(list(judge_attachments(a_group(**twice)))) == 1
