"""AWS Cloud Map: registrations are operations, which take their time and may fail.

moto carries out everything at once, lists an instance twice that is registered twice, knows no limits and no filters,
and takes any attribute. Words and limits: https://docs.aws.amazon.com/cloud-map/latest/api/ and the documentation of
the errors in botocore's model of servicediscovery; where neither has words, the code is AWS's and the sentence is not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from phoenix.sandbox.answers.common import page, refuse
from phoenix.sandbox.registry import DEREGISTER, REGISTER, Operation
from phoenix.sandbox.world import World

MOST_INSTANCES = 1000
""" "Instances per service: 1,000" (AWS Cloud Map service quotas); not adjustable."""
MOST_CUSTOM = 30
""" "You can add up to 30 custom attributes." (API_RegisterInstance)"""
MOST_A_PAGE = 100
_NEEDS = {
    "A": ("AWS_INSTANCE_IPV4",),
    "SRV": ("AWS_INSTANCE_IPV4", "AWS_INSTANCE_PORT"),
    "AAAA": ("AWS_INSTANCE_IPV6",),
}
"""API_RegisterInstance, Attributes: "This value is required if the service … includes settings for an A record." …"""


def register(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """RegisterInstance."""
    service, instance = _service(world, params["ServiceId"]), str(params["InstanceId"])
    attributes = {str(key): str(value) for key, value in (params.get("Attributes") or {}).items()}
    _refuse_pending(world, service.id, instance)
    _check(world, service, attributes)
    known = {each.instance_id for each in service.instances}
    if instance not in known and len(known) >= MOST_INSTANCES:
        raise refuse(
            "ResourceLimitExceeded",
            "The resource can't be created because you've reached the quota on the number of resources.",
        )
    return {"OperationId": world.registry.submit(REGISTER, service.id, instance, attributes).id}


def deregister(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """DeregisterInstance."""
    service, instance = _service(world, params["ServiceId"]), str(params["InstanceId"])
    _refuse_pending(world, service.id, instance)
    if instance not in {each.instance_id for each in service.instances}:
        raise refuse("InstanceNotFound", f"Instance not found: {instance}")
    return {"OperationId": world.registry.submit(DEREGISTER, service.id, instance, {}).id}


def list_operations(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """ListOperations: summaries only."""
    found = [each for each in world.registry.operations if all(_fits(each, f) for f in params.get("Filters") or ())]
    size = min(int(params.get("MaxResults") or MOST_A_PAGE), MOST_A_PAGE)
    shown, token = page([{"Id": each.id, "Status": each.status} for each in found], params.get("NextToken"), size)
    return {"Operations": shown, **({"NextToken": token} if token else {})}


def get_operation(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """GetOperation."""
    found = next((each for each in world.registry.operations if each.id == params["OperationId"]), None)
    if found is None:
        raise refuse("OperationNotFound", f"Operation not found: {params['OperationId']}")
    failed = {"ErrorCode": "CANNOT_CREATE_HOSTED_ZONE", "ErrorMessage": found.message} if found.message else {}
    return {
        "Operation": {
            "Id": found.id,
            "Type": found.kind,
            "Status": found.status,
            "CreateDate": found.created,
            "UpdateDate": found.updated,
            "Targets": {"INSTANCE": found.instance, "SERVICE": found.service},
            **failed,
        }
    }


def get_service(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """GetService: what the service does not have is left out."""
    shown = {key: value for key, value in _service(world, params["Id"]).to_json().items() if value not in (None, {})}
    count = len(_service(world, params["Id"]).instances)
    return {"Service": shown | {"InstanceCount": count}}


def list_instances(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """ListInstances: a hundred a page unless fewer are asked for."""
    found = [
        {"Id": each.instance_id, "Attributes": each.attributes}
        for each in _service(world, params["ServiceId"]).instances
    ]
    size = min(int(params.get("MaxResults") or MOST_A_PAGE), MOST_A_PAGE)
    shown, token = page(found, params.get("NextToken"), size)
    return {"Instances": shown, **({"NextToken": token} if token else {})}


def _service(world: World, service: str) -> Any:
    found = world.registry.backend.services.get(service)
    if found is None:
        raise refuse("ServiceNotFound", f"Service not found: {service}")
    return found


def _refuse_pending(world: World, service: str, instance: str) -> None:
    if world.registry.pending(service, instance) is not None:
        raise refuse("DuplicateRequest", "The operation is already in progress.")


def _check(world: World, service: Any, attributes: Mapping[str, str]) -> None:
    """The rules of API_RegisterInstance, Attributes."""
    kinds = [str(each["Type"]) for each in (service.dns_config or {}).get("DnsRecords") or ()]
    missing = [key for kind in kinds for key in _NEEDS.get(kind, ()) if not attributes.get(key)]
    if missing:
        raise refuse("InvalidInput", f"The attribute {missing[0]} is required by the records of service {service.id}.")
    custom = [key for key in attributes if not key.startswith("AWS_")]
    if len(custom) > MOST_CUSTOM:
        raise refuse("InvalidInput", f"An instance has at most {MOST_CUSTOM} custom attributes.")
    if "AWS_EC2_INSTANCE_ID" in attributes:
        namespace = world.registry.backend.namespaces[service.namespace_id]
        alone = {*attributes} <= {"AWS_EC2_INSTANCE_ID", "AWS_INIT_HEALTH_STATUS"}
        if namespace.type != "HTTP" or not alone:
            raise refuse("InvalidInput", "AWS_EC2_INSTANCE_ID stands alone, and in HTTP namespaces only.")
    if "AWS_INIT_HEALTH_STATUS" in attributes and service.health_check_custom_config is None:
        raise refuse("InvalidInput", f"Service {service.id} has no HealthCheckCustomConfig.")


def _fits(operation: Operation, asked: Mapping[str, Any]) -> bool:
    """API_OperationFilter: EQ takes one value, IN several, BETWEEN two times; UPDATE_DATE takes BETWEEN only."""
    values, condition = [str(each) for each in asked["Values"]], asked.get("Condition", "EQ")
    match asked["Name"], condition:
        case "UPDATE_DATE", "BETWEEN" if len(values) == 2:
            since, until = (float(each) for each in values)
            return since <= operation.updated.timestamp() <= until
        case (("SERVICE_ID" | "STATUS" | "TYPE"), ("EQ" | "IN")) if condition == "IN" or len(values) == 1:
            told = {"SERVICE_ID": operation.service, "STATUS": operation.status, "TYPE": operation.kind}
            return told[asked["Name"]] in values
        case _:
            raise refuse("InvalidInput", f"The filter {asked['Name']} {condition} {values} is not valid.")


ANSWERS: Mapping[str, Callable[[World, dict[str, Any]], dict[str, Any] | None]] = {
    "RegisterInstance": register,
    "DeregisterInstance": deregister,
    "ListOperations": list_operations,
    "GetOperation": get_operation,
    "GetService": get_service,
    "ListInstances": list_instances,
}
