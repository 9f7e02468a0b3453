"""AWS's sentences about failed launches, and what follows from them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from phoenix.fleets.group_launch_failures import failures_of

SINCE = datetime(2026, 11, 18, 2, 41, tzinfo=UTC)
KMS = (
    "Instance became unhealthy while waiting for instance to be in InService state."
    " Termination Reason: Client.InternalError: Client error on launch"
)
CAPACITY = (
    "We currently do not have sufficient m7g.large capacity in the Availability Zone you requested (eu-west-1a)."
    " Launching EC2 instance failed."
)


def an_activity(message: str = CAPACITY, **changes: Any) -> dict[str, Any]:
    """A launch that has failed a minute after the candidate began to grow."""
    return {
        "StatusCode": "Failed",
        "Description": "Launching a new EC2 instance.  Status Reason: …",
        "StatusMessage": message,
        "StartTime": SINCE + timedelta(minutes=1),
    } | changes


@pytest.mark.edge(9)
@pytest.mark.parametrize(
    ("words", "permanent", "blames_image"),
    [
        (CAPACITY, False, False),
        ("You have requested more vCPU capacity than your current vCPU limit of 32 allows", False, False),
        ("There are not enough free addresses in subnet 'subnet-1' to satisfy the request", False, False),
        ("InsufficientFreeAddressesInSubnet", False, False),
        ("Your requested instance type (m7g.large) is not supported in your requested Availability Zone", False, False),
        (KMS, True, False),
        ("The image id '[ami-0123456789abcdef0]' does not exist. Launching EC2 instance failed.", True, True),
        (
            "The architecture 'arm64' of the specified instance type does not match that of the specified AMI",
            True,
            True,
        ),
        ("You are not authorized to perform this operation. Encoded message: abc", True, False),
        ("Invalid IAM Instance Profile name", True, False),
        ("The security group 'sg-1' does not exist. Launching EC2 instance failed.", True, False),
        ("Lifecycle Action with token 1 was abandoned: Completed with ABANDON Result", False, True),
        ("Lifecycle Action with token 1 was abandoned: Heartbeat Timeout", False, False),
        ("Termination Reason: Client.InstanceInitiatedShutdown: Instance initiated shutdown", False, True),
        ("Termination Reason: Server.SpotInstanceTermination: Spot instance termination", False, False),
        ("Termination Reason: Client.VolumeLimitExceeded: Volume limit exceeded", False, False),
        ("Termination Reason: Client.InvalidSnapshot.NotFound", True, True),
        (
            "In order to use this AWS Marketplace product you need to accept terms and subscribe.",
            True,
            True,
        ),
        (
            "The requested configuration is currently not supported. Please check the documentation for supported"
            " configurations. Launching EC2 instance failed.",
            True,
            False,
        ),
        ("snapshotId cannot be modified on root device. Launching EC2 instance failed.", True, False),
        ("the encrypted flag cannot be specified since device /dev/sda1 has a snapshot specified.", True, False),
        ("A sentence that AWS has only just invented", False, False),
    ],
)
def test_awss_words_decide_what_follows(words: str, permanent: bool, blames_image: bool) -> None:
    (failure,) = failures_of([an_activity(words)], SINCE)

    assert (failure.permanent, failure.blames_image, failure.words) == (permanent, blames_image, words)


@pytest.mark.parametrize(("words", "known"), [(CAPACITY, True), ("A sentence that AWS has only just invented", False)])
def test_words_that_no_table_has_are_said_to_be_unknown(words: str, known: bool) -> None:
    (failure,) = failures_of([an_activity(words)], SINCE)

    assert failure.known is known


@pytest.mark.parametrize(
    ("words", "absent"),
    [
        ("The image id '[ami-0123456789abcdef0]' does not exist. Launching EC2 instance failed.", True),
        ("Termination Reason: Client.InvalidSnapshot.NotFound", True),
        ("Could not find the specified version 7 for the launch template with ID lt-1.", True),
        ("The specified launch template, with template ID lt-1, does not exist.", True),
        ("Invalid IAM Instance Profile name", True),
        ("The security group 'sg-1' does not exist. Launching EC2 instance failed.", True),
        ("InvalidAMIID.Malformed", False),
        (KMS, False),
        (CAPACITY, False),
    ],
)
def test_what_has_just_been_made_may_not_be_known_yet(words: str, absent: bool) -> None:
    (failure,) = failures_of([an_activity(words)], SINCE)

    assert failure.absent is absent


def test_the_newest_failure_comes_first() -> None:
    older, newer = (an_activity(StartTime=SINCE + timedelta(minutes=m)) for m in (1, 2))

    assert [failure.at for failure in failures_of([older, newer], SINCE)] == [newer["StartTime"], older["StartTime"]]


def test_a_launch_that_aws_has_cancelled_counts_as_failed() -> None:
    assert failures_of([an_activity(KMS, StatusCode="Cancelled")], SINCE)


@pytest.mark.parametrize(
    "changes",
    [
        {"StatusCode": "Successful"},
        {"StatusCode": "InProgress"},
        {"Description": "Terminating EC2 instance: i-0123456789abcdef0"},
        {"StartTime": SINCE - timedelta(seconds=1)},
    ],
)
def test_everything_else_is_no_failed_launch(changes: dict[str, Any]) -> None:
    assert failures_of([an_activity(**changes)], SINCE) == ()
