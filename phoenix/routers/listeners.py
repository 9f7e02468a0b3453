"""Read load balancers: which rules forward to the pair, and how healthy its targets are. Reads only."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from itertools import chain
from typing import Any, Final

from phoenix.aws.rights import reads
from phoenix.aws.session import Aws
from phoenix.core.model import TargetState
from phoenix.errors import NotFound
from phoenix.routers.forwarding import Rule, listener_of
from phoenix.routers.opt_ins import ours_among

READ_HEALTH: Final = reads("elasticloadbalancing:DescribeTargetHealth")
IAM_ACTIONS: Final = READ_HEALTH | reads(
    "elasticloadbalancing:DescribeListeners",
    "elasticloadbalancing:DescribeTargetGroups",
)
RULES: Final = reads("elasticloadbalancing:DescribeRules")

_STATES: Final = {"unhealthy.draining": TargetState.DRAINING} | {state.value: state for state in TargetState}
# Those of a health check that was made; the others are about registration, use and removal.
_CHECKED: Final = frozenset({"Target.ResponseCodeMismatch", "Target.Timeout", "Target.FailedHealthChecks"})
_LONGEST_WORDS: Final = 80
_WEB: Final = frozenset({"HTTP", "HTTPS"})


class Listeners:
    """Rules as AWS describes them, with names for people. Remembers ports, and the paths of health checks, as a search
    has found them, for these names only."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        self._ports: dict[str, int] = {}
        self._paths: dict[str, str] = {}

    def find(self, target_groups: Iterable[str]) -> list[Rule]:
        """Every rule of every load balancer that names one of the target groups, but those of phoenix's own."""
        wanted = set(target_groups)
        balancers = {arn for group in self.existing(wanted) for arn in group.get("LoadBalancerArns", ())}
        listeners = self._aws.side_by_side([partial(self._listeners_of, arn) for arn in sorted(balancers)])
        named = self._rules_of(list(chain.from_iterable(listeners)))
        naming = [rule for rule in named if not wanted.isdisjoint(rule.target_groups)]
        ours = ours_among(self._aws, naming)
        return [rule for rule in naming if rule.arn not in ours]

    def list_rules(self, rules: Iterable[str]) -> list[list[Rule]]:
        """All rules of each listener that one of these rules (ARNs) is on, whatever they do."""
        listeners = sorted({listener_of(rule) for rule in rules})
        reads = [partial(self._pages, "describe_rules", "Rules", ListenerArn=arn) for arn in listeners]
        return [self._named(found) for found in self._aws.side_by_side(reads)]

    def count_rules(self, balancer: str) -> int:
        """The rules of a load balancer that are not default ones: those that its quota counts."""
        arns = [str(item["ListenerArn"]) for item in self._listeners_of(balancer)]
        reads = [partial(self._pages, "describe_rules", "Rules", ListenerArn=arn) for arn in arns]
        return sum(not rule["IsDefault"] for found in self._aws.side_by_side(reads) for rule in found)

    def read(self, rules: Sequence[str]) -> list[Rule]:
        """These rules, in one call. A listener that `find` has not seen is called by the end of its ARN, not its port.

        Raises:
            NotFound: one of them is gone.
        """
        return self._named(self._pages("describe_rules", "Rules", RuleArns=list(rules))) if rules else []

    def read_target_groups(self, arns: Iterable[str]) -> list[dict[str, Any]]:
        """These target groups as AWS describes them.

        Raises:
            NotFound: one of them does not exist.
        """
        wanted = sorted(set(arns))
        found = self._pages("describe_target_groups", "TargetGroups", TargetGroupArns=wanted) if wanted else []
        self._paths |= {str(g["TargetGroupArn"]): _printable(str(g.get("HealthCheckPath") or "")) for g in found}
        return found

    def read_health(self, target_group: str) -> dict[str, Health] | None:
        """The state of each target by instance id; of several ports of one instance the one that is not healthy.

        None for a target group that does not exist: a group goes on naming it after it was deleted.
        """
        try:
            answer = self._aws.call("elbv2", "describe_target_health", TargetGroupArn=target_group)
        except NotFound:
            return None
        health: dict[str, Health] = {}
        for item in answer["TargetHealthDescriptions"]:
            instance = str(item["Target"]["Id"])
            said = item["TargetHealth"]
            state = _STATES.get(str(said["State"]), TargetState.UNAVAILABLE)
            words = "" if state is TargetState.HEALTHY else self._words(target_group, item)
            health[instance] = worse(health.get(instance), Health(state, words))
        return health

    def _words(self, target_group: str, item: Mapping[str, Any]) -> str:
        """Say in few words why this target is not healthy; for the health check with its path and port."""
        said = item["TargetHealth"]
        reason, description = str(said.get("Reason", "")), _printable(str(said.get("Description", "")))
        if reason not in _CHECKED:
            return description or _printable(reason)
        codes = re.search(r"\[([^\]]+)\]", description)
        answer = codes[1] if codes else {"Target.Timeout": "timed out"}.get(reason, description or "failed")
        return f"{reason}, {answer} on {self._paths.get(target_group, '')}:{item.get('HealthCheckPort', '')}".rstrip(
            ":"
        )

    def existing(self, arns: Iterable[str]) -> list[dict[str, Any]]:
        """Those of the target groups that exist: asked for several, AWS names none when it does not know one."""
        wanted = sorted(set(arns))
        try:
            return self.read_target_groups(wanted)
        except NotFound:
            return [group for arn in wanted for group in self._read_one(arn)] if len(wanted) > 1 else []

    def _read_one(self, arn: str) -> list[dict[str, Any]]:
        try:
            return self.read_target_groups((arn,))
        except NotFound:
            return []

    def _listeners_of(self, balancer: str) -> list[dict[str, Any]]:
        found = self._pages("describe_listeners", "Listeners", LoadBalancerArn=balancer)
        self._note_ports(found)
        return found

    def _note_ports(self, listeners: Sequence[Mapping[str, Any]]) -> None:
        self._ports |= {str(item["ListenerArn"]): int(item.get("Port", 0)) for item in listeners}

    def _rules_of(self, listeners: Sequence[Mapping[str, Any]]) -> list[Rule]:
        """Everything that forwards on these listeners."""
        rules = self._aws.side_by_side(
            [
                partial(self._pages, "describe_rules", "Rules", ListenerArn=listener["ListenerArn"])
                for listener in listeners
                if listener["Protocol"] in _WEB
            ]
        )
        return self._named(list(chain.from_iterable(rules)))

    def _named(self, rules: Sequence[Mapping[str, Any]]) -> list[Rule]:
        """With names, listeners first: the order that AWS answers in means nothing."""
        balancers = {_balancer_of(str(rule["RuleArn"])) for rule in rules}
        made = [self._rule(rule, several=len(balancers) > 1) for rule in rules]
        return sorted(made, key=lambda rule: (not rule.is_default, rule.name, rule.arn))

    def _rule(self, rule: Mapping[str, Any], *, several: bool) -> Rule:
        arn = str(rule["RuleArn"])
        name = self._listener(listener_of(arn)) if rule["IsDefault"] else f"rule {_condition(rule)}"
        balancer = f"{_balancer_of(arn)} " if several else ""
        shown = str(rule.get("Priority", ""))
        priority = int(shown) if shown.isdigit() else None
        return Rule(
            arn,
            balancer + name,
            bool(rule["IsDefault"]),
            rule["Actions"],
            rule.get("Conditions", ()),
            priority,
            rule.get("Transforms", ()),
        )

    def _listener(self, arn: str) -> str:
        port = self._ports.get(arn)
        return f"listener {arn.rsplit('/', 1)[-1]}" if port is None else f":{port}"

    def _pages(self, method: str, items: str, **parameters: Any) -> list[dict[str, Any]]:
        return list(self._aws.pages("elbv2", method, items, **parameters))


