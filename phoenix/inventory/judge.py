"""How each Auto Scaling group of an account could be rotated, and the steps before that. Pure.

Must never call a group ready that `plan` would block for what its description says already.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from phoenix.aws.groups import ROUTED
from phoenix.core.blocker import Blocker
from phoenix.core.tags import GROUP, IN_ONE_GROUP
from phoenix.fleets.group_judgement import judge_bounds, judge_group, judge_marks, judge_protected, judge_retained
from phoenix.fleets.group_owners import drained_without_keys, judge_hooks
from phoenix.fleets.group_shapes import our_tags, traffic_sources
from phoenix.fleets.pair_judgement import Pair, judge_pair
from phoenix.inventory.makers import maker_of
from phoenix.inventory.model import Attachment, Hook, ServerGroup, Size
from phoenix.inventory.pairs import Halves, find_pairs
from phoenix.routers import KINDS as ROUTERS

NOT_AT_ALL: Final = frozenset(
    (
        "being-deleted",
        "capacity-in-other-units",
        "codedeploy-hook",
        "launch-configuration",
        "name",
        "no-router",
        "other-traffic-source",
        "owned-by-another-service",
        "warm-pool",
    )
)
"""Blockers that are no matter of one command: the group has to be changed, or taken from the service that drives it."""
_BALANCERS: Final = {"HTTP": "alb", "HTTPS": "alb", "GENEVE": "gwlb"}
"""The load balancer behind a target group's protocol; with every other protocol it is a Network Load Balancer
(https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html)."""
_OTHER_SOURCES: Final = {"elb": "classic", "vpc-lattice": "lattice"}
_MOST_LETTERS: Final = 63
_DIGITS: Final = 8

Described = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What else was read: target groups by ARN, the policies that name an Auto Scaling group, hooks by group."""

    target_groups: Mapping[str, Described]
    policies: Mapping[str, Sequence[str]]
    hooks: Mapping[str, Sequence[Described]]


def judge_groups(described: Sequence[Described], around: Surroundings) -> list[ServerGroup]:
    """Every group once, by itself or as half of a pair, in the order of their names."""
    pairs = list(find_pairs(described))
    halves = {_name(each) for pair in pairs for each in (pair.blue, pair.green)}
    alone = [group for group in described if _name(group) not in halves]
    called = _called([*((g, _name(g)) for g in alone), *((p.fuller_first[0], p.stem) for p in pairs)])
    found = [*(_pair(pair, called, around) for pair in pairs), *(_plain(group, called, around) for group in alone)]
    return sorted(found, key=lambda each: each.group)


def _name(group: Described) -> str:
    return str(group["AutoScalingGroupName"])


def _called(groups: Sequence[tuple[Described, str]]) -> dict[str, str]:
    """Each group's name for its policy, by the name of its Auto Scaling group: the one on its tag, where phoenix has
    rotated it before, else its own. No two are called alike."""
    found: dict[str, str] = {}
    for group, name in groups:
        wanted = our_tags(group).get(GROUP, name)
        fitting = re.sub(r"[^A-Za-z0-9._-]+", "-", wanted)[:_MOST_LETTERS].strip("-._") or "group"
        if fitting in found.values() or len(wanted) > _MOST_LETTERS:
            fitting = f"{fitting[: _MOST_LETTERS - _DIGITS - 1]}-{sha256(_name(group).encode()).hexdigest()[:_DIGITS]}"
        found[_name(group)] = fitting
    return found


def _plain(group: Described, names: Mapping[str, str], around: Surroundings) -> ServerGroup:
    name = _name(group)
    called = names[name]
    attached = _attachments(group, around)
    hooks = around.hooks.get(name)
    drained_by = drained_without_keys(group)
    blockers = [
        *_unnameable(name),
        *judge_group(called, group, IN_ONE_GROUP, drained_by),
        *judge_retained(group),
        *judge_bounds(group),
        *(() if group.get("NewInstancesProtectedFromScaleIn") else judge_protected(group, "the live generation")),
        *judge_hooks(name, hooks or ()),
        *_empty(group),
        *judge_marks((group,)),
    ]
    return ServerGroup(
        group=called,
        auto_scaling_groups=(name,),
        size=_size(group),
        attached=attached,
        made_by=maker_of(group),
        fleet=None if _hopeless(blockers) else "in_place",
        traffic="attached" if attached else "none",
        in_the_way=_hopeless(blockers),
        missing=tuple(b for b in blockers if b.name not in NOT_AT_ALL),
        policies=tuple(around.policies.get(name, ())),
        hooks=None if hooks is None else tuple(_hook(name, hook) for hook in hooks),
        drained_by=drained_by,
    )


