"""Which actions of listeners and rules a load balancer takes, and which target group attributes: AWS's refusals.

Must never accept an action that AWS refuses: phoenix would write the same action in a real account.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from moto.elbv2.exceptions import ActionTargetGroupNotFoundError, TargetGroupNotFoundError

from phoenix.sandbox.answers import elbv2_network
from phoenix.sandbox.answers.common import invalid, refuse
from phoenix.sandbox.routes import weights_of
from phoenix.sandbox.world import World

MOST_WEIGHT = 999
MOST_A_BALANCER = 100
"""Quota "Target Groups per Application Load Balancer"."""
LONGEST_STICKINESS_S = 604_800
FAILOVER = "target_group_health.dns_failover.minimum_healthy_targets."
# Defaults as botocore's TargetGroupAttribute documents them; moto has none of these.
HEALTH_DEFAULTS = {
    f"{FAILOVER}count": "1",
    f"{FAILOVER}percentage": "off",
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count": "1",
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": "off",
}
_CONFIGS = {
    "authenticate-oidc": "AuthenticateOidcConfig",
    "authenticate-cognito": "AuthenticateCognitoConfig",
    "redirect": "RedirectConfig",
    "fixed-response": "FixedResponseConfig",
    "jwt-validation": "JwtValidationConfig",
}


def check_actions(
    world: World, balancer: str, actions: Sequence[Mapping[str, Any]], protocol: str | None = None
) -> None:
    """Refuse an action that AWS refuses. `protocol` is the listener's.

    Raises:
        Refusal: in AWS's code and, where they are known, AWS's words.
    """
    named: set[str] = set()
    is_network = world.routes.is_network(balancer)
    for action in actions:
        _check_config(action)
        groups = _groups_of(action)
        if is_network:
            elbv2_network.check_action(world, action, groups)
        elif len(groups) > world.groups_an_action["application"]:
            raise refuse("TooManyTargetGroups", "You can specify up to 5 target groups per forward action")
        arns = [each.get("TargetGroupArn", "") for each in groups]
        if len(set(arns)) != len(arns):
            raise invalid("A target group can only be specified once per forward action")
        for each in groups:
            _check_target_group(world, each)
        _check_together(world, arns)
        if is_network:
            elbv2_network.check_protocols(world, protocol, arns)
        _check_stickiness(world, action, arns, is_network=is_network)
        named |= set(arns)
    _check_balancer(world, balancer, named)


def check_attributes(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """ModifyTargetGroupAttributes: not sticky targets behind a rule whose groups are not; only thresholds there are."""
    arn, wanted = params["TargetGroupArn"], {each["Key"]: each["Value"] for each in params.get("Attributes", ())}
    groups: Any = world.elbv2().target_groups
    if arn not in groups:
        raise TargetGroupNotFoundError()
    for part, most in (("count", None), ("percentage", 100)):
        value = wanted.get(FAILOVER + part, "off")
        if value != "off" and not (value.isdigit() and 1 <= int(value) <= (most or int(value))):
            raise invalid(f"Invalid value '{value}' for target group attribute '{FAILOVER + part}'")
    if wanted.get("stickiness.enabled") == "true" and groups[arn].protocol not in elbv2_network.PROTOCOLS:
        rule = next((rule for rule in _rules(world) if _is_shared(rule, arn) and not _sticks(rule.actions)), None)
        if rule is not None:
            # kubernetes-sigs/aws-load-balancer-controller#2734
            raise refuse(
                "InvalidConfigurationRequest",
                f"This target group appears behind a rule with group stickiness disabled ({rule.arn}). "
                "You must enable group stickiness before enabling target stickiness",
            )
    return None


def target_groups_made(world: World) -> None:
    """Give them the attributes that moto leaves out, and take those away that it gives to all kinds alike."""
    for group in world.elbv2().target_groups.values():
        if group.protocol in elbv2_network.PROTOCOLS:
            group.attributes = elbv2_network.attributes_of(group.protocol, group.attributes)
        group.attributes = HEALTH_DEFAULTS | group.attributes


def is_sticky(world: World, target_group: str) -> bool:
    """True when its targets are."""
    group = world.elbv2().target_groups.get(target_group)
    return group is not None and str(group.attributes.get("stickiness.enabled")) == "true"


def _check_config(action: Mapping[str, Any]) -> None:
    kind = action.get("Type", "")
    config = _CONFIGS.get(kind)
    if kind == "forward" and not _groups_of(action):
        raise invalid("A target group ARN must be specified for an action of type 'forward'")
    if config is not None and config not in action:
        # The rule is documented (`Specify only when Type is …`, and it is required then); the words are the sandbox's.
        raise refuse("InvalidLoadBalancerAction", f"{config} must be specified for an action of type '{kind}'")


def _groups_of(action: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    groups = list(action.get("ForwardConfig", {}).get("TargetGroups", ()))
    if not groups and action.get("TargetGroupArn"):
        groups = [{"TargetGroupArn": action["TargetGroupArn"]}]
    return groups


def _check_target_group(world: World, entry: Mapping[str, Any]) -> None:
    arn, weight = entry.get("TargetGroupArn", ""), int(entry.get("Weight", 1))
    if arn not in world.elbv2().target_groups:
        raise ActionTargetGroupNotFoundError(arn)
    if not 0 <= weight <= MOST_WEIGHT:
        raise invalid(f"The weight '{weight}' is not valid: it must be between 0 and {MOST_WEIGHT}")


def _check_together(world: World, arns: Sequence[str]) -> None:
    """Groups of one action speak one protocol version. AWS's words for it are not known; its code is the model's."""
    groups = world.elbv2().target_groups
    spoken = {getattr(groups[arn], "protocol_version", None) or "HTTP1" for arn in arns}
    if len(spoken) > 1:
        raise refuse(
            "IncompatibleProtocols",
            f"The target groups of a forward action must have the same protocol version: {', '.join(sorted(spoken))}",
        )


def _check_stickiness(world: World, action: Mapping[str, Any], arns: Sequence[str], *, is_network: bool) -> None:
    config = action.get("ForwardConfig", {}).get("TargetGroupStickinessConfig") or {}
    enabled, seconds = _is_true(config.get("Enabled")), config.get("DurationSeconds")
    if is_network:
        return  # whether sticky targets need sticky groups there is not known
    if enabled and seconds is None:
        raise invalid("You must specify the target group stickiness duration when enabling target group stickiness")
    if seconds is not None and not 1 <= int(seconds) <= LONGEST_STICKINESS_S:
        raise invalid(f"Target group stickiness duration must be between 1 and {LONGEST_STICKINESS_S} seconds")
    if len(arns) > 1 and not enabled and any(is_sticky(world, arn) for arn in arns):
        # kubernetes-sigs/aws-load-balancer-controller#2734
        raise refuse(
            "InvalidConfigurationRequest",
            "You must enable group stickiness on a rule if you enabled target stickiness on one of its target groups",
        )


def _check_balancer(world: World, balancer: str, named: set[str]) -> None:
    """Refuse a second load balancer of a target group, and target groups beyond a load balancer's quota."""
    elsewhere = sorted(
        arn for arn in named for each in world.routes.load_balancers_naming(arn) if balancer and each != balancer
    )
    if elsewhere:
        # hashicorp/terraform-provider-aws#22005
        raise refuse(
            "TargetGroupAssociationLimit",
            "The following target groups cannot be associated with more than one load balancer: "
            + ", ".join(elsewhere),
        )
    joining = named - world.routes.named_by(balancer)
    if joining:
        world.targets.check_balancer(balancer, world.targets.on_balancer(balancer, joining))
    known = {arn for arn in world.elbv2().target_groups if balancer in world.routes.load_balancers_naming(arn)}
    if not world.routes.is_network(balancer) and len(known | named) > MOST_A_BALANCER and named - known:
        raise refuse(
            "TooManyUniqueTargetGroupsPerLoadBalancer",
            f"You have reached the maximum number of unique target groups per load balancer: {MOST_A_BALANCER}",
        )


def _rules(world: World) -> Iterator[Any]:
    for balancer in world.elbv2().load_balancers.values():
        for listener in balancer.listeners.values():
            yield from listener.rules.values()


def _is_shared(rule: Any, target_group: str) -> bool:
    weights = weights_of(rule.actions)
    return target_group in weights and len(weights) > 1


def _sticks(actions: Sequence[Any]) -> bool:
    configs = (action.data.get("ForwardConfig", {}).get("TargetGroupStickinessConfig") or {} for action in actions)
    return any(_is_true(config.get("Enabled")) for config in configs)


def _is_true(value: object) -> bool:
    return str(value).lower() == "true"
