"""The example fleets that a user finds in the sandbox; the shipped policies are about them.

Must never make a rotation due by accident: live instances are three days old, and exactly one newer image fits each
fleet.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

from phoenix.sandbox import seed_plain
from phoenix.sandbox.scenarios import Scenario
from phoenix.sandbox.seeding import Builder, Pair, Size, fixed, forward
from phoenix.sandbox.seeding_network import (
    network_alarm,
    network_listener,
    network_load_balancer,
    network_target_group,
)
from phoenix.sandbox.seeding_records import weighted_aliases

FOREIGN_OWNER = "999999999999"
HOUR = timedelta(hours=1)


def seed(builder: Builder, group: str, scenario: Scenario, desired: int) -> None:
    """Build the fleet of that name.

    Raises:
        KeyError: there is no such example.
    """
    (FLEETS.get(group) or ON_DEMAND[group])(builder, scenario, desired)


def web(builder: Builder, scenario: Scenario, desired: int) -> None:
    """A public web tier: two listeners and a rule, all of them on the pair."""
    _decoys(builder)
    live = builder.images_of("web", scenario.newest_image)
    balancer = builder.load_balancer("web")
    groups = {slot: builder.target_group(f"web-{slot}") for slot in ("blue", "green")}
    action = forward({groups["blue"]: 100, groups["green"]: 0})
    builder.listener(balancer, 80, action)
    builder.rule(builder.listener(balancer, 443, action), 10, "/api/*", action)
    builder.pair(Pair("web", Size(2, 12, desired), target_groups=groups), live)
    builder.watch("web", balancer)


def internal(builder: Builder, scenario: Scenario, desired: int) -> None:
    """One rule among other people's, with a third target group in its action."""
    live = builder.images_of("internal", scenario.newest_image)
    balancer = builder.load_balancer("shared")
    groups = {slot: builder.target_group(f"internal-{slot}") for slot in ("blue", "green")}
    legacy, billing = builder.target_group("internal-legacy"), builder.target_group("billing")
    listener = builder.listener(balancer, 80, fixed("not found"))
    builder.rule(listener, 10, "/billing/*", forward({billing: 1}))
    builder.rule(listener, 20, "/internal/*", forward({groups["blue"]: 90, groups["green"]: 0, legacy: 10}))
    builder.rule(listener, 30, "/old/*", fixed("gone"))
    builder.pair(Pair("internal", Size(2, 8, desired), target_groups=groups), live)
    builder.watch("internal", balancer)


def workers(builder: Builder, scenario: Scenario, desired: int) -> None:
    """Queue workers: no load balancer, mixed instances with spot."""
    live = builder.images_of("workers", scenario.newest_image)
    kinds = ("m7i.large", "m6i.large", "c7i.large")
    builder.pair(Pair("workers", Size(2, 12, desired), spot_types=kinds), live)


def elastic(builder: Builder, scenario: Scenario, desired: int) -> None:
    """A web tier that scales with its load."""
    _simple_tier(builder, scenario, "elastic", Size(2, 24, desired))
    for slot in ("blue", "green"):
        builder.track_load(f"elastic-{slot}")


def single(builder: Builder, scenario: Scenario, _desired: int) -> None:
    """A group of one, whatever size is asked for."""
    _simple_tier(builder, scenario, "single", Size(1, 2, 1))


def edge(builder: Builder, scenario: Scenario, desired: int) -> None:
    """The tier that ends TLS, behind a Network Load Balancer: one listener for TLS, one for plain connections."""
    live = builder.images_of("edge", scenario.newest_image)
    balancer = network_load_balancer(builder, "edge")
    groups = {slot: network_target_group(builder, f"edge-{slot}") for slot in ("blue", "green")}
    action = forward({groups["blue"]: 100, groups["green"]: 0})
    network_listener(builder, balancer, 443, action, "TLS")
    network_listener(builder, balancer, 80, action)
    builder.pair(Pair("edge", Size(3, 12, desired), target_groups=groups), live)
    network_alarm(builder, "edge-resets", balancer)
    builder.sns.create_topic(Name="phoenix")


def shop(builder: Builder, scenario: Scenario, desired: int) -> None:
    """A web tier with a load balancer for each slot, and weighted records of one name in front of them."""
    live = builder.images_of("shop", scenario.newest_image)
    groups = {slot: builder.target_group(f"shop-{slot}") for slot in ("blue", "green")}
    names = {}
    for slot, group in groups.items():
        balancer = builder.load_balancer(f"shop-{slot}")
        builder.listener(balancer, 80, forward({group: 1}))
        builder.listener(balancer, 443, forward({group: 1}))
        found = builder.elbv2.describe_load_balancers(LoadBalancerArns=[balancer])["LoadBalancers"]
        names[slot] = str(found[0]["DNSName"])
        builder.alarm(f"shop-{slot}-5xx", balancer, "HTTPCode_Target_5XX_Count")
    weighted_aliases(builder, "www.example.com", names)
    builder.pair(Pair("shop", Size(2, 12, desired), target_groups=groups), live)
    builder.sns.create_topic(Name="phoenix")


FLEETS: Mapping[str, Callable[[Builder, Scenario, int], None]] = {
    "web": web,
    "internal": internal,
    "workers": workers,
    "elastic": elastic,
    "single": single,
    "edge": edge,
    **seed_plain.FLEETS,
}
GROUPS = tuple(FLEETS)
ON_DEMAND: Mapping[str, Callable[[Builder, Scenario, int], None]] = {"shop": shop}
"""Fleets that are built only where they are asked for by name: `phoenix init` does not write policies for them."""
PLAIN = tuple(seed_plain.FLEETS)
"""Those that are one Auto Scaling group."""


def _simple_tier(builder: Builder, scenario: Scenario, name: str, size: Size) -> None:
    live = builder.images_of(name, scenario.newest_image)
    balancer = builder.load_balancer(name)
    groups = {slot: builder.target_group(f"{name}-{slot}") for slot in ("blue", "green")}
    builder.listener(balancer, 80, forward({groups["blue"]: 100, groups["green"]: 0}))
    builder.pair(Pair(name, size, target_groups=groups), live)
    builder.watch(name, balancer)


def _decoys(builder: Builder) -> None:
    """Images that look right and must never be chosen."""
    stable = {"service": "web", "channel": "stable"}
    builder.image("web-2026.11.18-be7a00", HOUR / 6, {"service": "web", "channel": "beta"})
    builder.image("web-2026.11.18-a64a64", HOUR / 4, stable, architecture="arm64")
    builder.image("web-2026.11.19-e71100", HOUR / 12, stable, owner=FOREIGN_OWNER)
