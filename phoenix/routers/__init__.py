"""Routers: how traffic reaches the slots.

How to add one: a module with a class that satisfies `phoenix.ports.Router` and is made from a scope; one that moves
weights in forward actions is a `WeightedRouter`, one without weights a `WeightlessRouter`, and one whose requests
nothing counts by target group `Uncounted` as well. It lists the rights it needs
in `IAM_ACTIONS` and its checks before a start in `checks`, and says in `WEIGHTS` and `HEALTH` what it makes possible
(`phoenix.core.serving.Serving`), in `PROTOCOLS` and `APART` which target groups are its, and in `ROUTES` which part of
an ARN only its routes have: a rollback without policy knows the kind by these. `moved_groups` is its part of the
overview of idle groups. Then: a line in `KINDS` below; its keys in the policy, as a class of `TrafficKeys` and a line
in `keys.py`, and its name out of the kinds that there are not in `policy/model.py`; `phoenix policy schema >
docs/policy.schema.json` and `make iam`; if it has weights, a maker in `tests/contract/test_router_contract.py`, whose
tests then hold for it too (one without weights has only its own); a policy with it in `tests/iam/runs.py`, since every
right that is granted has to be used there; its own tests in `tests/routers`, and a whole rotation in `tests/rotation`;
its row in `docs/policy.md`; a line in CHANGELOG.md.

Limits: in a pair, a target group in which both slots register stops every start, also where no weight has to tell them
apart (`shared-target-group`). Two kinds with the same possibilities need other protocols of their target groups.

It gets no settings, and must not import pydantic: a rollback makes it before, or without, reading any policy. What it
has to know of one is in the scope's `terms`, which the rotation's record holds too.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from phoenix.aws.session import Aws
from phoenix.core.model import Slot
from phoenix.core.serving import Serving
from phoenix.routers.alb import AlbRouter
from phoenix.routers.attached import AttachedRouter
from phoenix.routers.listeners import Listeners
from phoenix.routers.nlb import NlbRouter
from phoenix.routers.none import NoRouter
from phoenix.routers.route53 import Route53Router

KINDS: Final[Mapping[str, type[AlbRouter | NlbRouter | Route53Router | AttachedRouter | NoRouter]]] = {
    "alb": AlbRouter,
    "nlb": NlbRouter,
    "route53": Route53Router,
    "attached": AttachedRouter,
    "none": NoRouter,
}


def kind_of(serving: Serving, routes: Collection[str] = ()) -> str:
    """The kind of router that gives a group what it has been served with, by its routes (ARNs) where there are several.

    For a rollback that knows no more of a group than its record.
    """
    fitting = _fitting(serving)
    known = (kind for kind in fitting for route in routes if KINDS[kind].ROUTES in route)
    return next(known, fitting[0])


def kind_behind(serving: Serving, aws: Aws, target_groups: Mapping[Slot, Collection[str]]) -> str:
    """The same by the load balancers of each slot's target groups (ARNs), read in one call: one for both slots, and of
    which kind, or one for each.

    For a rollback that knows no more of a group than the tags on it.
    """
    fitting = _fitting(serving)
    if len(fitting) == 1:
        return fitting[0]
    found = Listeners(aws).existing(arn for arns in target_groups.values() for arn in arns)
    protocols = {str(group.get("Protocol")) for group in found}
    apart = _are_apart(found, target_groups)
    made = {kind: KINDS[kind] for kind in fitting}
    known = (kind for kind, each in made.items() if protocols & each.PROTOCOLS and each.APART is apart)
    return next(known, fitting[0])


def _are_apart(found: Sequence[Mapping[str, Any]], target_groups: Mapping[Slot, Collection[str]]) -> bool:
    """True when each slot has load balancers, and none of them is the other's. An emptied slot behind a common one may
    have left its rules: it has none then."""
    homes = [
        {home for group in found if group["TargetGroupArn"] in arns for home in group.get("LoadBalancerArns", ())}
        for arns in target_groups.values()
    ]
    return len(homes) == len(Slot) and all(homes) and not set.intersection(*homes)


def _fitting(serving: Serving) -> list[str]:
    wanted = serving.weights, serving.health
    return [kind for kind, made in KINDS.items() if wanted == (made.WEIGHTS, made.HEALTH)]
