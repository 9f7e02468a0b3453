"""What CreateRule takes besides its actions: priority, conditions, room. AWS's refusals, which moto leaves out.

Sources: API_CreateRule (Priority: "Valid Range: Minimum value of 1. Maximum value of 50000"; errors PriorityInUse and
TooManyRules), API_RuleCondition, API_HttpHeaderConditionConfig ("The maximum length is 40 characters … You can't use an
HTTP header condition to specify the host header"), API_SourceIpConditionConfig ("You can't specify multiple source IP
conditions"), and "Quotas for your Application Load Balancers": 100 rules a load balancer that are not default ones, 5
condition values and 6 condition wildcards a rule. Codes are those of botocore's model. PriorityInUse is moto's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from ipaddress import ip_network
from typing import Any

from phoenix.sandbox.answers.common import invalid, refuse
from phoenix.sandbox.world import World

MOST_RULES = 100
MOST_VALUES = 5
MOST_WILDCARDS = 6
HIGHEST_PRIORITY = 50_000
LONGEST_HEADER, LONGEST_VALUE = 40, 128
_CONFIGS = (
    "HostHeaderConfig",
    "PathPatternConfig",
    "HttpHeaderConfig",
    "QueryStringConfig",
    "HttpRequestMethodConfig",
    "SourceIpConfig",
)
_ONCE = ("host-header", "path-pattern", "http-request-method", "source-ip")


def check_new_rule(world: World, params: Mapping[str, Any], balancer: str) -> None:
    """Refuse a rule that AWS refuses.

    Raises:
        Refusal: in AWS's code; the words are the sandbox's where AWS does not document them.
    """
    priority = int(params["Priority"])
    if not 1 <= priority <= HIGHEST_PRIORITY:
        raise invalid(f"Priority '{priority}' must be between 1 and {HIGHEST_PRIORITY}")
    found: Any = world.elbv2().load_balancers.get(balancer)
    listeners = found.listeners.values() if found is not None else ()
    rules = sum(len(listener.rules) - 1 for listener in listeners)
    if rules >= world.rules_a_balancer:
        raise refuse("TooManyRules", f"The maximum number of rules has been reached: {world.rules_a_balancer}")
    _check_conditions(params.get("Conditions") or ())
    check_transforms(params.get("Transforms") or ())


def check_transforms(transforms: Sequence[Mapping[str, Any]]) -> None:
    """One of each kind a rule, says the guide's page "Transforms for listener rules"; the words are the sandbox's.

    Raises:
        Refusal: there are two of one kind.
    """
    kinds = [str(each.get("Type")) for each in transforms]
    if len(set(kinds)) < len(kinds):
        raise invalid("A rule can only have one transform of each type")


def _check_conditions(conditions: Sequence[Mapping[str, Any]]) -> None:
    fields = [str(condition.get("Field")) for condition in conditions]
    twice = next((field for field in _ONCE if fields.count(field) > 1), None)
    if twice is not None:
        raise invalid(f"A rule can only have one '{twice}' condition")
    for condition in conditions:
        if "Values" in condition and any(config in condition for config in _CONFIGS):
            raise invalid("You must specify either the values or the configuration of a condition, but not both")
        _check_header(condition.get("HttpHeaderConfig") or {})
        for block in (condition.get("SourceIpConfig") or {}).get("Values", ()):
            _check_block(str(block))
    values = [value for condition in conditions for value in _values(condition)]
    if len(values) > MOST_VALUES:
        raise invalid(f"A rule can only have {MOST_VALUES} condition values")
    if sum(sign in "*?" for value in values for sign in value) > MOST_WILDCARDS:
        raise invalid(f"A rule can only have {MOST_WILDCARDS} condition wildcards")
    if any(not value or len(value) > LONGEST_VALUE for value in values):
        raise invalid(f"A condition value must have between 1 and {LONGEST_VALUE} characters")


def _check_header(config: Mapping[str, Any]) -> None:
    name = str(config.get("HttpHeaderName", ""))
    if name.lower() == "host":
        raise invalid("Condition field 'http-header' does not support the host header; use 'host-header'")
    if len(name) > LONGEST_HEADER:
        raise invalid(f"The header name '{name}' must have at most {LONGEST_HEADER} characters")


def _check_block(block: str) -> None:
    try:
        ip_network(block)
    except ValueError:
        raise invalid(f"The source IP '{block}' is not a valid CIDR block") from None


def _values(condition: Mapping[str, Any]) -> Iterator[str]:
    configs = [condition[config] for config in _CONFIGS if config in condition]
    for config in configs or [condition]:
        for value in config.get("Values", ()):
            yield str(value["Value"]) if isinstance(value, Mapping) else str(value)
