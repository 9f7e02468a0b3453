"""Rules of phoenix's own: where they go, what they say, and which of them are there. Pure.

Must never take a priority that a rule of the owner has, nor one from which a rule of ours would answer requests that a
rule before the shadowed one answers now: each goes between the rule that it shadows and the one before that.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from phoenix.core.action import SetOptIns
from phoenix.core.opt_in import OptIn, OptInKind, OptInRule, OptIns
from phoenix.routers.forwarding import Pair, Rule

HIGHEST_PRIORITY: Final = 50_000  # CreateRule: "valid range: 1-50000"
MOST_VALUES: Final = 5  # "Condition values per rule", quotas of Application Load Balancers
MOST_WILDCARDS: Final = 6  # "Condition wildcards per rule", same page
_BY_REQUEST: Final = frozenset({"http-header", "query-string", "source-ip"})
_ONCE: Final = frozenset({"source-ip"})
"""Conditions that a rule has at most one of (listener-rules guide), and that a rule of ours might add a second of."""
_CONFIGS: Final[Mapping[str, str]] = {
    "host-header": "HostHeaderConfig",
    "path-pattern": "PathPatternConfig",
    "http-header": "HttpHeaderConfig",
    "query-string": "QueryStringConfig",
    "http-request-method": "HttpRequestMethodConfig",
    "source-ip": "SourceIpConfig",
}

Condition = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A rule that is to be: ahead of `shadowed`, for the requests of it that `opt_in` is about."""

    shadowed: Rule
    opt_in: OptIn
    conditions: tuple[Condition, ...]
    actions: tuple[Mapping[str, Any], ...]
    priority: int | None

    @property
    def name(self) -> str:
        """`:443 header X-Canary: always`."""
        return f"{self.shadowed.name} {self.opt_in}"


def looks_like_ours(rule: Rule) -> bool:
    """True for a rule that sends some requests only, to one target group only. Its tags say whether it is ours."""
    fields = {str(condition.get("Field")) for condition in rule.conditions}
    return not rule.is_default and len(rule.target_groups) == 1 and not fields.isdisjoint(_BY_REQUEST)


def wanted_rules(
    listed: Sequence[Rule], ours: Collection[str], pair: Pair, action: SetOptIns
) -> tuple[list[Wanted], list[Rule]]:
    """The rules that a listener is to have and has not, and those of ours on it that it is to lose.

    `listed` are all rules of the listener, `ours` the ARNs of those of ours.
    """
    mine = [rule for rule in listed if rule.arn in ours]
    theirs = sorted((rule for rule in listed if rule.arn not in ours), key=_place)
    missing: list[Wanted] = []
    kept: set[str] = set()
    taken = {_place(rule) for rule in listed}
    before = 0
    for rule in theirs:
        target_group = pair.named_in(rule).get(action.slot) or _joining(pair, rule, action)
        for opt_in in action.opt_ins if target_group is not None else ():
            conditions = tuple(normal(each) for each in (*rule.conditions, condition_of(opt_in)))
            actions = tuple(_sent_to(str(target_group), each) for each in rule.actions)
            there = next((r for r in mine if r.arn not in kept and _is(r, conditions, actions, before, rule)), None)
            if there is not None:
                kept.add(there.arn)
                continue
            free = (p for p in range(min(_place(rule), HIGHEST_PRIORITY + 1) - 1, before, -1) if p not in taken)
            priority = next(free, None)
            taken |= {priority} if priority is not None else set()
            missing.append(Wanted(rule, opt_in, conditions, actions, priority))
        before = _place(rule)
    return missing, [rule for rule in mine if rule.arn not in kept]


def compared(listed: Sequence[Sequence[Rule]], ours: Collection[str], pair: Pair, action: SetOptIns) -> OptIns:
    """All listeners' rules of ours beside the wanted ones."""
    found = [wanted_rules(rules, ours, pair, action) for rules in listed]
    there = (rule for rules in listed for rule in sorted(rules, key=_place) if rule.arn in ours)
    return OptIns(
        tuple(OptInRule(rule.arn, f"{rule.name}, priority {rule.priority}") for rule in there),
        tuple(wanted.name for missing, _ in found for wanted in missing),
        tuple(rule.name for _, stray in found for rule in stray),
    )


