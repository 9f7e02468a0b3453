"""Why launches failed, out of the words of Auto Scaling's activities. Pure: AWS has no codes here, only sentences.

Must never call a cause permanent that waiting, or another zone, may cure: that would throw a good rotation away.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from phoenix.core.model import LaunchFailure

_UNSUCCESSFUL = frozenset({"Failed", "Cancelled"})

# Part of AWS's sentence, in small letters -> (permanent, blames the image). The first that matches counts.
_KNOWN: Final[tuple[tuple[str, bool, bool], ...]] = (
    # capacity, quota and addresses come and go
    ("insufficient", False, False),
    ("do not have sufficient", False, False),
    ("enough free addresses", False, False),
    ("no spot capacity", False, False),
    ("spot market", False, False),
    ("limit exceeded", False, False),
    ("limitexceeded", False, False),
    ("current vcpu limit", False, False),
    ("instance(s) are already running", False, False),
    ("not supported in your requested availability zone", False, False),
    # a key that may not be used, or not from here: AWS says no more than this
    ("client.internalerror", True, False),
    ("client error on launch", True, False),
    # the image itself
    ("invalidamiid", True, True),
    ("image id '", True, True),
    ("the requested ami", True, True),
    ("of the specified ami", True, True),
    ("boot mode", True, True),
    ("elastic network adapter", True, True),
    ("smaller than snapshot", True, True),
    ("abandoned", False, True),
    # permissions
    ("unauthorizedoperation", True, False),
    ("not authorized", True, False),
    ("accessdenied", True, False),
    ("access denied", True, False),
    # the template, and what it names
    ("launch template", True, False),
    ("invalidlaunchtemplate", True, False),
    ("security group", True, False),
    ("key pair", True, False),
    ("iam instance profile", True, False),
    ("invalid id", True, False),
    ("invalidparameter", True, False),
    ("invalidblockdevicemapping", True, False),
    ("unsupportedoperation", True, False),
)


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
    permanent, blames_image = next(
        ((permanent, image) for part, permanent, image in _KNOWN if part in lowered), (False, False)
    )
    at = activity["StartTime"].astimezone(UTC)
    return LaunchFailure(at=at, permanent=permanent, blames_image=blames_image, words=words)
