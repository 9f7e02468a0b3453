"""Which of a slot's instances leave, where fewer than all do. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable

from phoenix.core.model import Instance


def choose_to_leave(instances: Iterable[Instance], count: int, first: Collection[str] = frozenset()) -> tuple[str, ...]:
    """Those of `first`, then the sick ones, then always from the zone that has most left. Only instances in service
    can leave, and one that protects itself from scale-in works on something that must not be cut short."""
    able = sorted((i for i in instances if i.in_service and not i.protected), key=lambda i: i.id)
    chosen = [i.id for i in able if i.id in first][:count]
    by_zone: defaultdict[str, list[Instance]] = defaultdict(list)
    for instance in sorted(able, key=lambda i: (is_well(i), i.id), reverse=True):
        if instance.id not in chosen:
            by_zone[instance.zone].append(instance)
    while len(chosen) < count and any(by_zone.values()):
        sick = next((zone for zone, left in sorted(by_zone.items()) if left and not is_well(left[-1])), None)
        fullest = max(sorted(by_zone), key=lambda zone: len(by_zone[zone]))
        chosen.append(by_zone[sick or fullest].pop().id)
    return tuple(chosen)


def choose_surplus(instances: Iterable[Instance], count: int, first: Collection[str] = frozenset()) -> tuple[str, ...]:
    """Which of them end: those that are not in service yet, then as for what leaves service."""
    instances = tuple(instances)
    booting = [i.id for i in instances if i.counts and not i.in_service][:count]
    return (*booting, *choose_to_leave(instances, count - len(booting), first))


def is_well(instance: Instance) -> bool:
    """True unless Auto Scaling, or a load balancer that lists it, calls it unhealthy."""
    return instance.healthy and (instance.target is None or instance.target.value == "healthy")