def condition_of(opt_in: OptIn) -> Condition:
    """The condition on requests. A cookie is a header with other cookies around it."""
    match opt_in.kind:
        case OptInKind.HEADER:
            return _condition("http-header", {"HttpHeaderName": opt_in.name, "Values": list(opt_in.values)})
        case OptInKind.COOKIE:
            values = [f"*{opt_in.name}={value}*" for value in opt_in.values]
            return _condition("http-header", {"HttpHeaderName": "Cookie", "Values": values})
        case OptInKind.QUERY:
            pairs = [{"Key": opt_in.name, "Value": value} for value in opt_in.values]
            return _condition("query-string", {"Values": pairs})
        case OptInKind.SOURCE:
            return _condition("source-ip", {"Values": list(opt_in.values)})


def normal(condition: Condition) -> Condition:
    """A condition in the one notation that CreateRule takes: AWS shows some in two."""
    field = str(condition["Field"])
    key = _CONFIGS.get(field, "")
    config = condition.get(key) or {"Values": list(condition.get("Values", ()))}
    return {"Field": field, key: config} if key else dict(condition)


def find_faults(wanted: Wanted) -> Iterator[str]:
    """What AWS would refuse, in words."""
    values = [value for condition in wanted.conditions for value in _values(condition)]
    if len(values) > MOST_VALUES:
        yield f"its conditions and the opt-in have {len(values)} values together; AWS allows {MOST_VALUES} a rule"
    wildcards = sum(sign in "*?" for value in values for sign in value)
    if wildcards > MOST_WILDCARDS:
        yield f"its conditions and the opt-in have {wildcards} wildcards; AWS allows {MOST_WILDCARDS} a rule"
    fields = [str(condition["Field"]) for condition in wanted.conditions]
    if any(fields.count(field) > 1 for field in _ONCE):
        yield "it has a condition on source addresses itself, and AWS allows one a rule"
    if any(action["Type"] == "authenticate-oidc" for action in wanted.actions):
        yield "it authenticates by OIDC, and AWS tells no other rule its client secret"


def _condition(field: str, config: Mapping[str, Any]) -> Condition:
    return {"Field": field, _CONFIGS[field]: config}


def _values(condition: Condition) -> list[str]:
    config = condition.get(_CONFIGS.get(str(condition["Field"]), ""), {})
    found = [*config.get("Values", ()), *config.get("RegexValues", ())]
    return [f"{each.get('Key', '')}{each['Value']}" if isinstance(each, Mapping) else str(each) for each in found]


def _joining(pair: Pair, rule: Rule, action: SetOptIns) -> str | None:
    """The target group that the rule will name by then: a candidate's slot joins the rules before it grows."""
    missing = pair.missing_in(rule)
    return missing if missing is not None and pair.slot_of[missing] is action.slot else None


def _place(rule: Rule) -> int:
    """Its place in the order; the default rule is last."""
    return HIGHEST_PRIORITY + 1 if rule.priority is None else rule.priority


def _is(
    rule: Rule, conditions: Sequence[Condition], actions: Sequence[Mapping[str, Any]], after: int, of: Rule
) -> bool:
    """True for a rule of ours with these conditions that does what the shadowed one does, and sends to that target
    group, in its place. One whose owner has it authenticate since would let requests past that."""
    wanted = Rule("", "", is_default=False, actions=actions, transforms=of.transforms)
    same = _canonical(rule.conditions) == _canonical(conditions) and _before_forward(rule) == _before_forward(wanted)
    return same and rule.target_groups.keys() == wanted.target_groups.keys() and after < _place(rule) < _place(of)


def _before_forward(rule: Rule) -> list[str]:
    """Authentication and what rewrites a request, as AWS shows them: ours were written from the same words."""
    parts = (*(each for each in rule.actions if each["Type"] != "forward"), *rule.transforms)
    return sorted(json.dumps(each, sort_keys=True) for each in parts)


def _canonical(conditions: Sequence[Condition]) -> list[str]:
    """Order means nothing, neither of conditions nor of values."""
    return sorted(json.dumps([each["Field"], _header(each), sorted(_values(each))]) for each in map(normal, conditions))


def _header(condition: Condition) -> str:
    return str(condition.get("HttpHeaderConfig", {}).get("HttpHeaderName", "")).lower()


def _sent_to(target_group: str, action: Mapping[str, Any]) -> Mapping[str, Any]:
    if action["Type"] != "forward":
        return dict(action)
    kept = {key: value for key, value in action.items() if key != "TargetGroupArn"}
    return kept | {"ForwardConfig": {"TargetGroups": [{"TargetGroupArn": target_group, "Weight": 1}]}}
