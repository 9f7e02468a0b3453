"""The scope that every adapter gets besides its own settings: a new adapter changes nothing in the composition root."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from phoenix.aws.session import Aws
from phoenix.core.model import Slot
from phoenix.core.terms import Terms
from phoenix.ports import Clock


@dataclass(frozen=True, slots=True)
class Scope:
    """One group in one account and Region. `slots` are the names of its Auto Scaling groups, `terms` its policy's
    wishes as the core knows them."""

    group: str
    slots: Mapping[Slot, str]
    aws: Aws
    clock: Clock
    terms: Terms = Terms(steps=())
