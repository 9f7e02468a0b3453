"""Refusals of a load balancer when the second target group joins a rule's action: found before the start.

Reads only. Must never leave it to the first write: a refusal in the middle of a shift leaves rules that disagree.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from phoenix.aws.rights import reads
from phoenix.core.blocker import Blocker
from phoenix.routers.forwarding import Pair, Rule

IAM_ACTIONS: Final = reads("elasticloadbalancing:DescribeTargetGroups")
CHECKS: Final = ("unknown-action", "target-group-elsewhere")

_CONFIGS: Final = {
    "forward": "ForwardConfig",
    "authenticate-oidc": "AuthenticateOidcConfig",
    "authenticate-cognito": "AuthenticateCognitoConfig",
    "redirect": "RedirectConfig",
    "fixed-response": "FixedResponseConfig",
    "jwt-validation": "JwtValidationConfig",
}
_STICKY: Final = {"Enabled": True, "DurationSeconds": 60}


def find_in_actions(rules: Sequence[Rule], pair: Pair, described: Sequence[Mapping[str, Any]]) -> Iterator[Blocker]:
    """Refusals of the actions themselves, and of the load balancers that they belong to."""
    for rule in rules:
        yield from _in_kinds(rule)
    joining = dict.fromkeys((balancer_of(rule.arn), pair.missing_in(rule)) for rule in rules)
    homes = {str(group["TargetGroupArn"]): tuple(group.get("LoadBalancerArns", ())) for group in described}
    for balancer, arn in joining:
        if arn is not None:
            yield from _elsewhere(balancer, arn, homes.get(arn, ()))


def _in_kinds(rule: Rule) -> Iterator[Blocker]:
    """All of an action list is written back: what this library was not shown would be missing from it."""
    for action in rule.actions:
        kind = str(action["Type"])
        config = _CONFIGS.get(kind)
        if config in action or (kind == "forward" and "TargetGroupArn" in action):
            continue
        yield Blocker(
            "unknown-action",
            rule.name,
            f"{rule.name} has an action of type {kind}, and the installed botocore does not know what belongs to it."
            " A rule's actions are written back whole, so the load balancer would refuse the first shift, and a"
            " rollback. Install a newer botocore, or take that action out of the rule:",
            "pip install --upgrade boto3 botocore",
        )


def _elsewhere(balancer: str, arn: str, homes: Sequence[str]) -> Iterator[Blocker]:
    others = [name_of(home) for home in homes if home != balancer]
    if others:
        yield Blocker(
            "target-group-elsewhere",
            f"target group {name_of(arn)}",
            f"{name_of(arn)} would have to join a rule of {name_of(balancer)}, but rules of {', '.join(others)} name it"
            ", and AWS lets a target group have one load balancer. These are the rules that name it there:",
            "\n".join(f"aws elbv2 describe-listeners --load-balancer-arn {home}" for home in homes if home != balancer),
        )


# --- stickiness of targets --------------------------------------------------------------------------------------------


def find_in_stickiness(arn: str, rules: Sequence[Rule], pair: Pair, *, suspends_stickiness: bool) -> Iterator[Blocker]:
    """Blockers that count once it is known that this group's targets are sticky.

    AWS demands group stickiness of every rule that names a group with sticky targets beside another one.
    """
    concerned = [rule for rule in rules if arn in pair.named_in(rule).values() or pair.missing_in(rule) == arn]
    bare = [rule for rule in concerned if not rule.sticky_seconds]
    where = f"target group {name_of(arn)}"
    off = (
        f"aws elbv2 modify-target-group-attributes --target-group-arn {arn} \\\n"
        "    --attributes Key=stickiness.enabled,Value=false"
    )
    if bare:
        names = ", ".join(rule.name for rule in bare)
        yield Blocker(
            "target-stickiness",
            where,
            f"its targets are sticky, and AWS then refuses a second target group in {names}, where group stickiness is"
            " off. Enable it there, for a minute at the most, or switch target stickiness off"
            f" ({' '.join(off.replace(chr(92), '').split())}):",
            "\n".join(command(rule, _sticky(rule, pair)) for rule in bare),
        )
    elif suspends_stickiness and concerned:
        yield Blocker(
            "target-stickiness",
            where,
            "its targets are sticky, and AWS then refuses to suspend the stickiness of the group.",
            off,
        )


def _sticky(rule: Rule, pair: Pair) -> list[Mapping[str, Any]]:
    """The rule's actions with group stickiness, and the second target group in it at weight 0."""
    missing = pair.missing_in(rule)
    weights = rule.target_groups | ({missing: 0} if missing is not None else {})
    groups = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in weights.items()]
    forward = {"TargetGroups": groups, "TargetGroupStickinessConfig": _STICKY}
    return [{"Type": "forward", "ForwardConfig": forward} if a["Type"] == "forward" else a for a in rule.actions]


# --- words ------------------------------------------------------------------------------------------------------------


def command(rule: Rule, actions: Sequence[Mapping[str, Any]]) -> str:
    """The command that gives a rule, or a listener, these actions."""
    written = json.dumps(actions, separators=(",", ":"))
    if rule.is_default:
        return f"aws elbv2 modify-listener --listener-arn {rule.listener} \\\n    --default-actions '{written}'"
    return f"aws elbv2 modify-rule --rule-arn {rule.arn} \\\n    --actions '{written}'"


def look_at(rule: Rule) -> str:
    """The command that shows a rule, or a listener, as it is."""
    if rule.arn == rule.listener:
        return f"aws elbv2 describe-listeners --listener-arns {rule.arn}"
    return f"aws elbv2 describe-rules --rule-arns {rule.arn}"


def balancer_of(rule: str) -> str:
    """ARN of the rule's load balancer: `…:listener-rule/app/web/50dc/f2f7/9683` has it inside, and so has a
    listener's."""
    head, _, path = rule.partition(":listener/" if ":listener/" in rule else ":listener-rule/")
    return f"{head}:loadbalancer/{'/'.join(path.split('/')[:3])}"


def name_of(arn: str) -> str:
    """The name in an ARN: `…:loadbalancer/app/web/50dc…` and `…:targetgroup/web/73e2…`: web."""
    parts = arn.rsplit(":", 1)[-1].split("/")
    return parts[2] if len(parts) > 3 else parts[1] if len(parts) > 1 else arn
