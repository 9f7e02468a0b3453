"""Security groups: the description of a rule that names another group, which moto takes and does not show."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from phoenix.sandbox.world import ACCOUNT, World


def rules(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """DescribeSecurityGroupRules, all on one page."""
    filters = {each["Name"]: list(each.get("Values", [])) for each in params.get("Filters", [])}
    found = world.ec2().describe_security_group_rules(list(params.get("SecurityGroupRuleIds", [])), filters)
    return {"SecurityGroupRules": [_describe(rule) for rule in found]}


def _describe(rule: Any) -> dict[str, Any]:
    referenced = rule.source_group
    shape = {
        "SecurityGroupRuleId": rule.id,
        "GroupId": rule.group_id,
        "GroupOwnerId": ACCOUNT,
        "IsEgress": rule.is_egress,
        "IpProtocol": rule.ip_protocol,
        "FromPort": rule.from_port,
        "ToPort": rule.to_port,
        "CidrIpv4": rule.cidr_ipv4,
        "CidrIpv6": rule.cidr_ipv6,
        "PrefixListId": rule.prefix_list_id,
        "ReferencedGroupInfo": {key: referenced[key] for key in ("GroupId", "UserId") if key in referenced} or None,
        "Description": rule.description or referenced.get("Description"),
        "Tags": [{"Key": tag["key"], "Value": tag["value"]} for tag in rule.get_tags()],
    }
    return {key: value for key, value in shape.items() if value is not None}


ANSWERS: Mapping[str, Callable[[World, dict[str, Any]], dict[str, Any] | None]] = {"DescribeSecurityGroupRules": rules}
