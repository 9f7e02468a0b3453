"""What every fleet of Auto Scaling groups does alike: it reads instances and templates, and carries out actions.

Must never change a size: which numbers a role has, and in which call, is for each kind of fleet to say.
"""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, ClassVar, assert_never

from phoenix.aws.errors import is_about_template
from phoenix.aws.groups import read_groups, unknown_groups
from phoenix.aws.late import late
from phoenix.aws.rights import FORWARD, GROUPS, IS_MANAGED, OUR_TAGS, WRITERS, Right, Rights, reads
from phoenix.aws.scope import Scope
from phoenix.aws.templates import TemplateUse, read_version, template_of, versions_to_copy
from phoenix.core.action import (
    Action,
    Announce,
    Drain,
    EndInstance,
    MakeTemplateVersion,
    Release,
    RemoveTags,
    ReplaceInstance,
    SetFailover,
    SetOptIns,
    SetRole,
    SetSchedules,
    SetWeights,
    Undrain,
    WriteTags,
)
from phoenix.core.blocker import UNKNOWN_AHEAD, Ahead, Blocker
from phoenix.core.difference import Difference
from phoenix.core.generation import Generation
from phoenix.core.image import Image
from phoenix.core.launch_failure import LaunchFailure
from phoenix.core.model import Slot, SlotState
from phoenix.core.remedy import Remedy
from phoenix.core.rotation import Rotation
from phoenix.errors import AccessDenied, NotFound, PermanentError, TransientError
from phoenix.fleets.group_commands import command
from phoenix.fleets.group_instances import GroupInstances
from phoenix.fleets.group_shapes import slot_state, with_version
from phoenix.ports import FleetView

log = logging.getLogger(__name__)

_CHANGES = ("ResumeProcesses", "SuspendProcesses", "UpdateAutoScalingGroup")
_TAGGING = ("CreateOrUpdateTags", "DeleteTags")


# What only a way forward needs is loaded by what needs it: a rollback's first write comes 20 ms sooner.


def common_rights() -> Rights:
    """The rights that every kind of fleet needs, but for its own checks."""
    from phoenix.fleets import group_console, group_facts, group_revival, group_taint, group_template

    return (
        frozenset(Right(f"autoscaling:{call}", "ChangeGroups", WRITERS, GROUPS, (IS_MANAGED,)) for call in _CHANGES)
        | {Right("autoscaling:SetInstanceHealth", "ChangeGroups", WRITERS, GROUPS, (IS_MANAGED,))}
        | {Right(f"autoscaling:{c}", "TagGroups", WRITERS, GROUPS, (IS_MANAGED, *OUR_TAGS)) for c in _TAGGING}
        | reads("autoscaling:DescribeAutoScalingGroups")
        | reads(
            "autoscaling:DescribePolicies",
            "autoscaling:DescribeScalingActivities",
            "autoscaling:DescribeScheduledActions",
            roles=FORWARD,
        )
        | reads("ec2:DescribeInstances")
        | group_console.IAM_ACTIONS
        | group_template.IAM_ACTIONS
        | group_revival.IAM_ACTIONS
        | group_facts.IAM_ACTIONS
        | group_taint.IAM_ACTIONS
    )


def _revival_checks() -> tuple[str, ...]:
    from phoenix.fleets import group_revival

    return group_revival.CHECKS


