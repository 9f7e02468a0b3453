"""Reasons for failed launches, from the words of Auto Scaling's activities. AWS has no codes here, only words.

Must never call a cause permanent that waiting, or another zone, may cure: that would throw a good rotation away. Must
never blame the image for words that are not in the table: a quarantine needs a person to end it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Final

from phoenix.aws.session import Aws
from phoenix.core.launch_failure import LaunchFailure

_UNSUCCESSFUL = frozenset({"Failed", "Cancelled"})


class _Fault(Enum):
    """The kind of a fault. Only the image's faults quarantine the image; only permanent ones end the wait at once."""

    PASSING = (False, False)
    """Capacity, quota, addresses: they come and go, or another zone has them."""
    STARTUP = (False, True)
    """The image's own start-up failed; once may be chance."""
    IMAGE = (True, True)
    """The image cannot be launched at all."""
    SETTING = (True, False)
    """A right, a key, the template or something that it names."""


# Part of AWS's sentence, in small letters. The first that matches counts, so narrow ones come first. Sources:
#   as:   "Troubleshoot Amazon EC2 Auto Scaling" in its user guide: instance launch failures, and AMI issues
#   ec2:  the EC2 API's error codes, "Error codes for the Amazon EC2 API"
#   why:  StateReason in botocore's EC2 model
#   cd:   CodeDeploy's guide, "Troubleshoot Amazon EC2 Auto Scaling issues"
#   tf:   messages kept in the tests and issues of terraform-provider-aws
#   [?]:  seen in public threads, not in a document
_KNOWN: Final[tuple[tuple[str, _Fault], ...]] = (
    # the image's own start-up: it has answered its hook with ABANDON, or has switched itself off
    ("abandoned: completed with abandon", _Fault.STARTUP),  # [?]
    ("instanceinitiatedshutdown", _Fault.STARTUP),  # why
    # the party that should have answered a hook has not: the image, or a queue, a function, a deployment
    ("abandoned: heartbeat timeout", _Fault.PASSING),  # cd
    ("abandoned", _Fault.STARTUP),
    # capacity, quota and addresses come and go
    ("insufficient", _Fault.PASSING),  # as, ec2, why
    ("do not have sufficient", _Fault.PASSING),  # as
    ("enough free addresses", _Fault.PASSING),  # ec2
    ("no spot capacity", _Fault.PASSING),  # as
    ("spot market", _Fault.PASSING),  # as
    ("spotinstance", _Fault.PASSING),  # why
    ("maxspotinstancecountexceeded", _Fault.PASSING),  # ec2
    ("limit exceeded", _Fault.PASSING),  # ec2
    ("limitexceeded", _Fault.PASSING),  # ec2, why
    ("current vcpu limit", _Fault.PASSING),  # ec2
    ("instance(s) are already running", _Fault.PASSING),  # as
    ("reservationcapacityexceeded", _Fault.PASSING),  # ec2
    ("not supported in your requested availability zone", _Fault.PASSING),  # as
    ("availability zone is no longer supported", _Fault.PASSING),  # as
    ("server.internalerror", _Fault.PASSING),  # why
    # a key that may not be used, or not from here: AWS says no more than this
    ("client.internalerror", _Fault.SETTING),  # as, why
    ("client error on launch", _Fault.SETTING),  # as
    # the template says of a device what only the image may say
    ("snapshotid cannot be modified", _Fault.SETTING),  # ec2: InvalidBlockDeviceMapping
    ("encrypted flag cannot be specified", _Fault.SETTING),  # tf
    # the image itself
    ("marketplace product", _Fault.IMAGE),  # ec2: OptInRequired, "you need to accept terms and subscribe"
    ("invalidamiid", _Fault.IMAGE),  # ec2
    ("invalidsnapshot.notfound", _Fault.IMAGE),  # why
    ("image id '", _Fault.IMAGE),  # as
    ("smaller than snapshot", _Fault.IMAGE),  # ec2: the image has outgrown the template's size
    ("the requested ami", _Fault.IMAGE),  # as
    ("of the specified ami", _Fault.IMAGE),  # ec2
    ("boot mode", _Fault.IMAGE),  # ec2
    ("elastic network adapter", _Fault.IMAGE),  # ec2
    # permissions
    ("unauthorizedoperation", _Fault.SETTING),  # ec2
    ("not authorized", _Fault.SETTING),  # ec2
    ("accessdenied", _Fault.SETTING),
    ("access denied", _Fault.SETTING),
    # the template, and what it names
    ("launch template", _Fault.SETTING),
    ("invalidlaunchtemplate", _Fault.SETTING),  # ec2
    ("security group", _Fault.SETTING),  # as
    ("key pair", _Fault.SETTING),  # as
    ("iam instance profile", _Fault.SETTING),  # as
    ("placement group", _Fault.SETTING),  # as: a type, or a number of instances, that may not be in one
    ("invalid id", _Fault.SETTING),
    ("invalidparameter", _Fault.SETTING),  # ec2
    ("invalidblockdevicemapping", _Fault.SETTING),  # ec2
    ("unsupportedoperation", _Fault.SETTING),  # ec2
    ("currently not supported. please check the documentation", _Fault.SETTING),  # as, ec2: Unsupported
)

# EC2 is eventually consistent ("Eventual consistency in the Amazon EC2 API"): it also says these of an image, a
# snapshot, a template version or a profile that has just been made, until all of it knows.
_ABSENT: Final = ("does not exist", "notfound", "not found", "could not find", "invalid iam instance profile")


def read_failures(aws: Aws, name: str, since: datetime) -> tuple[LaunchFailure, ...]:
    """Those of the Auto Scaling group since then: the hundred newest activities are enough, on however many pages."""
    found = aws.pages(
        "autoscaling",
        "describe_scaling_activities",
        "Activities",
        AutoScalingGroupName=name,
        PaginationConfig={"PageSize": 100, "MaxItems": 100},
        Filters=[{"Name": "StartTimeLowerBound", "Values": [since.strftime("%Y-%m-%dT%H:%M:%SZ")]}],
    )
    return failures_of(list(found), since)


def failures_of(activities: Iterable[Mapping[str, Any]], since: datetime) -> tuple[LaunchFailure, ...]:
    """The failed launches among the activities that began since then, newest first."""
    failed = [
        _failure(activity)
        for activity in activities
        if activity["StatusCode"] in _UNSUCCESSFUL
        and activity.get("Description", "").startswith("Launching")
        and activity["StartTime"] >= since
    ]
    return tuple(sorted(failed, key=lambda failure: failure.at, reverse=True))


def _failure(activity: Mapping[str, Any]) -> LaunchFailure:
    words = " ".join(str(activity.get("StatusMessage") or activity["Description"]).split())
    lowered = words.lower()
    fault = next((fault for part, fault in _KNOWN if part in lowered), None)
    permanent, blames_image = (fault or _Fault.PASSING).value
    at = activity["StartTime"].astimezone(UTC)
    absent = permanent and any(part in lowered for part in _ABSENT)
    return LaunchFailure(at, permanent, blames_image, words, known=fault is not None, absent=absent)
