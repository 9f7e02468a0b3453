"""The volumes that an instance is launched with: its image's, and over them its template's, as EC2 merges them.

Must never leave an instance without a root volume: every image here has one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from moto.ec2.models.amis import Ami


def devices(image: Ami, content: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Block device mappings as moto takes them.

    "If you specify a block device mapping for an instance, it overrides the AMI's for the same device", and NoDevice
    takes one out: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/block-device-mapping-concepts.html
    """
    # EC2 deletes root volumes with their instance unless told otherwise; moto's images say the contrary.
    kept = {each["DeviceName"]: {**each["Ebs"], "DeleteOnTermination": True} for each in image.block_device_mappings}
    for mapping in content.get("BlockDeviceMappings") or ():
        name = mapping["DeviceName"]
        if mapping.get("NoDevice") is not None:
            kept.pop(name, None)
        elif "Ebs" in mapping:
            kept[name] = {"VolumeSize": 8, "VolumeType": "gp2"} | kept.get(name, {}) | mapping["Ebs"]
    # Without the snapshot: moto would look for it, and its size is known.
    return [
        {"DeviceName": name, "Ebs": {key: value for key, value in ebs.items() if key != "SnapshotId"}}
        for name, ebs in kept.items()
    ]
