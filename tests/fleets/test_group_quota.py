"""Room in the account's vCPU quota, as far as AWS tells."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from phoenix.aws.checks import Check, make_checks
from phoenix.core.blocker import Blocker
from phoenix.errors import AccessDenied, PermanentError, PhoenixError, Throttled, Unreachable
from phoenix.fleets.group_quota import CHECKS, Demand, find_quota, quota_of
from tests.answers import ScriptedAws

AT = datetime(2026, 11, 18, 2, 41, tzinfo=UTC)
DEMAND = Demand("m7g.large", 12, AT)
METRIC = {
    "MetricNamespace": "AWS/Usage",
    "MetricName": "ResourceCount",
    "MetricDimensions": {"Service": "EC2", "Resource": "vCPU", "Type": "Resource", "Class": "Standard/OnDemand"},
    "MetricStatisticRecommendation": "Maximum",
}


def an_account(limit: float = 64, *used: float, **answers: Any) -> ScriptedAws:
    """With that quota, and these values of its use, newest first."""
    points = [{"Timestamp": AT - timedelta(minutes=5 * n), "Maximum": value} for n, value in enumerate(used)]
    plain: dict[str, Any] = {
        "get_service_quota": {"Quota": {"Value": limit, "UsageMetric": METRIC}},
        "get_metric_statistics": {"Datapoints": points},
        "describe_instance_types": {"InstanceTypes": [{"VCpuInfo": {"DefaultVCpus": 2}}]},
    }
    return ScriptedAws(**(plain | answers))


def checked(aws: ScriptedAws) -> list[Blocker]:
    """As preflight makes the check."""
    return make_checks(aws, [Check("vCPU quota", CHECKS, lambda: find_quota(aws, DEMAND), optional=True)])


@pytest.mark.edge(9)
def test_a_launch_past_the_quota_stands_in_the_way_with_the_request_for_more() -> None:
    (blocker,) = find_quota(an_account(64, 41, 10), DEMAND)

    assert blocker.text.startswith("24 more vCPUs are needed for 12 of m7g.large; 41 of 64 are in use")
    assert "--quota-code L-1216C47A" in str(blocker.remedy)
    assert "--desired-value 65" in str(blocker.remedy)


@pytest.mark.parametrize("used", [(40,), ()])
def test_a_launch_that_fits_is_fine(used: tuple[float, ...]) -> None:
    assert list(find_quota(an_account(64, *used), DEMAND)) == []


def test_a_quota_without_a_metric_is_compared_with_the_launch_alone() -> None:
    aws = an_account(get_service_quota={"Quota": {"Value": 23}})

    assert [blocker.name for blocker in find_quota(aws, DEMAND)] == ["vcpu-quota"]
    assert "get_metric_statistics" not in aws.methods


def test_a_region_without_the_quota_has_nothing_to_exceed() -> None:
    unknown = PermanentError("no such quota")
    unknown.__cause__ = ClientError({"Error": {"Code": "NoSuchResourceException"}}, "GetServiceQuota")

    assert list(find_quota(an_account(get_service_quota=unknown), DEMAND)) == []


@pytest.mark.parametrize("error", [AccessDenied("denied"), Throttled("slow down"), Unreachable("no endpoint here")])
def test_a_quota_that_cannot_be_asked_for_is_a_warning(error: PhoenixError) -> None:
    (blocker,) = checked(an_account(get_service_quota=error))

    assert (blocker.name, blocker.where, blocker.warning) == ("not-checked", "vCPU quota", True)
    assert blocker.unchecked == CHECKS


@pytest.mark.parametrize(
    ("instance_type", "code"),
    [
        ("m7g.large", "L-1216C47A"),
        ("i4i.large", "L-1216C47A"),
        ("inf2.xlarge", "L-1945791B"),
        ("d3.xlarge", "L-1216C47A"),
        ("dl1.24xlarge", "L-6E869C2A"),
        ("t3.micro", "L-1216C47A"),
        ("trn1.2xlarge", "L-2C3B7624"),
        ("hpc7g.4xlarge", "L-F7808C92"),
        ("u-6tb1.metal", "L-43DA4232"),
        ("mac2.metal", None),
    ],
)
def test_every_family_has_its_quota(instance_type: str, code: str | None) -> None:
    assert quota_of(instance_type) == code


@pytest.mark.parametrize(
    ("instance_type", "code"),
    [("m7g.large", "L-34B43A08"), ("g5.xlarge", "L-3819A6DF"), ("p5.48xlarge", "L-C4BD4855"), ("u-6tb1.metal", None)],
)
def test_spot_instances_have_quotas_of_their_own(instance_type: str, code: str | None) -> None:
    assert quota_of(instance_type, spot=True) == code


def test_what_no_quota_counts_is_not_asked_for() -> None:
    aws = an_account()

    assert list(find_quota(aws, Demand("mac2.metal", 4, AT))) == []
    assert aws.methods == []
