"""Route 53: changes that are refused whole or made whole, and take their time; moto takes almost any, at once.

Must never make a part of a change: AWS does not either.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from phoenix.sandbox.answers.common import refuse
from phoenix.sandbox.world import World

MOST_WEIGHT = 255  # API_ResourceRecordSet: 0 to 255
_POLICIES = ("Weight", "Region", "Failover", "GeoLocation", "MultiValueAnswer", "CidrRoutingConfig")


def change(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """ChangeResourceRecordSets. Its answer is PENDING, which moto never says."""
    backend = world.route53()
    zone: Any = backend.get_hosted_zone(params["HostedZoneId"])
    changes = params["ChangeBatch"]["Changes"]
    for each in changes:
        _check(zone, each["Action"], each["ResourceRecordSet"], changes)
    backend.change_resource_record_sets(params["HostedZoneId"], changes)
    made = world.records.note_change()
    return {"ChangeInfo": _info(world, made)}


def get_change(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """GetChange."""
    wanted = str(params["Id"]).rpartition("/")[2]
    if world.records.status_of(wanted) is None:
        raise refuse("NoSuchChange", f"Could not find resource with ID: {wanted}")
    return {"ChangeInfo": _info(world, wanted)}


def _info(world: World, made: str) -> dict[str, Any]:
    return {"Id": f"/change/{made}", "Status": world.records.status_of(made), "SubmittedAt": world.timeline.now}


def _check(zone: Any, action: str, record: Mapping[str, Any], changes: Sequence[Mapping[str, Any]]) -> None:
    weight = record.get("Weight")
    if weight is not None and not 0 <= int(weight) <= MOST_WEIGHT:
        # The words that Route 53 has for any constraint of its model.
        raise refuse(
            "InvalidInput",
            f"1 validation error detected: Value '{weight}' at 'changeBatch.changes.1.member.resourceRecordSet.weight'"
            f" failed to satisfy constraint: Member must have value less than or equal to {MOST_WEIGHT}",
        )
    if weight is not None and not record.get("SetIdentifier"):
        raise refuse(
            "InvalidInput",
            "Invalid request: Missing field 'SetIdentifier' in Change with"
            f" [Action={action}, Name={record['Name']}, Type={record['Type']}, SetIdentifier=null]",
        )
    if action == "DELETE":
        return
    _check_beside(zone, record, changes)


def _check_beside(zone: Any, record: Mapping[str, Any], changes: Sequence[Mapping[str, Any]]) -> None:
    """Against the other records of the name and type, as they will be."""
    place, mine = _place(record), record.get("SetIdentifier")
    coming = {
        each["ResourceRecordSet"].get("SetIdentifier"): each["ResourceRecordSet"]
        for each in changes
        if _place(each["ResourceRecordSet"]) == place
    }
    there = [each for each in zone.rrsets if (_bare(each.name), each.type) == place and each.set_identifier != mine]
    name = f"RRSet with DNS name {place[0]}., type {place[1]}"
    for other in there:
        if (other.weight is None) != ("Weight" not in record):
            kind = "non-weighted" if other.weight is None else "weighted"
            # kubernetes-sigs/external-dns#4345
            raise refuse(
                "InvalidChangeBatch",
                f"[{name}, SetIdentifier {mine} cannot be created as a {kind} set exists with the same name and type.]",
            )
        ttl = coming[other.set_identifier].get("TTL") if other.set_identifier in coming else other.ttl
        if "Weight" in record and _number(ttl) != _number(record.get("TTL")):
            # aws/aws-sdk-go-v2#518
            raise refuse(
                "InvalidChangeBatch",
                f"[{name}, SetIdentifier {mine} cannot be created as weighted sets must contain the same TTL.]",
            )


def _place(record: Mapping[str, Any]) -> tuple[str, str]:
    return _bare(str(record["Name"])), str(record["Type"])


def _bare(name: str) -> str:
    return name.lower().removesuffix(".")


def _number(value: Any) -> int | None:
    return None if value is None else int(value)


ANSWERS: Mapping[str, Callable[[World, dict[str, Any]], dict[str, Any] | None]] = {
    "ChangeResourceRecordSets": change,
    "GetChange": get_change,
}
