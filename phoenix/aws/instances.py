"""Instances as EC2 describes them. Reads only; never relies on the order of an answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC
from functools import partial
from itertools import islice
from typing import Any

from phoenix.aws.session import Aws
from phoenix.core.trigger import LiveInstance

_VERSION_TAG = "aws:ec2launchtemplate:version"
_FILTER_VALUES = 200  # the most values that one filter takes
_GONE = frozenset({"shutting-down", "terminated"})


def read_instances(aws: Aws, ids: Sequence[str]) -> list[LiveInstance]:
    """Return these instances by id; instances that EC2 does not know, or that are gone, are left out.

    Asks with a filter: a call by ids fails as a whole if one of them is unknown.
    """
    return [_instance(item) for item in describe_instances(aws, ids)]


def describe_instances(aws: Aws, ids: Sequence[str]) -> list[dict[str, Any]]:
    """The same as EC2 spells them."""
    return by_ids(aws, ids, _read)


def by_ids(
    aws: Aws, ids: Sequence[str], read: Callable[[Aws, list[str]], list[dict[str, Any]]]
) -> list[dict[str, Any]]:
    """What `read` finds for these ids, in as few calls as a filter's values allow, side by side."""
    rest = iter(sorted(set(ids)))
    batches = list(iter(lambda: list(islice(rest, _FILTER_VALUES)), []))
    answers = aws.side_by_side([partial(read, aws, batch) for batch in batches])
    return [item for answer in answers for item in answer]


def _read(aws: Aws, ids: list[str]) -> list[dict[str, Any]]:
    found = aws.pages(
        "ec2",
        "describe_instances",
        "Reservations",
        Filters=[{"Name": "instance-id", "Values": ids}],
        PaginationConfig={"PageSize": 1000},
    )
    described = (item for reservation in found for item in reservation["Instances"])
    return [item for item in described if item["State"]["Name"] not in _GONE]


def _instance(item: dict[str, Any]) -> LiveInstance:
    tags = {tag["Key"]: tag["Value"] for tag in item.get("Tags", ())}
    return LiveInstance(
        id=item["InstanceId"],
        image=item["ImageId"],
        launched_at=item["LaunchTime"].astimezone(UTC),
        template_version=tags.get(_VERSION_TAG),
        tags=tags,
        instance_type=item.get("InstanceType"),
        private_address=item.get("PrivateIpAddress"),
    )
