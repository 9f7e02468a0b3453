"""How a member leaves its group for good: deregister, drain, wait for the termination hooks, terminate.

The order is the lifecycle guide's: https://docs.aws.amazon.com/autoscaling/ec2/userguide/lifecycle-hooks-overview.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from phoenix.sandbox.activities import Activities
from phoenix.sandbox.attachments import Attachments
from phoenix.sandbox.groups import Activity, Group, Member
from phoenix.sandbox.hooks import ON_TERMINATION, Hooks
from phoenix.sandbox.physics import Physics
from phoenix.sandbox.servers import Servers

if TYPE_CHECKING:
    from phoenix.sandbox.timeline import Timeline

WAITING = "Terminating:Wait"


class Leaving:
    """Takes members out."""

    def __init__(
        self, timeline: Timeline, servers: Servers, hooks: Hooks, activities: Activities, attachments: Attachments
    ) -> None:
        self.physics: Physics
        self._timeline, self._servers, self._hooks = timeline, servers, hooks
        self._activities, self._attachments = activities, attachments

    def begin(self, group: Group, member: Member, cause: str) -> Activity:
        """Start to take one member out. It does not count from now on."""
        self._hooks.forget(member.instance_id)
        member.lifecycle = "Terminating"
        what = f"Terminating EC2 instance: {member.instance_id}"
        activity = member.activity = self._activities.begin(group, what, cause, member.zone, member.subnet)
        drain = self._attachments.release(group, member)
        if drain:
            activity.status = "WaitingForELBConnectionDraining"
        if member.launch and member.launch.end is None:
            member.launch.finish("Cancelled", self._timeline.now)
        self._timeline.after(drain, lambda: self._drained(group, member, activity))
        return activity

    def answered(self, group: Group, member: Member, *, abandoned: bool) -> None:
        """One of the member's termination hooks is over. ABANDON ends the others with it; the instance goes either way,
        unless the group's lifecycle policy keeps abandoned ones."""
        if abandoned:
            self._hooks.forget(member.instance_id)
            if group.keeps_abandoned:
                member.lifecycle = "Terminating:Retained"
                return
        activity = member.activity
        if not self._hooks.of(member.instance_id) and activity is not None:
            member.lifecycle = "Terminating:Proceed"
            self._end(group, member, activity)

    def _drained(self, group: Group, member: Member, activity: Activity) -> None:
        if self._hooks.begin(group, member.instance_id, ON_TERMINATION):
            member.lifecycle, activity.status = WAITING, "MidLifecycleAction"
        else:
            self._end(group, member, activity)

    def _end(self, group: Group, member: Member, activity: Activity) -> None:
        self._servers.end(member.instance_id)
        activity.status = "InProgress"
        self._timeline.after(self.physics.terminating, lambda: self._remove(group, member, activity))

    def _remove(self, group: Group, member: Member, activity: Activity) -> None:
        if member in group.members:
            group.members.remove(member)
        activity.finish("Successful", self._timeline.now)
