"""One launch of the candidate's kind, tried on EC2 without being made.

Must never launch anything: DryRun is always set, and its only good answer is an error. Must never take the answer to
another question for this one: a launch that Auto Scaling makes otherwise is not tried, and that is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from phoenix.aws.errors import code_of
from phoenix.aws.session import Aws
from phoenix.aws.templates import TemplateVersion
from phoenix.core.blocker import Blocker
from phoenix.core.image import Image
from phoenix.errors import AccessDenied, PhoenixError, TransientError
from phoenix.fleets.group_shapes import subnets_of

CHECKS: Final = ("launch-denied", "launch-impossible", "launch-zone")

_WOULD_SUCCEED: Final = "DryRunOperation"
_OF_ONE_ZONE: Final = frozenset({"Unsupported", "InsufficientFreeAddressesInSubnet"})
"""Refusals that concern one zone, or its subnet. Auto Scaling launches in the others then.

"Your requested instance type (m7i.large) is not supported in your requested Availability Zone (us-east-1e)" has the
code Unsupported ("Error codes for the Amazon EC2 API")."""
_NO_SUCH_IMAGE: Final = "InvalidAMIID.NotFound"
_BAD_MAPPING: Final = "InvalidBlockDeviceMapping"
_IMAGE: Final = "ImageId"
_INSTANCE: Final = "instance"
_REQUIREMENTS: Final = "InstanceRequirements"


@dataclass(frozen=True, slots=True)
class Trial:
    """The group that will launch, the version that the next one is made from, and the new image. `mappings` are the
    block devices of the next version; None where they are the source's own."""

    group: Mapping[str, Any]
    source: TemplateVersion
    image: Image
    mappings: Sequence[Mapping[str, Any]] | None = None

    @property
    def where(self) -> str:
        """The template version, for a person."""
        return f"launch template {self.source.template} version {self.source.number}"

    @property
    def remedy(self) -> str:
        """The command that shows the template."""
        return f"aws ec2 describe-launch-template-versions --launch-template-id {self.source.template}"


def try_launch(aws: Aws, trial: Trial) -> list[Blocker]:
    """Launch one instance in each of the group's subnets until one would take it; nothing when the first does.

    Raises:
        TransientError: AWS did not answer.
    """
    if _chooses_by_attributes(trial):
        return [_untried(trial)]
    refused: list[PhoenixError] = []
    subnets: list[str | None] = [*sorted(subnets_of(trial.group))]
    for subnet in subnets or [None]:
        error = _refusal(aws, _launch(trial, subnet))
        if error is None or _is_about_old_devices(trial, error):
            return [_uneven(trial, refused)] if refused else []
        if isinstance(error, AccessDenied):
            return [_denied(aws, trial, subnet, error)]
        if code_of(error) == _NO_SUCH_IMAGE:
            # Its description was read a moment ago: another of EC2's replicas does not know it yet, or no more.
            raise TransientError(f"{trial.image.id} is not known everywhere yet: {error}") from error
        refused.append(error)
        if code_of(error) not in _OF_ONE_ZONE:
            break
    return [
        Blocker(
            "launch-impossible",
            trial.where,
            f"{trial.image.id} cannot be launched. {refused[-1].message}",
            trial.remedy,
        )
    ]


def _is_about_old_devices(trial: Trial, error: PhoenixError) -> bool:
    """EC2 may judge the template's own mappings, which the next version will not have."""
    return code_of(error) == _BAD_MAPPING and trial.mappings is not None


def instance_type_of(group: Mapping[str, Any], source: TemplateVersion) -> str | None:
    """The type of the first override that names one, else the template's; None where attributes choose it."""
    overrides = _overrides(group)
    named = next((str(each["InstanceType"]) for each in overrides if "InstanceType" in each), None)
    if named is not None or any(_REQUIREMENTS in each for each in overrides):
        return named
    found = source.content.get("InstanceType")
    return str(found) if found else None


def _chooses_by_attributes(trial: Trial) -> bool:
    """RunInstances takes no template with InstanceRequirements (botocore, RequestLaunchTemplateData), and without any
    type it launches an m1.small, which hardly any image of today boots on."""
    return _REQUIREMENTS in trial.source.content or instance_type_of(trial.group, trial.source) is None


