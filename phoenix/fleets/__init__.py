"""Fleets: how a group's capacity exists in AWS.

How to add one: a module with a class that satisfies `phoenix.ports.Fleet` and is made from a scope. It lists the rights
it needs in `IAM_ACTIONS`, what it looks for before a start in `checks`, says in `RESERVE` whether it can keep instances
running out of service, and in `slots_among` which Auto Scaling groups make one. Then: a line in `KINDS` below; its keys
in the policy, as a class of `FleetKeys` and a line in `keys.py`, and out of the kinds that there are not in
`policy/model.py`; `phoenix policy schema > docs/policy.schema.json` and `make iam`; a maker in
`tests/contract/test_fleet_contract.py`, whose tests then hold for it too; a policy with it in `tests/iam/runs.py`,
since every right that is granted has to be used there; its own tests in `tests/fleets`, which run its `command` for
each remedy, and a whole rotation in `tests/rotation`; its row in `docs/policy.md`; a line in CHANGELOG.md.

AWS's words end here: states of instances are a `Lifecycle`, suspended processes a `Routine`, and what a person is to
type is `command`. Sentences of AWS for people are the fields called `…_words`.

It gets no settings, and must not import pydantic: a rollback makes it before, or without, reading any policy. What it
has to know of one is in the scope's `terms`, which the rotation's record holds too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from phoenix.core.model import Slot
from phoenix.fleets.group_fleet import GroupFleet
from phoenix.fleets.in_place import InPlaceFleet
from phoenix.fleets.pair import PairFleet

KINDS: Final[Mapping[str, type[GroupFleet]]] = {"pair": PairFleet, "in_place": InPlaceFleet}


def kind_of(names: Sequence[str]) -> tuple[str, Mapping[Slot, str]] | None:
    """The kind of fleet that these Auto Scaling groups make, and which slot each of them is; None where they make none.

    For a rollback that knows no more of a group than the tags on it.
    """
    for kind, made in KINDS.items():
        slots = made.slots_among(names)
        if slots is not None:
            return kind, slots
    return None
