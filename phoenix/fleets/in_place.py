"""One plain Auto Scaling group, in which each generation takes the place of the one before.

Must never detach an instance, nor end one through EC2: the group would go on listing it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar, assert_never

from phoenix.aws.groups import ROUTED
from phoenix.aws.instances import read_instances
from phoenix.aws.late import late
from phoenix.aws.rights import GROUPS, IS_MANAGED, ROTATE, WRITERS, Right, Rights, reads
from phoenix.aws.scope import Scope
from phoenix.core import tags
from phoenix.core.action import Release, RemoveTags, SetRole, SetSchedules, WriteTags
from phoenix.core.blocker import UNKNOWN_AHEAD, Ahead, Blocker
from phoenix.core.image import Image
from phoenix.core.lifecycle import Lifecycle
from phoenix.core.model import Role, Slot, SlotState
from phoenix.core.rotation import Rotation
from phoenix.errors import AccessDenied, NotFound, PermanentError, TransientError
from phoenix.fleets.group_ends import end_instances
from phoenix.fleets.group_fleet import GroupFleet, common_rights
from phoenix.fleets.group_shapes import slot_state, traffic_sources
from phoenix.fleets.group_tags import change_tags
from phoenix.fleets.in_place_calls import HOOK, Call, End, Enter, Exit, NotYet, Scene, Update, calls_for, in_batches
from phoenix.fleets.in_place_slots import REBALANCE, reserve_in, split
from phoenix.ports import FleetView

log = logging.getLogger(__name__)

HELD_FOR = 7200
"""Seconds after which a held instance that no driver has released ends; the most that AWS allows."""
MOST_MOVED = 20
"""Instances that one EnterStandby or ExitStandby takes, says the model of the API."""
MOST_ASKED = 100
"""Instances that one DescribeInstanceStatus takes, says the EC2 API reference."""
SCHEDULES = "ScheduledActions"
_MOVES = (
    "CompleteLifecycleAction",
    "DeleteLifecycleHook",
    "ExitStandby",
    "TerminateInstanceInAutoScalingGroup",
)
_FORWARD = ("EnterStandby", "PutLifecycleHook")


def _rights() -> Rights:
    from phoenix.fleets import in_place_blockers

    return (
        common_rights()
        | frozenset(Right(f"autoscaling:{call}", "ChangeGroups", WRITERS, GROUPS, (IS_MANAGED,)) for call in _MOVES)
        | frozenset(Right(f"autoscaling:{call}", "RetireInstances", ROTATE, GROUPS, (IS_MANAGED,)) for call in _FORWARD)
        | reads("ec2:DescribeInstanceStatus", "autoscaling:DescribeLifecycleHooks")
        | in_place_blockers.IAM_ACTIONS
    )


def _checks() -> tuple[str, ...]:
    from phoenix.fleets import in_place_blockers

    return in_place_blockers.CHECKS


class InPlaceFleet(GroupFleet):
    """The group as AWS has it, shown as two slots that are told apart by their template version."""

    RESERVE: ClassVar = True
    IAM_ACTIONS: ClassVar[Rights] = late(_rights)
    checks: ClassVar[tuple[str, ...]] = late(_checks)

    @staticmethod
    def slots_among(names: Sequence[str]) -> dict[Slot, str] | None:
        """One group."""
        return dict.fromkeys(Slot, names[0]) if len(set(names)) == 1 else None

    def __init__(self, scope: Scope) -> None:
        super().__init__(scope)
        self._hooks_harmless = scope.terms.hooks_harmless
        self._holds = scope.terms.holds
        self._rotation: Rotation | None = None  # in flight or ended, as it was at the last look
        self._fit: frozenset[str] | None = None  # which of the reserve ran then; None: there was none

    # --- reading ------------------------------------------------------------------------------------------------------

    def observe(self, rotation: Rotation | None) -> FleetView:
        """The group in one call, and in another whether its reserve still runs: AWS itself does not check that."""
        self._rotation = rotation
        self._fit = None
        view = super().observe(rotation)
        kept = [i.id for state in view.slots.values() for i in reserve_in(state)]
        if not kept:
            return view
        self._fit = self._fit_among(kept)
        return replace(view, slots=self._slots(rotation))

    def _fit_among(self, ids: Sequence[str]) -> frozenset[str]:
        """Those that run, and whose status checks EC2 has not found impaired."""
        try:
            found = self._statuses(ids)
        except NotFound:
            # One that is gone for more than an hour is not known any more, while the group still lists it.
            found = self._statuses([each.id for each in read_instances(self._aws, list(ids))])
        return frozenset(
            str(item["InstanceId"])
            for item in found
            if item["InstanceState"]["Name"] == "running"
            and "impaired" not in (item["InstanceStatus"]["Status"], item["SystemStatus"]["Status"])
        )

    def _statuses(self, ids: Sequence[str]) -> list[dict[str, Any]]:
        ask = partial(self._aws.call, "ec2", "describe_instance_status")
        batches = in_batches(ids, MOST_ASKED)
        answers = self._aws.side_by_side([partial(ask, InstanceIds=list(batch)) for batch in batches])
        return [item for answer in answers for item in answer["InstanceStatuses"]]

    def find_blockers(self, live: Slot, image: Image, need: int, ahead: Ahead = UNKNOWN_AHEAD) -> Sequence[Blocker]:
        """All blockers at once, from fresh reads."""
        from phoenix.fleets.in_place_blockers import Start, find_blockers

        at = self._clock.now()
        name, harmless = self._names[live], self._hooks_harmless
        return find_blockers(
            self._aws, Start(self._group, name, live, image, need, at, ahead, harmless, self._drained_by)
        )

    @property
    def _whole(self) -> SlotState:
        """The group with all that is in it, as if it were one slot. Where every instance is protected from scale-in,
        that says nothing of a single one."""
        group = self._read(Slot.BLUE)
        whole = slot_state(Slot.BLUE, group)
        others = tuple(identifier for identifier, kind in traffic_sources(group) if kind != ROUTED)
        if group.get("NewInstancesProtectedFromScaleIn"):
            whole = replace(whole, instances=tuple(replace(i, protected=False) for i in whole.instances))
        return replace(whole, other_sources=others)

    def _slots(self, rotation: Rotation | None) -> Mapping[Slot, SlotState]:
        slots = split(self._whole, rotation)
        if self._fit is None:
            return slots
        return {slot: _with_fitness(state, self._fit) for slot, state in slots.items()}

    @property
    def _in_flight(self) -> Rotation | None:
        return self._rotation if self._rotation is not None and self._rotation.in_flight else None

    def _members(self, slot: Slot) -> Mapping[str, Mapping[str, Any]]:
        everyone = {str(item["InstanceId"]): item for item in self._read(slot)["Instances"]}
        own = self._slots(self._rotation)[slot]
        return {i.id: everyone[i.id] for i in own.instances if not i.stands_by}

    # --- writing ------------------------------------------------------------------------------------------------------

    def _set_role(self, action: SetRole) -> None:
        moving = self._in_flight
        holds = self._holds or (moving is not None and moving.terms.holds)
        if action.role is Role.CANDIDATE and holds:
            self._hold(action.slot)
        if action.role is Role.LIVE and holds:
            # Before the numbers, which are the last thing that is missing: a death in between leaves no hook behind.
            self._stop_holding(action.slot)
        whole, slots = self._whole, self._slots(self._rotation)
        scene = Scene(whole, slots[action.slot], slots[action.slot.other], moving)
        try:
            calls = calls_for(action, scene)
        except NotYet as wait:
            raise TransientError(str(wait)) from wait
        for call in calls:
            self._make(action.slot, call)

    def _hold(self, slot: Slot) -> None:
        """New instances run and are registered nowhere until they are released. Those that never are end."""
        self._write(
            "put_lifecycle_hook",
            slot,
            LifecycleHookName=HOOK,
            LifecycleTransition="autoscaling:EC2_INSTANCE_LAUNCHING",
            HeartbeatTimeout=HELD_FOR,
            DefaultResult="ABANDON",
        )

    def _stop_holding(self, slot: Slot) -> None:
        try:
            self._write("delete_lifecycle_hook", slot, LifecycleHookName=HOOK)
        except PermanentError as error:
            if isinstance(error, AccessDenied) or self._has_hook(slot):
                raise

    def _has_hook(self, slot: Slot) -> bool:
        from phoenix.fleets.group_satellites import hooks_of

        return any(hook["LifecycleHookName"] == HOOK for hook in hooks_of(self._aws, self._names[slot]))

    def _release(self, action: Release) -> None:
        """One call for each instance: AWS completes no two with one."""
        for instance in self._slots(self._rotation)[action.slot].instances:
            if instance.lifecycle is not Lifecycle.HELD:
                continue
            try:
                self._write(
                    "complete_lifecycle_action",
                    action.slot,
                    LifecycleHookName=HOOK,
                    InstanceId=instance.id,
                    LifecycleActionResult="CONTINUE",
                )
            except AccessDenied:
                raise
            except PermanentError as error:
                # Completed already, or held by a hook of the owner's alone.
                log.info("instance.not_held", extra={"instance": instance.id, "reason": error.message})
        self._forget(action.slot)

    def _make(self, slot: Slot, call: Call) -> None:
        match call:
            case Update(least, most, version, template):
                sizes = {"MinSize": least, "MaxSize": most}
                self._update(slot, version, template, **{k: v for k, v in sizes.items() if v is not None})
            case Enter(ids):
                if self._is_rebalanced:
                    self._write("suspend_processes", slot, ScalingProcesses=[REBALANCE])
                self._move("enter_standby", slot, ids, ShouldDecrementDesiredCapacity=True)
            case Exit(ids):
                self._move("exit_standby", slot, ids)
            case End(ids, counted):
                end_instances(self._aws, self._names[slot], ids, counted=counted)
            case _:
                assert_never(call)
        self._forget(slot)

    def _move(self, method: str, slot: Slot, ids: Sequence[str], **how: bool) -> None:
        """In batches, each of which is done as a whole or not at all.

        Raises:
            TransientError: an instance is not in the state any more that it was seen in: another look tells which.
        """
        for batch in in_batches(ids, MOST_MOVED):
            try:
                self._write(method, slot, InstanceIds=list(batch), **how)
            except PermanentError as error:
                self._forget(slot)
                now = {str(i["InstanceId"]): str(i["LifecycleState"]) for i in self._read(slot)["Instances"]}
                expected = "InService" if method == "enter_standby" else "Standby"
                if all(now.get(each) == expected for each in batch):
                    raise
                raise TransientError(f"{error}; the next look tells what has become of them") from error

    def _set_schedules(self, action: SetSchedules) -> None:
        """One list of processes for both slots. What rebalances the zones stands still with it, as a reserve makes them
        uneven; it goes on with the end of the tag that says so."""
        if action.running:
            self._write("resume_processes", action.slot, ScalingProcesses=[SCHEDULES])
        else:
            self._write("suspend_processes", action.slot, ScalingProcesses=[SCHEDULES, REBALANCE])
        self._forget(action.slot)

    def _write_tags(self, action: WriteTags) -> None:
        """What both slots say is one tag here. Beside the owner's numbers stands whether the zones were rebalanced."""
        found: dict[str, str] = {}
        for slot, pairs in action.tags.items():
            for key, value in pairs.items():
                is_noted = key == tags.CAPACITY and self._rebalances
                found[tags.in_one_group(key, slot)] = f"{value} {REBALANCE}" if is_noted else value
        name = self._names[Slot.BLUE]
        change_tags(self._aws, "create_or_update_tags", ((name, key, value) for key, value in found.items()))
        self._forget(Slot.BLUE)

    @property
    def _rebalances(self) -> bool:
        """True where the owner lets Auto Scaling rebalance the zones, by the group itself or by what was noted."""
        return self._is_rebalanced or bool(self._noted())

    @property
    def _is_rebalanced(self) -> bool:
        found = self._read(Slot.BLUE).get("SuspendedProcesses", ())
        return all(item["ProcessName"] != REBALANCE for item in found)

    def _noted(self) -> frozenset[str]:
        """Keys of the tags that say that zones are to be rebalanced again when they go."""
        return frozenset(key for key, value in self._whole.tags.items() if value.endswith(f" {REBALANCE}"))

    def _remove_tags(self, action: RemoveTags) -> None:
        gone = {tags.in_one_group(key, slot) for slot, keys in action.keys.items() for key in keys}
        noted = self._noted()
        if noted and noted <= gone and not self._is_rebalanced:
            self._write("resume_processes", Slot.BLUE, ScalingProcesses=[REBALANCE])
        name = self._names[Slot.BLUE]
        change_tags(self._aws, "delete_tags", ((name, key, None) for key in sorted(gone)))
        self._forget(Slot.BLUE)


def _with_fitness(state: SlotState, fit: frozenset[str]) -> SlotState:
    """A reserve that does not run any more is listed as healthy by Auto Scaling: it asks nothing about it."""
    kept = {i.id for i in reserve_in(state)}
    known = tuple(replace(i, healthy=i.healthy and i.id in fit) if i.id in kept else i for i in state.instances)
    return replace(state, instances=known)
