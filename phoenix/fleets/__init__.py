"""Fleets: how a group's capacity exists in AWS.

How to add one: a module with `class Settings(Kind)` for its keys in the policy and a class that satisfies
`phoenix.ports.Fleet`, is made from `(settings, scope)` and lists the rights it needs in `IAM_ACTIONS`; a line in
`KINDS` below; and its name in `tests/contract`, whose tests then hold for it too. Nothing else has to change.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from phoenix.fleets.pair import PairFleet

KINDS: Final[Mapping[str, type[PairFleet]]] = {"pair": PairFleet}
