"""The part of a fake fleet that a person can change by hand: its instances. All are `m7i.large` when launched."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from phoenix.core.drift import Compared, Found, Fresh
from phoenix.core.model import Instance, Slot, SlotState
from phoenix.core.trigger import LiveInstance

FRESH = Fresh(types=frozenset({"m7i.large"}), devices=frozenset())


class FakeInstances(ABC):
    """Instances of two groups in memory."""

    state: dict[Slot, SlotState]

    def __init__(self) -> None:
        self.schedules = False
        self.taints: dict[str, str | None] = {}
        self.changed_by_hand: dict[str, dict[str, Any]] = {}
        """What a person has changed on instances, as fields of `Found`."""

    def compare(self, *, deep: bool = False) -> Mapping[str, Compared]:
        self._fail_if_told()
        found = [self._live(instance) for slot in Slot for instance in self.state[slot].instances]
        facts = [Found(i.id, i.image, i.launched_at, "m7i.large", i.template_version, tags=i.tags) for i in found]
        return {each.id: Compared(replace(each, **self.changed_by_hand.get(each.id, {})), FRESH) for each in facts}

    def mark_tainted(self, instances: Sequence[str], value: str | None) -> None:
        self._fail_if_told()
        self.taints |= dict.fromkeys(instances, value)

    def has_schedules(self, slot: Slot) -> bool:
        return self.schedules

    @abstractmethod
    def _live(self, instance: Instance) -> LiveInstance: ...

    @abstractmethod
    def _fail_if_told(self) -> None: ...

    def console_of(self, instance: str) -> str:
        return f"boot: {instance}"