def _pair(pair: Halves, called: Mapping[str, str], around: Surroundings) -> ServerGroup:
    live, other = pair.fuller_first
    names = (_name(live), _name(other))
    group = called[names[0]]
    attached = tuple(dict.fromkeys((*_attachments(live, around), *_attachments(other, around))))
    hooks = [(name, hook) for name in names for hook in around.hooks.get(name, ())]
    traffic, unrouted = _route(names, attached)
    blockers = [
        *(blocker for name in names for blocker in _unnameable(name)),
        *judge_pair(Pair(group, live, other)),
        *(blocker for name in names for blocker in judge_hooks(name, around.hooks.get(name, ()))),
        *unrouted,
        *_empty(live),
    ]
    return ServerGroup(
        group=group,
        auto_scaling_groups=names,
        size=_size(live),
        attached=attached,
        made_by=maker_of(live) or maker_of(other),
        fleet=None if _hopeless(blockers) else "pair",
        traffic=traffic,
        in_the_way=_hopeless(blockers),
        missing=tuple(b for b in blockers if b.name not in NOT_AT_ALL),
        policies=tuple(dict.fromkeys(policy for name in names for policy in around.policies.get(name, ()))),
        hooks=tuple(_hook(*each) for each in hooks) if all(name in around.hooks for name in names) else None,
        slots={"blue": _name(pair.blue), "green": _name(pair.green)},
    )


def _hopeless(blockers: Sequence[Blocker]) -> tuple[Blocker, ...]:
    return tuple(blocker for blocker in blockers if blocker.name in NOT_AT_ALL and not blocker.warning)


def _size(group: Described) -> Size:
    return Size(int(group["MinSize"]), int(group["MaxSize"]), int(group["DesiredCapacity"]))


def _hook(name: str, hook: Described) -> Hook:
    moment = "launching" if str(hook["LifecycleTransition"]).endswith("LAUNCHING") else "terminating"
    seconds, result = int(hook.get("HeartbeatTimeout", 3600)), str(hook.get("DefaultResult", "ABANDON"))
    return Hook(name, str(hook["LifecycleHookName"]), moment, seconds, result)


def _unnameable(name: str) -> Iterator[Blocker]:
    if re.fullmatch(r"[!-9;-~]{1,255}", name) is None:
        yield Blocker(
            "name",
            f"Auto Scaling group {name!r}",
            f"{name!r} has a space, a colon or a letter outside of ASCII in its name: a policy cannot name it.",
        )


def _empty(group: Described) -> Iterator[Blocker]:
    if not group.get("Instances"):
        name = _name(group)
        yield Blocker(
            "empty",
            f"Auto Scaling group {name}",
            f"no instance runs in {name}: there is nothing to rotate yet, and its image is not known.",
        )


def _route(names: Sequence[str], attached: Sequence[Attachment]) -> tuple[str, list[Blocker]]:
    """The router for a pair, which has to move weights between its target groups."""
    kinds = {each.kind for each in attached}
    if not kinds:
        return "none", []
    kind = next(iter(kinds))
    if len(kinds) == 1 and kind in ROUTERS:
        return kind, []
    told = ", ".join(sorted({f"{each.kind} {each.name}" for each in attached}))
    text = f"{' and '.join(names)} are behind {told}: phoenix moves no weights there between two groups."
    return "none", [Blocker("no-router", f"Auto Scaling groups {' and '.join(names)}", text)]


def _attachments(group: Described, around: Surroundings) -> tuple[Attachment, ...]:
    return tuple(
        _target_group(identifier, around.target_groups.get(identifier))
        if kind == ROUTED
        else Attachment(_OTHER_SOURCES.get(kind, kind), identifier.rpartition("/")[2])
        for identifier, kind in traffic_sources(group)
    )


def _target_group(arn: str, found: Described | None) -> Attachment:
    name = arn.rpartition(":targetgroup/")[2].partition("/")[0] or arn
    if found is None:
        return Attachment("unknown", name, "target group not found")
    protocol, port, path = str(found.get("Protocol")), found.get("Port"), found.get("HealthCheckPath")
    balancers = sorted(str(each).split("/")[-2] for each in found.get("LoadBalancerArns", ()))
    kind = _BALANCERS.get(protocol, "nlb") if balancers else "unused"
    details = f"target group {name}, {protocol} {port}, health check {path or found.get('HealthCheckProtocol')}"
    is_http = str(found.get("HealthCheckProtocol")) == "HTTP" and port
    called = ", ".join(balancers) or name
    return Attachment(kind, called, details, int(port) if is_http and port else None, path if is_http else None)
