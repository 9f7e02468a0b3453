"""Routers: how traffic reaches the slots.

How to add one: a module with a class that satisfies `phoenix.ports.Router` and is made from a scope. It lists the
rights it needs in `IAM_ACTIONS` and its checks before a start in `checks`, and says in `WEIGHTS` and `HEALTH` what it
makes possible (`phoenix.core.model.Serving`). Then: a line in `KINDS` below; its keys in the policy, as a class of
`TrafficKeys` and a line in `keys.py`, and its name out of the kinds that there are not in `policy/model.py`; `phoenix
policy schema > docs/policy.schema.json` and `make iam`; if it has weights, a maker in
`tests/contract/test_router_contract.py`, whose tests then hold for it too (one without weights has only its own); a
policy with it in `tests/iam/runs.py`, since every right that is granted has to be used there; its own tests in
`tests/routers`, and a whole rotation in `tests/rotation`; its row in `docs/policy.md`; a line in CHANGELOG.md.

Limits: for idle groups a sweep reads only rules of an Application Load Balancer (`shares.py`). `kind_of` below tells
two kinds apart only by what they make possible. A target group in which both slots register stops every start, also
where no weight has to tell them apart (`shared-target-group`).

It gets no settings, and must not import pydantic: a rollback makes it before, or without, reading any policy. What it
has to know of one is in the scope's `terms`, which the rotation's record holds too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from phoenix.core.serving import Serving
from phoenix.routers.alb import AlbRouter
from phoenix.routers.attached import AttachedRouter
from phoenix.routers.none import NoRouter

KINDS: Final[Mapping[str, type[AlbRouter | AttachedRouter | NoRouter]]] = {
    "alb": AlbRouter,
    "attached": AttachedRouter,
    "none": NoRouter,
}


def kind_of(serving: Serving) -> str:
    """The kind of router that gives a group what it has been served with.

    For a rollback that knows no more of a group than its record, or the tags on it.
    """
    wanted = serving.weights, serving.health
    return next(kind for kind, made in KINDS.items() if wanted == (made.WEIGHTS, made.HEALTH))