class GroupFleet(GroupInstances):
    """The Auto Scaling groups of one server group. `RESERVE`: the fleet can keep instances running out of service."""

    RESERVE: ClassVar[bool]
    IAM_ACTIONS: ClassVar[Rights]
    checks: ClassVar[tuple[str, ...]]
    revival_checks: ClassVar[tuple[str, ...]] = late(_revival_checks)

    @staticmethod
    @abstractmethod
    def slots_among(names: Sequence[str]) -> dict[Slot, str] | None:
        """The group that each slot is in, if these are all; None where they are no fleet of this kind."""

    def __init__(self, scope: Scope) -> None:
        super().__init__()
        self._aws = scope.aws
        self._clock = scope.clock
        self._group = scope.group
        self._names = scope.slots
        self._drained_by = frozenset(station.kind for station in scope.terms.before_leaving)
        self._seen: dict[str, dict[str, Any]] = {}
        self._started_at: datetime | None = None  # the rotation that was last observed

    # --- reading ------------------------------------------------------------------------------------------------------

    def observe(self, rotation: Rotation | None) -> FleetView:
        """Both slots in one call; a second one only while launches are awaited, or a template version is looked for."""
        moving = rotation if rotation is not None and rotation.in_flight else None
        self._started_at = moving.started_at if moving is not None else None
        calls: list[Callable[[], Any]] = [self._read_groups]
        if moving is not None and _awaits_launches(moving):
            calls.append(partial(self._read_failures, moving))
        _, *failures = self._aws.side_by_side(calls)
        return FleetView(
            slots=self._slots(rotation),
            failures=failures[0] if failures else (),
            prepared_version=self._find_prepared(moving) if moving is not None else None,
        )

    def resolve_version(self, slot: Slot) -> str:
        """The number that the slot launches from now; asks EC2 unless the group names a number itself.

        Raises:
            NotFound: the template or its version is gone, or the slot has a launch configuration.
        """
        use = self._template(slot)
        return use.version if use.version.isdigit() else str(read_version(self._aws, use.id, use.version).number)

    def identify(self, generation: Generation) -> Generation:
        """The generation with the template version that launches its image, read from what its slot has now."""
        from phoenix.fleets.group_identity import identify

        return identify(self._aws, self._read(generation.slot), generation)

    def find_losses(self, generation: Generation) -> Sequence[Blocker]:
        """Its image is gone, or nothing can launch it; the group itself as last seen."""
        from phoenix.fleets import group_revival

        return group_revival.find_losses(self._aws, self._read(generation.slot), generation)

    def template_changes(self, live: Slot) -> tuple[str, ...]:
        """The differences, besides the image, between the owner's newest template version and the live one."""
        from phoenix.fleets.group_template import changes, running_version

        running = running_version(self._aws, self._read(live))
        if running is None:
            return ()
        return changes(self._aws, running, versions_to_copy(self._aws, self._template(live.other).id).source)

    def differences(self, live: Slot) -> Sequence[Difference]:
        """In the template and, where the next generation is in another group, in the groups."""
        from phoenix.fleets.group_differences import of_groups, of_template

        own, other = self._read(live), self._read(live.other)
        return [*of_template(self._aws, own, other), *of_groups(own, other)]

    @abstractmethod
    def find_blockers(self, live: Slot, image: Image, need: int, ahead: Ahead = UNKNOWN_AHEAD) -> Sequence[Blocker]:
        """All blockers at once, from fresh reads."""

    def find_revival_blockers(self, generation: Generation, count: int) -> Sequence[Blocker]:
        """All at once; the group itself as last seen."""
        from phoenix.fleets import group_revival

        group, at = self._read(generation.slot), self._clock.now()
        return group_revival.find_blockers(self._aws, group_revival.Revival(group, generation, count, at))

    @abstractmethod
    def _slots(self, rotation: Rotation | None) -> Mapping[Slot, SlotState]:
        """Both slots as the groups that were read last have them."""

    def console_of(self, instance: str) -> str:
        """The last lines of the instance's console, without what looks like a secret; one read, or two."""
        from phoenix.fleets.group_console import read_console

        return read_console(self._aws, instance)

    def command(self, remedy: Remedy) -> str:
        """As the AWS CLI is told it of the group that the slot is in."""
        return command(remedy, self._names[remedy.slot])

    def _read_groups(self) -> None:
        names = tuple(dict.fromkeys(self._names.values()))
        found = read_groups(self._aws, names)
        unknown = [name for name in names if name not in found]
        if unknown:
            raise unknown_groups(self._aws, unknown)
        self._seen = {name: found[name] for name in names}

    def _read(self, slot: Slot) -> dict[str, Any]:
        """The slot's group as last seen; read if it never was."""
        if self._names[slot] not in self._seen:
            self._read_groups()
        return self._seen[self._names[slot]]

    def _forget(self, slot: Slot) -> None:
        """What was seen of the slot's group is old: it is read again before anything is decided by it."""
        self._seen.pop(self._names[slot], None)

    def _template(self, slot: Slot) -> TemplateUse:
        use = template_of(self._read(slot))
        if use is None:
            raise NotFound(f"{self._names[slot]} has a launch configuration; phoenix needs a launch template")
        return use

    def _read_failures(self, rotation: Rotation) -> tuple[LaunchFailure, ...]:
        from phoenix.fleets.group_launch_failures import read_failures

        return read_failures(self._aws, self._names[rotation.new.slot], rotation.growth.since or rotation.started_at)

    def _find_prepared(self, rotation: Rotation) -> str | None:
        """Forward the candidate's; on the way back one for the old generation, where its slot has lost its own."""
        made = rotation.new if rotation.back is None else rotation.old
        group = self._read(made.slot)
        is_there = made.is_launched_by(slot_state(made.slot, group))
        if template_of(group) is None or (is_there if rotation.back is not None else made.template_version is not None):
            return None
        from phoenix.fleets.group_template import description, find_version

        wanted = description(rotation.id, made.number)
        return find_version(self._aws, self._template(made.slot).id, wanted, rotation.started_at)

    # --- writing ------------------------------------------------------------------------------------------------------

    def apply(self, action: Action) -> None:
        """Carry out one action.

        Raises:
            PermanentError: the action is not about capacity.
            TransientError: the template version is too new to be known everywhere.
        """
        match action:
            case WriteTags():
                self._write_tags(action)
            case RemoveTags():
                self._remove_tags(action)
            case MakeTemplateVersion():
                from phoenix.fleets.group_template import make_version

                make_version(self._aws, self._template(action.slot).id, action)
            case SetRole():
                self._set_role(action)
            case Release():
                self._release(action)
            case SetSchedules():
                self._set_schedules(action)
            case ReplaceInstance():
                self._replace(action)
            case EndInstance():
                from phoenix.fleets.group_drill import end_instance

                end_instance(self._aws, self._names[action.slot], action)
            case SetWeights() | SetFailover() | SetOptIns() | Drain() | Undrain() | Announce():
                raise PermanentError("traffic is the router's, and work the orchestrators', not the fleet's")
            case _:
                assert_never(action)

    def _write(self, method: str, slot: Slot, **parameters: Any) -> None:
        self._aws.call("autoscaling", method, AutoScalingGroupName=self._names[slot], **parameters)

    @abstractmethod
    def _set_role(self, action: SetRole) -> None:
        """Bring the slot into the role, and its group to the template version that comes with it."""

    def _release(self, action: Release) -> None:
        raise PermanentError(f"nothing is held before traffic in {self._names[action.slot]}")

    @abstractmethod
    def _set_schedules(self, action: SetSchedules) -> None:
        """Let the slot's scheduled actions run, or suspend them."""

    @abstractmethod
    def _write_tags(self, action: WriteTags) -> None:
        """Set tags."""

    @abstractmethod
    def _remove_tags(self, action: RemoveTags) -> None:
        """Remove the tags."""

    def _update(self, slot: Slot, version: str | None = None, template: str | None = None, **sizes: int) -> None:
        """Change the sizes, and with a version what the group launches from now on, in one call.

        Raises:
            TransientError: the template version is too new to be known everywhere.
        """
        parameters: dict[str, Any] = dict(sizes)
        if version is not None:
            parameters |= with_version(self._read(slot), version, template)
        try:
            self._write("update_auto_scaling_group", slot, **parameters)
        except PermanentError as error:
            if version is None or not self._may_settle(slot, version, error):
                raise
            raise TransientError(f"version {version} is not known everywhere yet: {error}") from error
        self._forget(slot)

    def _may_settle(self, slot: Slot, version: str, error: PermanentError) -> bool:
        """True if Auto Scaling may be about to learn of the version that it refuses: EC2 has just made it."""
        if not (isinstance(error, NotFound) or is_about_template(error)):
            return False
        from phoenix.fleets.group_template import SETTLING, made_since

        made_at = made_since(self._aws, self._template(slot).id, version) or self._started_at
        return made_at is not None and self._clock.now() - made_at < SETTLING

    def _replace(self, action: ReplaceInstance) -> None:
        try:
            self._aws.call(
                "autoscaling",
                "set_instance_health",
                InstanceId=action.instance,
                HealthStatus="Unhealthy",
                ShouldRespectGracePeriod=False,
            )
        except PermanentError as error:
            # Auto Scaling has sentences for a missing instance, and no code. One that has gone, or leaves, is no error.
            if isinstance(error, AccessDenied) or self._serves(action):
                raise
            log.info("instance.gone", extra={"group": self._group, "instance": action.instance})

    def _serves(self, action: ReplaceInstance) -> bool:
        """True if a fresh read lists the instance as in service."""
        self._forget(action.slot)
        members = self._read(action.slot)["Instances"]
        return any(m["InstanceId"] == action.instance and m["LifecycleState"] == "InService" for m in members)


def _awaits_launches(rotation: Rotation) -> bool:
    return rotation.growth.since is not None and rotation.clocks.proved_at is None and rotation.back is None
