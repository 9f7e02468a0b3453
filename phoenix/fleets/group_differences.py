"""The attributes that differ between the live generation and the next. Reads only; AWS's names, for people.

Must never show user data, which may hold a secret: its digest tells that it has changed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from phoenix.aws.session import Aws
from phoenix.aws.templates import template_of, versions_to_copy
from phoenix.core.difference import Difference
from phoenix.fleets.group_shapes import OUR_PREFIX
from phoenix.fleets.group_template import running_version

_OWN: Final = frozenset(
    {
        "AutoScalingGroupARN", "AutoScalingGroupName", "AvailabilityZoneIds", "CreatedTime", "DesiredCapacity",
        "EnabledMetrics", "Instances", "LaunchTemplate", "LoadBalancerNames", "MaxSize", "MinSize",
        "PredictedCapacity", "Status", "SuspendedProcesses", "TargetGroupARNs", "TrafficSources", "WarmPoolSize",
    }
)  # fmt: skip
"""What each of the two groups of a pair has for itself, or phoenix sets."""
_HIDDEN: Final = "UserData"
_DIGEST_LETTERS: Final = 12


def of_template(aws: Aws, group: Mapping[str, Any], following: Mapping[str, Any]) -> Iterator[Difference]:
    """Between the version that the live instances were launched from and the one that will be copied, but for the
    image, which is chosen.

    Raises:
        NotFound: the template is gone.
    """
    running, use = running_version(aws, group), template_of(following)
    if running is None or use is None:
        return
    content = (dict(running.content), dict(versions_to_copy(aws, use.id).source.content))
    before, after = ({k: v for k, v in each.items() if k != "ImageId"} for each in content)
    yield from _differences("template", before, after)


def of_groups(live: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[Difference]:
    """Between the live group of a pair and the one that is live next."""
    yield from _differences("group", _shared(live), _shared(other))


def _shared(group: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {key: value for key, value in group.items() if key not in _OWN}
    found["Tags"] = {
        tag["Key"]: tag.get("Value", "") for tag in group.get("Tags", ()) if not tag["Key"].startswith(OUR_PREFIX)
    }
    for key in ("VPCZoneIdentifier",):
        found[key] = ",".join(sorted(str(found.get(key, "")).split(",")))
    if "AvailabilityZones" in found:
        found["AvailabilityZones"] = ", ".join(sorted(found["AvailabilityZones"]))
    policy = found.get("MixedInstancesPolicy")
    if policy:
        launches = {k: v for k, v in policy["LaunchTemplate"].items() if k != "LaunchTemplateSpecification"}
        found["MixedInstancesPolicy"] = dict(policy) | {"LaunchTemplate": launches}
    return found


def _differences(of: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Difference]:
    old, new = dict(_flat("", before)), dict(_flat("", after))
    for attribute in sorted(old.keys() | new.keys()):
        if old.get(attribute) != new.get(attribute):
            yield Difference(of, attribute, old.get(attribute, ""), new.get(attribute, ""))


def _flat(path: str, value: Any) -> Iterator[tuple[str, str]]:
    """`MetadataOptions.HttpTokens`, `NetworkInterfaces[0].Groups[1]`: every leaf by its path."""
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _flat(f"{path}.{key}" if path else str(key), inner)
    elif isinstance(value, list) and value:
        for number, inner in enumerate(value):
            yield from _flat(f"{path}[{number}]", inner)
    else:
        yield path, _in_words(path, value)


def _in_words(path: str, value: Any) -> str:
    if path.rpartition(".")[2] == _HIDDEN:
        digest = hashlib.sha256(str(value).encode()).hexdigest()[:_DIGEST_LETTERS]
        return f"sha256 {digest}.., {len(str(value))} letters"
    return value if isinstance(value, str) else json.dumps(value, default=str)
