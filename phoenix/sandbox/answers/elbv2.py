"""Load balancers: target health from physics, and the checks on actions that moto leaves out.

moto keeps listeners and rules; the sandbox reads them after every change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from moto.elbv2.exceptions import InvalidTargetError, TargetGroupNotFoundError
from moto.elbv2.models import FakeListener
from moto.moto_api._internal import mock_random

from phoenix.sandbox.answers import elbv2_network
from phoenix.sandbox.answers.common import page, refuse
from phoenix.sandbox.answers.elbv2_actions import check_actions, check_attributes
from phoenix.sandbox.answers.elbv2_conditions import check_new_rule, check_transforms
from phoenix.sandbox.world import World

MOST_A_PAGE = 400
CHANGES_ROUTES = (
    "CreateListener",
    "ModifyListener",
    "DeleteListener",
    "CreateRule",
    "ModifyRule",
    "DeleteRule",
    "DeleteLoadBalancer",
)


def balancer_made(world: World) -> None:
    """Make it available at once: moto needs one more read, and Terraform reads every thirty real seconds."""
    for balancer in world.elbv2().load_balancers.values():
        balancer.activate()
        if balancer.type == "application":
            # API_LoadBalancerAttribute: true there, and cannot be changed; moto says false for all kinds.
            balancer.attrs["load_balancing.cross_zone.enabled"] = "true"


def zones_changed(world: World) -> None:
    """Look at all targets again: those in a zone that was enabled are checked now, the others are no longer."""
    world.targets.zones_changed()


def routes_changed(world: World) -> None:
    """Read all rules again, and write them as AWS would: moto keeps them word for word."""
    for balancer in world.elbv2().load_balancers.values():
        for listener in balancer.listeners.values():
            _name_default_rule(listener)
            for rule in listener.rules.values():
                for action in rule.actions:
                    _complete(action)
            listener.default_actions = listener._default_rule[0].actions
    world.routes.refresh()


def create_listener(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """CreateListener."""
    balancer, actions = params.get("LoadBalancerArn", ""), params.get("DefaultActions") or ()
    check_actions(world, balancer, actions, params.get("Protocol"))
    return None


def modify_listener(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """ModifyListener; one without actions leaves them as they are."""
    arn = params["ListenerArn"]
    balancer = _balancer_of(arn)
    found: Any = world.elbv2().load_balancers.get(balancer)
    listener = found.listeners.get(arn) if found is not None else None
    protocol = params.get("Protocol") or (listener.protocol if listener is not None else None)
    check_actions(world, balancer, params.get("DefaultActions") or (), protocol)
    return None


def create_rule(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """CreateRule."""
    elbv2_network.check_rules(world, _balancer_of(params["ListenerArn"]))
    check_new_rule(world, params, _balancer_of(params["ListenerArn"]))
    check_actions(world, _balancer_of(params["ListenerArn"]), params.get("Actions") or ())
    if not params.get("Transforms"):
        return None
    names = ("Conditions", "Priority", "Actions", "Tags")
    rule: Any = world.elbv2().create_rule(params["ListenerArn"], *(params.get(name) or [] for name in names))
    rule.transforms = params["Transforms"]
    routes_changed(world)
    return {"Rules": [rule]}


def modify_rule(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """ModifyRule: never on a default rule, whose actions belong to the listener. moto knows no transforms; actions
    without any leave them as they are (API_ModifyRule)."""
    arn = params["RuleArn"]
    elbv2_network.check_rules(world, _balancer_of(arn))
    for balancer in world.elbv2().load_balancers.values():
        for listener in balancer.listeners.values():
            if listener._default_rule[0].arn == arn:
                raise refuse("OperationNotPermitted", f"Default rule '{arn}' cannot be modified")
    check_actions(world, _balancer_of(arn), params.get("Actions") or ())
    check_transforms(params.get("Transforms") or ())
    if params.get("Transforms") or params.get("ResetTransforms"):
        rule: Any = world.elbv2().describe_rules(None, [arn])[0]
        rule.transforms = [] if params.get("ResetTransforms") else params["Transforms"]
        if not params.get("Actions") and not params.get("Conditions"):
            return {"Rules": [rule]}
    return None


def register(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """RegisterTargets."""
    arn = _known(world, params)
    for target in params["Targets"]:
        if target["Id"].startswith("i-"):
            instance = world.ec2().get_instance_by_id(target["Id"])
            if instance is None or instance.state != "running":
                raise refuse(
                    "InvalidTarget",
                    f"The following targets are not in a running state and cannot be registered: '{target['Id']}'",
                )
        world.targets.register(arn, target["Id"], target.get("Port"))
    return {}


def deregister(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """DeregisterTargets: they drain first."""
    arn = _known(world, params)
    registered = {target.instance_id for target in world.targets.of(arn)}
    for target in params["Targets"]:
        if target["Id"] not in registered:
            raise InvalidTargetError()
        world.targets.deregister(arn, target["Id"])
    return {}


def target_health(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """DescribeTargetHealth."""
    arn = _known(world, params)
    asked = params.get("Targets")
    if asked:
        found = [world.targets.health(arn, target["Id"], target.get("Port")) for target in asked]
    else:
        found = [target.describe() for target in world.targets.of(arn)]
    return {"TargetHealthDescriptions": found}


def describe_target_groups(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """DescribeTargetGroups, in pages, which moto has for rules only."""
    found = world.elbv2().describe_target_groups(
        params.get("LoadBalancerArn"), params.get("TargetGroupArns", []), params.get("Names", [])
    )
    groups, marker = page(list(found), params.get("Marker"), int(params.get("PageSize", MOST_A_PAGE)))
    return {"TargetGroups": groups, "NextMarker": marker}


def describe_listeners(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """DescribeListeners, in pages."""
    if not params.get("LoadBalancerArn"):
        known = {arn for each in world.elbv2().load_balancers.values() for arn in each.listeners}
        if not known.issuperset(params.get("ListenerArns", ())):
            raise refuse("ListenerNotFound", "One or more listeners not found")  # moto misses it if one is there
        return None
    found = world.elbv2().describe_listeners(params["LoadBalancerArn"], params.get("ListenerArns", []))
    listeners, marker = page(list(found), params.get("Marker"), int(params.get("PageSize", MOST_A_PAGE)))
    return {"Listeners": listeners, "NextMarker": marker}


def _known(world: World, params: Mapping[str, Any]) -> str:
    arn: str = params["TargetGroupArn"]
    if arn not in world.elbv2().target_groups:
        raise TargetGroupNotFoundError()
    return arn


def _balancer_of(arn: str) -> str:
    """`…:listener/app/web/50dc/f2f7`, or a rule below it: `…:loadbalancer/app/web/50dc`."""
    head, _, path = arn.partition(":listener-rule/" if ":listener-rule/" in arn else ":listener/")
    return f"{head}:loadbalancer/{'/'.join(path.split('/')[:3])}"


def _complete(action: Any) -> None:
    """A single target group is shown in both notations."""
    if action.type != "forward":
        return
    forward = action.data.setdefault("ForwardConfig", {})
    groups = forward.setdefault("TargetGroups", [])
    if not groups and action.data.get("TargetGroupArn"):
        groups.append({"TargetGroupArn": action.data["TargetGroupArn"], "Weight": 1})
    forward.setdefault("TargetGroupStickinessConfig", {"Enabled": False})
    if len(groups) == 1:
        action.data["TargetGroupArn"] = groups[0]["TargetGroupArn"]
    else:
        action.data.pop("TargetGroupArn", None)
        action.__dict__.pop("TargetGroupArn", None)
    action.__dict__.update(action.data)


def _name_default_rule(listener: FakeListener) -> None:
    """moto names it after an address in memory: another one in every run."""
    rule = listener._default_rule[0]
    if not hasattr(rule, "named"):
        rule.arn = f"{listener.arn.replace(':listener/', ':listener-rule/')}/{mock_random.get_random_hex(16)}"
        rule.named = True


ANSWERS: Mapping[str, Callable[[World, dict[str, Any]], dict[str, Any] | None]] = {
    "CreateListener": create_listener,
    "ModifyListener": modify_listener,
    "CreateRule": create_rule,
    "ModifyRule": modify_rule,
    "ModifyTargetGroupAttributes": check_attributes,
    "RegisterTargets": register,
    "DeregisterTargets": deregister,
    "CreateLoadBalancer": elbv2_network.create_balancer,
    "DescribeAccountLimits": elbv2_network.limits,
    "DescribeListeners": describe_listeners,
    "DescribeTargetGroups": describe_target_groups,
    "DescribeTargetHealth": target_health,
}