def _overrides(group: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    policy = group.get("MixedInstancesPolicy") or {}
    return policy.get("LaunchTemplate", {}).get("Overrides") or ()


def _untried(trial: Trial) -> Blocker:
    return Blocker(
        "not-checked",
        "trial launch",
        f"{trial.group['AutoScalingGroupName']} chooses instance types by their attributes: EC2 has no trial of such a"
        " launch. A launch that fails is seen when it happens, and named with AWS's reason.",
        trial.remedy,
        warning=True,
        unchecked=CHECKS,
    )


def _uneven(trial: Trial, refused: Sequence[PhoenixError]) -> Blocker:
    name, subnets = trial.group["AutoScalingGroupName"], subnets_of(trial.group)
    return Blocker(
        "launch-zone",
        f"Auto Scaling group {name}",
        f"EC2 would refuse the launch in {len(refused)} of {len(subnets)} subnets, so the next generation is launched"
        f" in the others. {refused[0].message}",
        f"aws autoscaling describe-auto-scaling-groups --auto-scaling-group-names {name}",
        warning=True,
    )


def _denied(aws: Aws, trial: Trial, subnet: str | None, error: AccessDenied) -> Blocker:
    """A blocker, unless it is only the trial that is refused.

    The trial names the image, which the launch takes from its template version. Rights that demand
    `ec2:IsLaunchTemplateResource` for images refuse the one and allow the other. That is so if the version's own image
    is refused when it is named, and launched when it is not. `of_rights`: the caller has come to read.
    """
    own = trial.source.content.get(_IMAGE)
    launch = _launch(trial, subnet)
    unnamed = {key: value for key, value in launch.items() if key != _IMAGE}
    if own and isinstance(_refusal(aws, launch | {_IMAGE: own}), AccessDenied) and _refusal(aws, unnamed) is None:
        return Blocker(
            "not-checked",
            "trial launch",
            "The rights of the caller allow images only as a template names them (ec2:IsLaunchTemplateResource), so the"
            f" new one cannot be tried before its version is made. {error.message}",
            error.hint,
            warning=True,
            unchecked=CHECKS,
        )
    blocker = Blocker("launch-denied", trial.where, f"A launch would be refused. {error.message}", error.hint)
    return replace(blocker, of_rights=not _may_make_versions(aws, trial.source))


def _may_make_versions(aws: Aws, source: TemplateVersion) -> bool:
    """True if the caller may do the first thing of every rotation; a caller who may not is here to read."""
    version = {"LaunchTemplateId": source.template, "LaunchTemplateData": {_IMAGE: source.content.get(_IMAGE, "")}}
    error = _refusal(aws, version, method="create_launch_template_version")
    return not isinstance(error, AccessDenied)


def _refusal(aws: Aws, parameters: Mapping[str, Any], method: str = "run_instances") -> PhoenixError | None:
    """EC2's reason to refuse this; None when it would not."""
    try:
        aws.call("ec2", method, DryRun=True, **parameters)
    except TransientError:
        raise
    except PhoenixError as error:
        return None if code_of(error) == _WOULD_SUCCEED else error
    return None


def _launch(trial: Trial, subnet: str | None) -> dict[str, Any]:
    launch: dict[str, Any] = {
        "LaunchTemplate": {"LaunchTemplateId": trial.source.template, "Version": str(trial.source.number)},
        "ImageId": trial.image.id,
        "MinCount": 1,
        "MaxCount": 1,
    }
    interfaces = trial.source.content.get("NetworkInterfaces")
    if subnet and interfaces:
        # EC2 takes a subnet either for the launch or for an interface, and the template has chosen.
        launch["NetworkInterfaces"] = [dict(interfaces[0]) | {"SubnetId": subnet}]
    elif subnet:
        launch["SubnetId"] = subnet
    if trial.mappings:
        launch["BlockDeviceMappings"] = trial.mappings
    if _overrides(trial.group):
        launch["InstanceType"] = instance_type_of(trial.group, trial.source)
    tags = dict(_tags(trial))
    if tags:
        listed = [{"Key": key, "Value": value} for key, value in tags.items()]
        launch["TagSpecifications"] = [{"ResourceType": _INSTANCE, "Tags": listed}]
    return launch


def _tags(trial: Trial) -> Iterator[tuple[str, str]]:
    """The tags of launched instances: the template's, and the group's that propagate. An organisation may refuse
    launches without some of them."""
    for each in trial.source.content.get("TagSpecifications", ()):
        if each.get("ResourceType") == _INSTANCE:
            yield from ((str(tag["Key"]), str(tag.get("Value", ""))) for tag in each.get("Tags", ()))
    for tag in trial.group.get("Tags", ()):
        if tag.get("PropagateAtLaunch") and not str(tag["Key"]).startswith("aws:"):
            yield str(tag["Key"]), str(tag.get("Value", ""))
