"""Do live instances keep something that would be lost, or left behind, when they go: volumes, elastic addresses?

Reads only. Warnings all: the owner may well know, but finds out now rather than afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import Any, Final

from phoenix.aws.rights import FORWARD, reads
from phoenix.aws.session import Aws
from phoenix.core.blocker import Blocker
from phoenix.core.explain import counted

IAM_ACTIONS: Final = reads("ec2:DescribeInstances", roles=FORWARD)
CHECKS: Final = ("volumes-kept", "elastic-address")

_FILTER_VALUES = 200  # what one filter takes at most
_MOST_SHOWN = 3
_AMAZON: Final = "amazon"


def find_pets(aws: Aws, group: Mapping[str, Any]) -> Iterator[Blocker]:
    """One for all instances with volumes that outlive them, one for all with addresses of their own."""
    name = str(group["AutoScalingGroupName"])
    ids = sorted(str(instance["InstanceId"]) for instance in group.get("Instances", ()))
    batches = [ids[start : start + _FILTER_VALUES] for start in range(0, len(ids), _FILTER_VALUES)]
    answers = aws.side_by_side([partial(_described, aws, batch) for batch in batches])
    instances = list(chain.from_iterable(answers))
    keeping = [str(each["InstanceId"]) for each in instances if _keeps_a_volume(each)]
    if keeping:
        yield Blocker(
            "volumes-kept",
            f"Auto Scaling group {name}",
            f"{counted(len(keeping), 'instance')} of {name} have volumes that outlive them ({_shown(keeping)}): what is"
            " on them does not move to the new generation, and they go on costing. To have them deleted:",
            f"aws ec2 modify-instance-attribute --instance-id {keeping[0]} \\\n"
            "    --block-device-mappings 'DeviceName=<device>,Ebs={DeleteOnTermination=true}'",
            warning=True,
        )
    addressed = [str(each["InstanceId"]) for each in instances if _has_own_address(each)]
    if addressed:
        yield Blocker(
            "elastic-address",
            f"Auto Scaling group {name}",
            f"{counted(len(addressed), 'instance')} of {name} have elastic addresses ({_shown(addressed)}):"
            " phoenix does not attach them to the new generation.",
            f"aws ec2 describe-addresses --filters Name=instance-id,Values={','.join(addressed[:_MOST_SHOWN])}",
            warning=True,
        )


def _described(aws: Aws, ids: list[str]) -> list[dict[str, Any]]:
    found = aws.pages(
        "ec2",
        "describe_instances",
        "Reservations",
        Filters=[{"Name": "instance-id", "Values": ids}],
        PaginationConfig={"PageSize": 1000},
    )
    return [instance for reservation in found for instance in reservation["Instances"]]


def _keeps_a_volume(instance: Mapping[str, Any]) -> bool:
    mappings = instance.get("BlockDeviceMappings", ())
    return any(mapping.get("Ebs", {}).get("DeleteOnTermination") is False for mapping in mappings)


def _has_own_address(instance: Mapping[str, Any]) -> bool:
    """The owner of an address that comes and goes with its instance is `amazon`."""
    owners = [each.get("Association", {}).get("IpOwnerId") for each in instance.get("NetworkInterfaces", ())]
    return any(owner not in (None, _AMAZON) for owner in owners)


def _shown(ids: Sequence[str]) -> str:
    return ", ".join(ids[:_MOST_SHOWN]) + (", …" if len(ids) > _MOST_SHOWN else "")
