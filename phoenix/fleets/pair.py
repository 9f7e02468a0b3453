"""Two Auto Scaling groups, blue and green, that trade places.

Must never send DesiredCapacity to the live slot: its autoscaler owns that number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from phoenix.aws.late import late
from phoenix.aws.rights import Rights
from phoenix.core.action import RemoveTags, SetRole, SetSchedules, WriteTags
from phoenix.core.blocker import UNKNOWN_AHEAD, Ahead, Blocker
from phoenix.core.image import Image
from phoenix.core.model import Slot, SlotState
from phoenix.core.roles import numbers
from phoenix.core.rotation import Rotation
from phoenix.fleets.group_ends import end_instances
from phoenix.fleets.group_fleet import GroupFleet, common_rights
from phoenix.fleets.group_shapes import slot_state
from phoenix.fleets.group_tags import change_tags


def _rights() -> Rights:
    from phoenix.fleets import pair_blockers

    return common_rights() | pair_blockers.IAM_ACTIONS


def _checks() -> tuple[str, ...]:
    from phoenix.fleets import pair_blockers

    return pair_blockers.CHECKS


class PairFleet(GroupFleet):
    """The pair as AWS has it: each slot is a group. Reads both in one call, and writes absolute targets."""

    RESERVE: ClassVar = False
    IAM_ACTIONS: ClassVar[Rights] = late(_rights)
    checks: ClassVar[tuple[str, ...]] = late(_checks)

    @staticmethod
    def slots_among(names: Sequence[str]) -> dict[Slot, str] | None:
        """Two groups. Nothing depends on which is which, but names mostly say it, so that screens read well."""
        if len(names) != len(Slot):
            return None
        first, second = sorted(names)
        if "green" in first.lower() or "blue" in second.lower():
            first, second = second, first
        return {Slot.BLUE: first, Slot.GREEN: second}

    def find_blockers(self, live: Slot, image: Image, need: int, ahead: Ahead = UNKNOWN_AHEAD) -> Sequence[Blocker]:
        """All blockers at once, from fresh reads."""
        from phoenix.fleets.pair_blockers import Start, find_blockers

        at = self._clock.now()
        return find_blockers(self._aws, Start(self._group, self._names, live, image, need, at, ahead, self._drained_by))

    def _slots(self, rotation: Rotation | None) -> Mapping[Slot, SlotState]:
        return {slot: slot_state(slot, self._read(slot)) for slot in self._names}

    def _members(self, slot: Slot) -> Mapping[str, Mapping[str, Any]]:
        return {str(item["InstanceId"]): item for item in self._read(slot)["Instances"]}

    def _set_role(self, action: SetRole) -> None:
        wanted = numbers(action.role, action.count, action.owner)
        if action.leaving:
            # A lower MaxSize would leave the choice to AWS. By the next look the bounds are all that is missing.
            self._update(action.slot, action.version, action.template, MinSize=wanted.min)
            end_instances(self._aws, self._names[action.slot], action.leaving, counted=True)
            self._forget(action.slot)
            return
        sizes = {"MinSize": wanted.min, "MaxSize": wanted.max}
        if wanted.desired is not None:
            sizes["DesiredCapacity"] = wanted.desired
        self._update(action.slot, action.version, action.template, **sizes)

    def _set_schedules(self, action: SetSchedules) -> None:
        method = "resume_processes" if action.running else "suspend_processes"
        self._write(method, action.slot, ScalingProcesses=["ScheduledActions"])

    def _write_tags(self, action: WriteTags) -> None:
        tags = ((self._names[slot], key, value) for slot, pairs in action.tags.items() for key, value in pairs.items())
        change_tags(self._aws, "create_or_update_tags", tags)

    def _remove_tags(self, action: RemoveTags) -> None:
        gone = ((self._names[slot], key, None) for slot, keys in action.keys.items() for key in keys)
        change_tags(self._aws, "delete_tags", gone)
