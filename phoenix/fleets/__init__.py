"""Fleets: how a group's capacity exists in AWS.

How to add one: a module with a class that satisfies `phoenix.ports.Fleet`, is made from a scope and lists the rights it
needs in `IAM_ACTIONS` and what it looks for before a start in `checks`; a line in `KINDS` below; its keys in the
policy, as a class and a line in `keys.py`; and its name in `tests/contract`, whose tests then hold for it too. Nothing
else has to change.

It gets no settings, and must not import pydantic: a rollback makes it before, or without, reading any policy. What it
has to know of one is in the scope's `terms`, which the rotation's record holds too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from phoenix.core.model import Slot
from phoenix.fleets.pair import PairFleet

KINDS: Final[Mapping[str, type[PairFleet]]] = {"pair": PairFleet}


def kind_of(names: Sequence[str]) -> tuple[str, Mapping[Slot, str]] | None:
    """The kind of fleet that these Auto Scaling groups make, and which slot each of them is; None where they make none.

    For a rollback that knows no more of a group than the tags on it.
    """
    for kind, made in KINDS.items():
        slots = made.slots_among(names)
        if slots is not None:
            return kind, slots
    return None
