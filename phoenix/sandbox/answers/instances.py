"""EC2 instances: dry runs that mean something, terminations that groups notice, status checks that take time."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any

from moto.ec2.exceptions import InvalidAMIIdError

from phoenix.sandbox.answers.common import refuse
from phoenix.sandbox.console import write_console
from phoenix.sandbox.launching import find_image, find_template
from phoenix.sandbox.versions import refuse_devices
from phoenix.sandbox.world import World


def run(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """RunInstances: check image, template and rights first, as a dry run does; moto does the rest."""
    ec2 = world.ec2()
    content: Mapping[str, Any] = {}
    if params.get("LaunchTemplate"):
        content = find_template(ec2, params["LaunchTemplate"])[1].data
    image = params.get("ImageId") or content.get("ImageId")
    if not image:
        raise refuse("MissingParameter", "The request must contain the parameter ImageId")
    if world.faults.denies_launches() or _breaks_terms(world, params):
        raise refuse("UnauthorizedOperation", "You are not authorized to perform this operation.")
    if image.startswith("resolve:ssm:"):
        return None
    found = find_image(ec2, image)
    if found is None:
        raise InvalidAMIIdError([image])
    refused = refuse_devices(found, {**content, **params})
    if refused is not None:
        raise refused
    if params.get("LaunchTemplate"):
        _check_type(world, params, content)
    return None


def _breaks_terms(world: World, params: Mapping[str, Any]) -> bool:
    terms = world.faults.terms
    given = {tag["Key"] for each in params.get("TagSpecifications", ()) for tag in each["Tags"]}
    return bool(terms.tags - given) or (terms.template_images_only and "ImageId" in params)


def _check_type(world: World, params: Mapping[str, Any], content: Mapping[str, Any]) -> None:
    """RunInstances knows no attributes, and without a type takes the oldest one (botocore: InstanceRequirements of
    RequestLaunchTemplateData, InstanceType of RunInstances, whose default is m1.small)."""
    if "InstanceRequirements" in content:
        raise refuse(
            "InvalidParameterCombination",
            "You can't use a launch template that specifies InstanceRequirements with the RunInstances API.",
        )
    chosen = params.get("InstanceType") or content.get("InstanceType")
    if chosen is None:
        raise refuse(
            "UnsupportedOperation",
            "The requested configuration is currently not supported. Please check the documentation for supported"
            " configurations.",
        )
    interfaces = params.get("NetworkInterfaces") or [{}]
    subnet = params.get("SubnetId") or interfaces[0].get("SubnetId")
    zone = world.ec2().get_subnet(subnet).availability_zone if subnet else ""
    if (chosen, zone) in world.faults.terms.withheld:
        raise refuse(
            "Unsupported",
            f"Your requested instance type ({chosen}) is not supported in your requested Availability Zone ({zone})."
            " Please retry your request by not specifying an Availability Zone or choosing another.",
        )


def describe_status(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """DescribeInstanceStatus: of running instances, unless all are asked for. An id that EC2 has forgotten refuses the
    whole call, also one that an Auto Scaling group lists in Standby."""
    ids = params.get("InstanceIds") or []
    if params.get("DryRun") or params.get("Filters"):
        return None
    if len(ids) > MOST_BY_ID:
        raise refuse("InvalidParameterValue", f"At most {MOST_BY_ID} instance IDs can be specified.")
    found = world.ec2().describe_instance_status(ids, bool(params.get("IncludeAllInstances")), None)
    return {"InstanceStatuses": [_status(world, each) for each in found]}


def _status(world: World, instance: Any) -> dict[str, Any]:
    status = world.servers.status_of(instance.id) if instance.state == "running" else "not-applicable"
    details = [{"Name": "reachability", "Status": DETAILS[status]}] if status in DETAILS else []
    return {
        "InstanceId": instance.id,
        "AvailabilityZone": instance.placement.zone,
        "InstanceState": {"Code": instance.state_code, "Name": instance.state},
        "InstanceStatus": {"Status": status, "Details": details},
        # The host below is well: only the instance is impaired.
        "SystemStatus": {"Status": "ok" if status == "impaired" else status, "Details": []},
    }


def console(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """GetConsoleOutput: what the machine wrote while it booted, in base64; nothing in the first moments. "EC2 returns
    the most recent 64 KB output, which will be available for at least one hour after the most recent post".
    """
    found = world.ec2().get_instance(params["InstanceId"])
    server = world.servers.get(found.id)
    written = "" if server is None or found.state == "pending" else write_console(server, found)
    return {
        "InstanceId": found.id,
        "Timestamp": world.timeline.now,
        "Output": base64.b64encode(written.encode()).decode(),
    }


def terminate(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """TerminateInstances: those of groups end as machines do, and are replaced."""
    if params.get("DryRun"):
        return None
    ours = [each for each in params["InstanceIds"] if world.servers.get(each) is not None]
    if not ours:
        return None
    changes = []
    for instance_id in params["InstanceIds"]:
        before = world.ec2().get_instance(instance_id).instance_state.name
        if instance_id in ours:
            world.servers.end(instance_id)
            world.scaling.machine_lost(instance_id)
        else:
            world.ec2().terminate_instances([instance_id])
        changes.append(
            {
                "InstanceId": instance_id,
                "CurrentState": {"Code": 32, "Name": "shutting-down"},
                "PreviousState": {"Code": 16 if before == "running" else 0, "Name": before},
            }
        )
    return {"TerminatingInstances": changes}


def modify_attribute(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """ModifyInstanceAttribute: type and user data can be changed only while the instance is stopped; groups of security
    and protection at any time.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyInstanceAttribute.html; the sentence is EC2's.
    """
    instance = world.ec2().get_instance(params["InstanceId"])
    if instance.state != "stopped" and any(each in params for each in ("InstanceType", "UserData")):
        raise refuse("IncorrectInstanceState", f"The instance '{instance.id}' is not in the 'stopped' state.")
    return None


def modify_metadata(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """ModifyInstanceMetadataOptions: an absent option stays as it is; moto would take its default."""
    instance = world.ec2().get_instance(params["InstanceId"])
    given = {key: params[key] for key in METADATA if key in params}
    known = {key: getattr(instance.metadata_options, _spelled(key)) for key in METADATA}
    made = world.ec2().modify_instance_metadata_options(
        instance.id,
        http_tokens=(known | given)["HttpTokens"],
        hop_limit=(known | given)["HttpPutResponseHopLimit"],
        http_endpoint=(known | given)["HttpEndpoint"],
        http_protocol=(known | given)["HttpProtocolIpv6"],
        metadata_tags=(known | given)["InstanceMetadataTags"],
    )
    shown = {key: getattr(made, _spelled(key)) for key in METADATA}
    return {"InstanceId": instance.id, "InstanceMetadataOptions": {"State": "pending", **shown}}


def _spelled(key: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in key).lstrip("_")


METADATA = ("HttpTokens", "HttpPutResponseHopLimit", "HttpEndpoint", "HttpProtocolIpv6", "InstanceMetadataTags")
MOST_BY_ID = 100
"""Explicitly specified instance ids of DescribeInstanceStatus: botocore's model. The words are the sandbox's."""
DETAILS = {"ok": "passed", "impaired": "failed", "initializing": "initializing"}

ANSWERS: Mapping[str, Callable[[World, dict[str, Any]], dict[str, Any] | None]] = {
    "DescribeInstanceStatus": describe_status,
    "ModifyInstanceAttribute": modify_attribute,
    "ModifyInstanceMetadataOptions": modify_metadata,
    "GetConsoleOutput": console,
    "RunInstances": run,
    "TerminateInstances": terminate,
}
