"""Standby: out of service and out of the desired capacity, and a member all the same.

A member in Standby is not checked by its group or by a load balancer: it keeps the health that it had, even if it dies.
https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-enter-exit-standby.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from phoenix.sandbox.activities import Activities
from phoenix.sandbox.attachments import Attachments
from phoenix.sandbox.groups import Activity, Group, Member
from phoenix.sandbox.physics import Physics

if TYPE_CHECKING:
    from phoenix.sandbox.timeline import Timeline

ENTERING, RESTING = "EnteringStandby", "Standby"


class Standby:
    """Moves members in and out. `on_return(group, member)` puts one into service that has come back."""

    def __init__(self, timeline: Timeline, activities: Activities, attachments: Attachments) -> None:
        self.physics: Physics
        self.on_return: Callable[[Group, Member], None]
        self._timeline, self._activities, self._attachments = timeline, activities, attachments

    def enter(self, group: Group, member: Member, cause: str) -> Activity:
        """Deregister it; it is in Standby once the last traffic source has drained it. No termination hook runs."""
        member.lifecycle = ENTERING
        what = f"Moving EC2 instance to Standby: {member.instance_id}"
        activity = member.activity = self._activities.begin(group, what, cause, member.zone, member.subnet)
        drain = self._attachments.release(group, member)
        self._timeline.after(max(drain, self.physics.entering_standby), lambda: self._rest(member, activity))
        return activity

    def leave(self, group: Group, member: Member, cause: str) -> Activity:
        """Register it; it is in service soon after, and healthy for a load balancer when that has checked it. No launch
        hook runs."""
        member.lifecycle, member.in_service_since = "Pending", None
        what = f"Moving EC2 instance out of Standby: {member.instance_id}"
        activity = member.activity = self._activities.begin(group, what, cause, member.zone, member.subnet)
        activity.status, activity.progress = "PreInService", 30
        self._attachments.enroll(group, member)
        self._timeline.after(self.physics.leaving_standby, lambda: self._return(group, member, activity))
        return activity

    def _rest(self, member: Member, activity: Activity) -> None:
        if member.lifecycle == ENTERING:
            member.lifecycle = RESTING
            activity.finish("Successful", self._timeline.now)

    def _return(self, group: Group, member: Member, activity: Activity) -> None:
        if member.lifecycle == "Pending":
            activity.finish("Successful", self._timeline.now)
            self.on_return(group, member)
