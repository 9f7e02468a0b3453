"""Auto Scaling's own activities: launch, put into service, replace, retire. Must never happen within the call.

In service is not healthy: a member comes into service when its machine runs, whatever its server answers.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from moto.core.exceptions import ServiceException

from phoenix.sandbox.activities import Activities
from phoenix.sandbox.attachments import Attachments
from phoenix.sandbox.balance import Balance
from phoenix.sandbox.causes import ABANDONED, EC2_CHECK, ELB_CHECK, GROW, LAUNCH_FAILURE, SHRINK, STATUS_CHECK, stamp
from phoenix.sandbox.faults import Faults
from phoenix.sandbox.groups import ACTIVE, Activity, Group, Member
from phoenix.sandbox.hooks import OF_A_DRIVER, ON_LAUNCH, Hooks, Wait
from phoenix.sandbox.launches import Launches
from phoenix.sandbox.launching import LaunchFailed, recipe_of
from phoenix.sandbox.leaving import WAITING, Leaving
from phoenix.sandbox.physics import Behaviour, Physics
from phoenix.sandbox.placing import choose_victims
from phoenix.sandbox.servers import Reply, Servers
from phoenix.sandbox.standby import Standby
from phoenix.sandbox.targets import Target, Targets

if TYPE_CHECKING:
    from moto.ec2.models import EC2Backend

    from phoenix.sandbox.timeline import Timeline


class Scaling:
    """All Auto Scaling groups, and their activities."""

    def __init__(self, timeline: Timeline, physics: Physics, servers: Servers, targets: Targets) -> None:
        self.groups: dict[str, Group] = {}
        self.gone: dict[str, Group] = {}
        """Deleted groups, for DescribeScalingActivities with IncludeDeletedGroups."""
        self._timeline, self._servers = timeline, servers
        activities = Activities(timeline)
        self.attachments = Attachments(targets)
        self.hooks = Hooks(timeline)
        self.launches = Launches(timeline, servers, activities)
        self.leaving = Leaving(timeline, servers, self.hooks, activities, self.attachments)
        self.standby = Standby(timeline, activities, self.attachments)
        self.balance = Balance(timeline, self.launches)
        self.physics = physics
        self.hooks.on_answer = self._answered
        self.standby.on_return = self._put_into_service
        self.balance.is_current = lambda group: self.groups.get(group.name) is group
        servers.on_running.append(self._running)
        servers.on_reply.append(self._started_up)
        targets.on_healthy.append(self._target_healthy)
        targets.on_unhealthy.append(self._target_unhealthy)

    def connect(self, ec2: Callable[[], EC2Backend], faults: Faults) -> None:
        """Launch in this EC2, with these faults."""
        self.launches.ec2, self.launches.faults = ec2, faults

    @property
    def physics(self) -> Physics:
        """The durations of every part."""
        return self._physics

    @physics.setter
    def physics(self, physics: Physics) -> None:
        self._physics = self.leaving.physics = self.standby.physics = self.balance.physics = physics

    def group_of(self, instance_id: str) -> tuple[Group, Member] | None:
        """The group that the instance belongs to; None when to none."""
        for group in self.groups.values():
            member = group.member(instance_id)
            if member is not None:
                return group, member
        return None

    def note_cause(self, group: Group, text: str) -> None:
        """Remember why the desired capacity changes: the next activities say so."""
        group.causes = [f"At {stamp(self._timeline.now)} {text}"]

    def reconcile_soon(self, group: Group, delay: float | None = None) -> None:
        """Let the group look at itself after a while; the API's own lag if none is given."""
        self._timeline.after(self.physics.api_to_pending if delay is None else delay, lambda: self._reconcile(group))

    def retire(self, group: Group, member: Member, cause: str) -> Activity:
        """Take one member out: deregister, drain, hooks, terminate. It does not count from now on."""
        return self.leaving.begin(group, member, cause)

    def bring_back(self, group: Group, member: Member, cause: str) -> Activity:
        """Take one out of Standby. One that has died there is found out now, and replaced."""
        activity = self.standby.leave(group, member, cause)
        server = self._servers.get(member.instance_id)
        if server is None or server.gone:
            self.condemn(group, member, EC2_CHECK)
        return activity

    def condemn(self, group: Group, member: Member, cause: str) -> None:
        """Call a member unhealthy; the group replaces it, terminating first, unless that is suspended. One in Standby
        is not checked."""
        if not member.healthy or member.lifecycle not in ACTIVE:
            return
        member.healthy, member.complaint = False, cause
        self._timeline.after(self.physics.health_reaction, lambda: self._replace(group, member))

    def resumed(self, group: Group) -> None:
        """Catch up on the work that was left while some of the group's processes were suspended."""
        for member in group.members:
            self._timeline.after(self.physics.health_reaction, lambda member=member: self._replace(group, member))  # type: ignore[misc]
        self.reconcile_soon(group)

    def machine_lost(self, instance_id: str) -> None:
        """EC2 has terminated or stopped the instance; its group notices at its next status check."""
        found = self.group_of(instance_id)
        if found is not None:
            group, member = found
            self._timeline.after(self.physics.status_check, lambda: self.condemn(group, member, EC2_CHECK))

    def machine_impaired(self, instance_id: str) -> None:
        """EC2 cannot reach the instance; its group notices after the grace period, and replaces it."""
        found = self.group_of(instance_id)
        if found is not None:
            group, member = found
            grace = timedelta(seconds=int(group.settings["HealthCheckGracePeriod"]))
            at = max(self._timeline.now, (member.in_service_since or self._timeline.now) + grace)
            seconds = (at - self._timeline.now).total_seconds() + self.physics.status_check
            self._timeline.after(seconds, lambda: self.condemn(group, member, STATUS_CHECK))

    def _replace(self, group: Group, member: Member) -> None:
        blocked = {"ReplaceUnhealthy", "Terminate", "HealthCheck"} & group.suspended
        if member.healthy or blocked or member not in group.members or member.lifecycle not in ACTIVE:
            return
        self.retire(group, member, member.complaint.format(at=stamp(self._timeline.now)))
        self.reconcile_soon(group)

    def _reconcile(self, group: Group) -> None:
        if self.groups.get(group.name) is not group:
            return
        surplus = len(group.active()) - group.desired
        if surplus > 0 and "Terminate" not in group.suspended:
            self._shrink(group, surplus)
        elif surplus < 0 and "Launch" not in group.suspended:
            self._grow(group, -surplus)
        self.balance.look_soon(group)

    def _shrink(self, group: Group, surplus: int) -> None:
        template = self._template_of(group)
        for member in choose_victims(group, surplus, template):
            old = len(group.active())
            why = SHRINK.format(at=stamp(self._timeline.now), old=old, new=old - 1)
            self.retire(group, member, "  ".join([*group.causes, why]))

    def _template_of(self, group: Group) -> str | None:
        try:
            template = recipe_of(self.launches.ec2(), group.settings).member_template()
        except (ServiceException, KeyError):
            return None
        return template["LaunchTemplateId"] if template else None

    def _grow(self, group: Group, missing: int) -> None:
        for _ in range(missing):
            old = len(group.active())
            why = GROW.format(at=stamp(self._timeline.now), old=old, new=old + 1)
            try:
                self.launches.launch(group, "  ".join([*group.causes, why]))
            except LaunchFailed:
                self._launch_later(group)
                return
            group.failed_launches = 0

    def _launch_later(self, group: Group) -> None:
        """Each failure in a row doubles the time until the next try."""
        group.failed_launches += 1
        delay = self.physics.launch_retry * 2 ** (group.failed_launches - 1)
        self.reconcile_soon(group, min(delay, self.physics.launch_retry_most))

    def _running(self, instance_id: str) -> None:
        found = self.group_of(instance_id)
        if found is None or found[1].lifecycle != "Pending":
            return
        group, member = found
        if self.hooks.begin(group, instance_id, ON_LAUNCH):
            member.lifecycle = "Pending:Wait"
        else:
            self._put_into_service(group, member)

    def _put_into_service(self, group: Group, member: Member) -> None:
        member.lifecycle, member.in_service_since = "InService", self._timeline.now
        if member.launch and member.launch.end is None:
            member.launch.finish("Successful", self._timeline.now)
        self.attachments.enroll(group, member)
        if member.balancing:
            member.balancing = False
            self.reconcile_soon(group)

    def _started_up(self, instance_id: str) -> None:
        """The owner's launch hooks are answered by the image's own start-up, as soon as its server answers."""
        server = self._servers.get(instance_id)
        if server is None or server.gone or server.reply is Reply.REFUSED:
            return
        result = "ABANDON" if server.behaviour is Behaviour.ABANDONING else "CONTINUE"
        for wait in self.hooks.of(instance_id):
            ours = wait.hook.name.startswith(OF_A_DRIVER) or wait.hook.lifecycle_transition != ON_LAUNCH
            if not ours and wait in self.hooks.of(instance_id):
                self.hooks.answer(wait, result)

    def _answered(self, wait: Wait, abandoned: bool, why: str) -> None:
        found = self.group_of(wait.instance_id)
        if found is None:
            return
        group, member = found
        if member.lifecycle == WAITING:
            self.leaving.answered(group, member, abandoned=abandoned)
        elif member.lifecycle == "Pending:Wait" and abandoned:
            self._abandon(group, member, ABANDONED.format(token=wait.token, why=why))
        elif member.lifecycle == "Pending:Wait" and not self.hooks.of(wait.instance_id):
            member.lifecycle = "Pending:Proceed"
            self._timeline.after(self.physics.proceeding, lambda: self._go_on(group, member))

    def _go_on(self, group: Group, member: Member) -> None:
        if member.lifecycle == "Pending:Proceed":
            self._put_into_service(group, member)

    def _abandon(self, group: Group, member: Member, words: str) -> None:
        """End a launch; "repeated failures slow launches", the guide says of abandoned ones as of others."""
        if member.launch:
            member.launch.finish("Cancelled", self._timeline.now, words)
        self.retire(group, member, LAUNCH_FAILURE.format(at=stamp(self._timeline.now)))
        self._launch_later(group)

    def _target_healthy(self, target: Target) -> None:
        found = self.group_of(target.instance_id)
        if found is not None:
            found[0].proven_attachments.add(target.group)

    def _target_unhealthy(self, target: Target) -> None:
        found = self.group_of(target.instance_id)
        if found is None:
            return
        group, member = found
        if group.settings["HealthCheckType"] != "ELB" or target.group not in group.proven_attachments:
            return
        grace = timedelta(seconds=int(group.settings["HealthCheckGracePeriod"]))
        since = member.in_service_since or self._timeline.now
        self._timeline.at(since + grace, lambda: self._judge(group, member, target))

    def _judge(self, group: Group, member: Member, target: Target) -> None:
        if target.state == "unhealthy":
            self.condemn(group, member, ELB_CHECK)
