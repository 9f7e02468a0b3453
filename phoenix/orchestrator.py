"""The protocol between the engine and what places work on a group's instances; the rules of `phoenix.ports` hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Protocol

from phoenix.core.blocker import Blocker
from phoenix.core.model import Slot, SlotState
from phoenix.core.work import Work


@dataclass(frozen=True, slots=True)
class Leavers:
    """The instances that are asked about, or told, and the rotation for which they leave, with its start: what a
    station does once for each rotation finds its own again by that. `generation` is the number of theirs where they are
    told something; 0 in a question."""

    instances: tuple[str, ...]
    rotation: str
    since: datetime
    generation: int = 0


class Orchestrator(Protocol):
    """One station of `before_leaving`, or a registry of `discovery`: there an instance takes work while clients find
    it, to be drained is to be withdrawn, and a registry answers about instances that it was not asked about where
    phoenix has announced them for this group, so that none is forgotten."""

    name: str
    """For people: `ecs shop`."""
    checks: ClassVar[tuple[str, ...]]
    """Names of everything that `find_blockers` looks for, and of the blockers it returns."""

    def observe(self, leavers: Leavers) -> Mapping[str, Work]:
        """How far each of these instances is, by id; one that it does not know is absent."""

    def drain(self, leavers: Leavers) -> None:
        """Let no new work come to them, and let the present work leave; repeating it changes nothing."""

    def undrain(self, leavers: Leavers) -> None:
        """Let them take work again; repeating it changes nothing, and one that it does not know is left out."""

    def find_blockers(self, slots: Mapping[Slot, SlotState], live: Slot) -> Sequence[Blocker]:
        """The blockers that would keep every instance at this station: an unknown cluster, instances that are not
        registered there, missing rights. Read-only."""
