"""What every fleet of Auto Scaling groups does with single instances: reads them, compares them, marks them.

Must never change anything but the one tag that marks an instance as changed by hand.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from phoenix.aws.instances import read_instances
from phoenix.aws.session import Aws
from phoenix.core.drift import Compared
from phoenix.core.model import Slot
from phoenix.core.trigger import LiveInstance
from phoenix.fleets.group_shapes import launched_from

_MOST_DESCRIBED: Final = 2000
"""Instances that are remembered; beyond that only those asked for last."""


class GroupInstances(ABC):
    """The instances of the Auto Scaling groups that a fleet knows."""

    _aws: Aws
    _names: Mapping[Slot, str]

    def __init__(self) -> None:
        self._described: dict[str, LiveInstance] = {}

    def live_instances(self, slot: Slot) -> Sequence[LiveInstance]:
        """The slot's instances, with the template versions that Auto Scaling knows rather than those in their tags."""
        members = self._members(slot)
        described = read_instances(self._aws, list(members))
        return [replace(i, template_version=launched_from(members[i.id]) or i.template_version) for i in described]

    def images_of(self, ids: Sequence[str]) -> Mapping[str, str]:
        """Only the instances that are new here are asked about."""
        return {each.id: each.image for each in self._describe(ids)}

    def launched_at(self, ids: Sequence[str]) -> Mapping[str, datetime]:
        """The same."""
        return {each.id: each.launched_at for each in self._describe(ids)}

    def _describe(self, ids: Sequence[str]) -> list[LiveInstance]:
        unknown = [each for each in ids if each not in self._described]
        self._described |= {each.id: each for each in (read_instances(self._aws, unknown) if unknown else ())}
        found = [self._described[each] for each in ids if each in self._described]
        if len(self._described) > _MOST_DESCRIBED:
            self._described = {each.id: each for each in found}
        return found

    def has_scaling_policies(self, slot: Slot) -> bool:
        """True when the slot has any scaling policy, also one that is switched off now."""
        from phoenix.fleets.group_satellites import policies_of

        return bool(policies_of(self._aws, self._names[slot]))

    def compare(self, *, deep: bool = False) -> Mapping[str, Compared]:
        """The instances of both slots beside what their template versions make; the groups as last seen."""
        from phoenix.fleets import group_facts

        return group_facts.compare(self._aws, self._groups(), deep=deep)

    def has_schedules(self, slot: Slot) -> bool:
        """True when the slot has scheduled actions, also while they are suspended."""
        from phoenix.fleets.group_satellites import schedules_of

        return bool(schedules_of(self._aws, self._names[slot]))

    def mark_tainted(self, instances: Sequence[str], value: str | None) -> None:
        """Tag these instances; None takes the tag away."""
        from phoenix.fleets import group_taint

        group_taint.mark(self._aws, instances, value)

    @abstractmethod
    def _read(self, slot: Slot) -> dict[str, Any]:
        """The slot's group as last seen; read if it never was."""

    @abstractmethod
    def _members(self, slot: Slot) -> Mapping[str, Mapping[str, Any]]:
        """The slot's instances as its group lists them, by id; read if they never were."""

    def _groups(self) -> list[dict[str, Any]]:
        """Every Auto Scaling group of the fleet, each once."""
        return list({self._names[slot]: self._read(slot) for slot in self._names}.values())