@dataclass(frozen=True, slots=True)
class Health:
    """The health of one target, and why it is not healthy, in few words."""

    state: TargetState
    words: str = ""


def worse(one: Health | None, other: Health) -> Health:
    """Healthy only if both are."""
    return other if one is None or one.state is TargetState.HEALTHY else one


def merged(health: Sequence[Mapping[str, Health]]) -> dict[str, Health]:
    """An instance has to be listed by all of these, and is as healthy as in the worst of them."""
    if not health:
        return {}
    common = set(health[0]).intersection(*health[1:])
    return {instance: reduce(worse, (each[instance] for each in health)) for instance in sorted(common)}


def _printable(words: str) -> str:
    """AWS's words on one line: what targets answer may be among them."""
    return " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e]", " ", words).split())[:_LONGEST_WORDS]


def _balancer_of(rule: str) -> str:
    """`…:listener-rule/app/web/50dc…`: web."""
    parts = rule.rsplit(":", 1)[-1].split("/")
    return parts[2] if len(parts) > 2 else rule


def _condition(rule: Mapping[str, Any]) -> str:
    """The rule's name for a person: its first host and path, else its priority."""
    values = {item["Field"]: _first_value(item) for item in rule.get("Conditions", ())}
    return "".join(values.get(field, "") for field in ("host-header", "path-pattern")) or str(rule["Priority"])


def _first_value(condition: Mapping[str, Any]) -> str:
    configs = ("HostHeaderConfig", "PathPatternConfig")
    found = next((condition[key]["Values"] for key in configs if condition.get(key, {}).get("Values")), None)
    return str((found or condition.get("Values") or [""])[0])
