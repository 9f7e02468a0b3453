"""Listeners, rules and attributes of target groups: read once, changed here from then on."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from phoenix.aws.session import Aws

Item = dict[str, Any]


class Rules:
    """A copy of what AWS described when it was first asked."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        self._rules: dict[str, Item] = {}
        self._listeners: dict[str, Item] = {}
        self._tags: dict[str, list[Item]] = {}
        self._searched: dict[tuple[str, str], list[str]] = {}
        self._attributes: dict[str, dict[str, str]] = {}

    def describe_rules(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """By ARN, or all of a listener."""
        return {"Rules": self._known(self._rules, "describe_rules", "Rules", parameters)}

    def describe_listeners(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """By ARN, or all of a load balancer."""
        return {"Listeners": self._known(self._listeners, "describe_listeners", "Listeners", parameters)}

    def create_rule(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """One more rule of a listener."""
        listener = parameters["ListenerArn"]
        arn = f"{listener.replace(':listener/', ':listener-rule/')}/rehearsed{len(self._tags)}"
        made = {"RuleArn": arn, "IsDefault": False, "Priority": str(parameters["Priority"])}
        self._rules[arn] = made | {key: deepcopy(parameters[key]) for key in ("Conditions", "Actions")}
        self._tags[arn] = list(parameters.get("Tags", ()))
        self._searched.setdefault(("describe_rules", listener), []).append(arn)
        return {"Rules": [self._rules[arn]]}

    def delete_rule(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """One less."""
        arn = parameters["RuleArn"]
        self._rules.pop(arn, None)
        for known in self._searched.values():
            known[:] = [each for each in known if each != arn]
        return {}

    def describe_tags(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Of what was made here as it was made, of all else as AWS says."""
        ours = [arn for arn in parameters["ResourceArns"] if arn in self._tags]
        theirs = [arn for arn in parameters["ResourceArns"] if arn not in self._tags]
        found = [{"ResourceArn": arn, "Tags": self._tags[arn]} for arn in ours]
        asked = self._aws.call("elbv2", "describe_tags", ResourceArns=theirs)["TagDescriptions"] if theirs else []
        return {"TagDescriptions": [*found, *asked]}

    def modify_rule(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Replace its actions."""
        rule = self._rules[parameters["RuleArn"]]
        rule["Actions"] = deepcopy(parameters["Actions"])
        return {"Rules": [rule]}

    def modify_listener(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Replace its default actions, which are those of its default rule."""
        arn, actions = parameters["ListenerArn"], parameters["DefaultActions"]
        for rule in self._rules.values():
            if rule["IsDefault"] and _listener_of(rule["RuleArn"]) == arn:
                rule["Actions"] = deepcopy(actions)
        if arn in self._listeners:
            self._listeners[arn]["DefaultActions"] = deepcopy(actions)
        return {"Listeners": []}

    def describe_attributes(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Those of a target group."""
        known = self._attributes_of(parameters["TargetGroupArn"])
        return {"Attributes": [{"Key": key, "Value": value} for key, value in known.items()]}

    def modify_attributes(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Change some attributes of a target group."""
        known = self._attributes_of(parameters["TargetGroupArn"])
        known |= {item["Key"]: item["Value"] for item in parameters["Attributes"]}
        return {"Attributes": []}

    def _attributes_of(self, arn: str) -> dict[str, str]:
        if arn not in self._attributes:
            found = self._aws.call("elbv2", "describe_target_group_attributes", TargetGroupArn=arn)["Attributes"]
            self._attributes[arn] = {item["Key"]: item["Value"] for item in found}
        return self._attributes[arn]

    def _known(self, kept: dict[str, Item], method: str, items: str, parameters: Mapping[str, Any]) -> list[Item]:
        key = f"{items[:-1]}Arn"
        named: list[str] | None = parameters.get(f"{key}s")
        if named is None:
            ((_, place),) = parameters.items()
            if (method, place) not in self._searched:
                self._searched[method, place] = self._read(kept, method, items, parameters)
            named = self._searched[method, place]
        elif unknown := [arn for arn in named if arn not in kept]:
            self._read(kept, method, items, {f"{key}s": unknown})
        return [deepcopy(kept[arn]) for arn in named]

    def _read(self, kept: dict[str, Item], method: str, items: str, parameters: Mapping[str, Any]) -> list[str]:
        key, arns = f"{items[:-1]}Arn", []
        for item in self._aws.pages("elbv2", method, items, **parameters):
            kept.setdefault(item[key], deepcopy(item))
            arns.append(item[key])
        return arns


def _listener_of(rule: str) -> str:
    """`…:listener-rule/app/web/50dc/f2f7/9683` belongs to `…:listener/app/web/50dc/f2f7`."""
    return rule.replace(":listener-rule/", ":listener/").rsplit("/", 1)[0]
