"""Network Load Balancers: AWS's refusals there, and the ARNs, attributes and limits that moto leaves out.

Must never accept what AWS refuses: phoenix would write the same in a real account. Where AWS's words are not known, its
code is the model's and the words are the sandbox's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from phoenix.sandbox.answers.common import invalid, refuse
from phoenix.sandbox.world import World

# The protocols of target groups that a listener takes: "Listener configuration" in the guide. moto has no QUIC.
TAKES = {
    "TCP": ("TCP", "TCP_UDP"),
    "TLS": ("TCP", "TLS"),
    "UDP": ("UDP", "TCP_UDP"),
    "TCP_UDP": ("TCP_UDP",),
}
PROTOCOLS = tuple(TAKES)
NETWORK = ":loadbalancer/net/"
GROUPS_AN_ACTION = "target-groups-per-action-on-network-load-balancer"
_OF_APPLICATION = ("load_balancing.algorithm.type", "slow_start.duration_seconds", "waf.fail_open.enabled")
_UNTIMED = "DurationSeconds can be specified for load balancers of type 'application' only"


def attributes_of(protocol: str, had: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes of a target group of instances, with the defaults in botocore's TargetGroupAttribute."""
    is_udp = protocol in ("UDP", "TCP_UDP")
    defaults = {
        "deregistration_delay.connection_termination.enabled": "true" if is_udp else "false",
        "preserve_client_ip.enabled": "true",
        "proxy_protocol_v2.enabled": "false",
        "target_health_state.unhealthy.connection_termination.enabled": "false" if is_udp else "true",
        "target_health_state.unhealthy.draining_interval_seconds": "0",
        "stickiness.type": "source_ip",
    }
    return defaults | {key: value for key, value in had.items() if key not in _OF_APPLICATION}


def create_balancer(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """CreateLoadBalancer: moto gives a network one the ARN of an application one."""
    if params.get("Type") != "network":
        return None
    backend = world.elbv2()
    made = backend.create_load_balancer(
        name=params["Name"],
        security_groups=params.get("SecurityGroups", []),
        subnet_ids=params.get("Subnets", []),
        subnet_mappings=params.get("SubnetMappings", []),
        scheme=params.get("Scheme", "internet-facing"),
        loadbalancer_type="network",
        ip_address_type=params.get("IpAddressType", "ipv4"),
    )
    del backend.load_balancers[made.arn]
    made.arn = made.arn.replace(":loadbalancer/app/", NETWORK)
    backend.load_balancers[made.arn] = made
    backend.tagging_service.tag_resource(made.arn, params.get("Tags"))
    return {"LoadBalancers": [made]}


def check_action(world: World, action: Mapping[str, Any], groups: Sequence[Mapping[str, Any]]) -> None:
    """Refuse a default action that a listener must not have.

    Raises:
        Refusal: it does not forward, names too many target groups, or has a stickiness with a duration.
    """
    if action.get("Type") != "forward":
        raise refuse(
            "InvalidLoadBalancerAction",
            f"An action of type '{action.get('Type')}' is not supported for load balancers of type 'network'",
        )
    most = world.groups_an_action["network"]
    if most == 1 < len(groups):
        # aws-cloudformation/cloudformation-coverage-roadmap#385: AWS's words until November 2025
        raise invalid(
            "You cannot specify multiple target groups in a single action with a load balancer of type 'network'"
        )
    if len(groups) > most:
        raise refuse("TooManyTargetGroups", f"You can specify up to {most} target groups per forward action")
    # API_TargetGroupStickinessConfig: the duration is a key of Application Load Balancers.
    if "DurationSeconds" in (action.get("ForwardConfig", {}).get("TargetGroupStickinessConfig") or {}):
        raise invalid(_UNTIMED)


def check_protocols(world: World, protocol: str | None, arns: Sequence[str]) -> None:
    """Refuse target groups that a listener of this protocol does not take.

    Raises:
        Refusal: one of them is of another kind.
    """
    groups: Any = world.elbv2().target_groups
    for arn in arns:
        found = groups[arn].protocol
        if found not in TAKES.get(protocol or found, ()):
            raise refuse(
                "IncompatibleProtocols",
                f"The listener protocol '{protocol}' is not supported with a target group of protocol '{found}'",
            )


def check_rules(world: World, balancer: str) -> None:
    """Refuse a rule: its listener must belong to an Application Load Balancer (CreateRule), or to a dual-stack one,
    which the sandbox has not.

    Raises:
        Refusal: it belongs to a Network Load Balancer.
    """
    if world.routes.is_network(balancer):
        raise refuse("UnsupportedProtocol", "Rules are not supported on listeners of a load balancer of type 'network'")


def limits(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """DescribeAccountLimits, as far as the sandbox holds to them."""
    del params
    known = {
        GROUPS_AN_ACTION: world.groups_an_action["network"],
        "target-groups-per-action-on-application-load-balancer": world.groups_an_action["application"],
    }
    known["rules-per-application-load-balancer"] = world.rules_a_balancer
    return {"Limits": [{"Name": name, "Max": str(most)} for name, most in known.items()]}
