"""Auto Scaling's own activities: launch, put into service, replace, retire. Must never happen within the call.

In service is not healthy: a member comes into service when its machine runs, whatever its server answers.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from moto.core.exceptions import ServiceException
from moto.moto_api._internal import mock_random

from phoenix.sandbox.faults import Faults
from phoenix.sandbox.groups import Activity, Group, Member
from phoenix.sandbox.hooks import OF_A_DRIVER, Hook, Hooks, Wait
from phoenix.sandbox.launching import (
    FAILED,
    LaunchFailed,
    Place,
    Recipe,
    behaviour_of,
    launch,
    recipe_of,
    wording,
)
from phoenix.sandbox.physics import Behaviour, Physics
from phoenix.sandbox.placing import choose_victims, next_place, places_of
from phoenix.sandbox.refusal import Refusal
from phoenix.sandbox.servers import Reply, Servers
from phoenix.sandbox.targets import Target, Targets

if TYPE_CHECKING:
    from moto.ec2.models import EC2Backend

    from phoenix.sandbox.timeline import Timeline

ACTIVITIES_KEPT = 2000
EC2_CHECK = "At {at} an instance was taken out of service in response to an EC2 health check indicating it has been"
EC2_CHECK += " terminated or stopped."
ELB_CHECK = "At {at} an instance was taken out of service in response to an ELB system health check failure."
ABANDONED = (
    "Instance failed to complete user's Lifecycle Action: Lifecycle Action with token {token} was abandoned: {why}"
)
"""With "Heartbeat Timeout" it stands in CodeDeploy's guide, under troubleshooting Auto Scaling."""
USER_CHECK = "At {at} an instance was taken out of service in response to a user health-check."
SHRINK = "At {at} an instance was taken out of service in response to a difference between desired and actual capacity,"
SHRINK += " shrinking the capacity from {old} to {new}."


def stamp(moment: datetime) -> str:
    """As AWS writes times inside its sentences."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


class Scaling:
    """All Auto Scaling groups, and their activities."""

    def __init__(self, timeline: Timeline, physics: Physics, servers: Servers, targets: Targets) -> None:
        self.physics = physics
        self.groups: dict[str, Group] = {}
        self.gone: dict[str, Group] = {}
        """Deleted groups, for DescribeScalingActivities with IncludeDeletedGroups."""
        self.faults: Faults
        self.ec2: Callable[[], EC2Backend]
        self._timeline, self._servers, self._targets = timeline, servers, targets
        self.hooks = Hooks(timeline, lambda name: [Hook.of(each) for each in self.groups[name].hooks.values()])
        self.hooks.on_answer = self._answered
        servers.on_running.append(self._running)
        servers.on_reply.append(self._started_up)
        targets.on_healthy.append(self._target_healthy)
        targets.on_unhealthy.append(self._target_unhealthy)

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
        """Take one member out: deregister, drain, terminate. It counts no more from now on."""
        self.hooks.forget(member.instance_id)
        member.lifecycle = "Terminating"
        activity = self._begin(group, f"Terminating EC2 instance: {member.instance_id}", cause, member.zone)
        drain = self.release(group, member)
        if drain:
            activity.status = "WaitingForELBConnectionDraining"
        if member.launch and member.launch.end is None:
            member.launch.finish("Cancelled", self._timeline.now)
        self._timeline.after(drain, lambda: self._end(group, member, activity))
        return activity

    def release(self, group: Group, member: Member) -> float:
        """Deregister the member everywhere; return the seconds until the last target group has drained it."""
        return max((self._targets.deregister(arn, member.instance_id) for arn in group.target_groups), default=0)

    def enroll(self, group: Group, member: Member) -> None:
        """Register an in-service member with the group's target groups, unless that is suspended.

        If a target group or load balancer is full, the member gets no traffic and no call reports it. That Auto Scaling
        behaves so is believed, not shown.
        """
        if "AddToLoadBalancer" not in group.suspended:
            for arn in group.target_groups:
                with suppress(Refusal):
                    self._targets.register(arn, member.instance_id)

    def condemn(self, group: Group, member: Member, cause: str) -> None:
        """Call a member unhealthy; the group replaces it, terminating first, unless that is suspended."""
        if not member.healthy or member.lifecycle not in ("InService", "Pending"):
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

    def _replace(self, group: Group, member: Member) -> None:
        blocked = {"ReplaceUnhealthy", "Terminate", "HealthCheck"} & group.suspended
        if member.healthy or blocked or member not in group.members or member.lifecycle == "Terminating":
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

    def _shrink(self, group: Group, surplus: int) -> None:
        template = self._newest(group)
        for member in choose_victims(group, surplus, template):
            old = len(group.active())
            why = SHRINK.format(at=stamp(self._timeline.now), old=old, new=old - 1)
            self.retire(group, member, "  ".join([*group.causes, why]))

    def _newest(self, group: Group) -> str | None:
        try:
            template = recipe_of(self.ec2(), group.settings).member_template()
        except (ServiceException, KeyError):
            return None
        return template["Version"] if template else None

    def _grow(self, group: Group, missing: int) -> None:
        for _ in range(missing):
            if not self._launch_one(group):
                group.failed_launches += 1
                delay = self.physics.launch_retry * 2 ** (group.failed_launches - 1)
                self.reconcile_soon(group, min(delay, self.physics.launch_retry_most))
                return
            group.failed_launches = 0

    def _launch_one(self, group: Group) -> bool:
        now, old = self._timeline.now, len(group.active())
        why = f"At {stamp(now)} an instance was started in response to a difference between desired and actual capacity"
        cause = "  ".join([*group.causes, f"{why}, increasing the capacity from {old} to {old + 1}."])
        place = next_place(group, self._offered(group))
        activity = self._begin(group, "Launching a new EC2 instance", cause, place.zone, place.subnet)
        try:
            recipe = recipe_of(self.ec2(), group.settings)
            self._meet_fault(group, recipe, place)
            instance = launch(self.ec2(), group, recipe, place)
        except LaunchFailed as failure:
            activity.finish("Failed", now, str(failure))
            return False
        except ServiceException as error:
            activity.finish("Failed", now, f"{error.message} {FAILED}")
            return False
        activity.description = f"Launching a new EC2 instance: {instance.id}"
        protected = bool(group.settings.get("NewInstancesProtectedFromScaleIn", False))
        member = Member(
            instance.id, place.zone, recipe.instance_type, recipe.member_template(), now, protected, launch=activity
        )
        group.members.append(member)
        self._servers.boot(instance, behaviour_of(self.ec2(), recipe.image))
        return True

    def _offered(self, group: Group) -> list[Place]:
        """The places that have the group's instance type: Auto Scaling tries another zone where one does not."""
        places = places_of(self.ec2(), group)
        try:
            chosen = recipe_of(self.ec2(), group.settings).instance_type
        except (ServiceException, KeyError):
            return places
        return [each for each in places if (chosen, each.zone) not in self.faults.terms.withheld] or places

    def _meet_fault(self, group: Group, recipe: Recipe, place: Place) -> None:
        fault = self.faults.of_launch(group.name)
        if fault is not None:
            raise LaunchFailed(wording(fault, recipe, place))

    def _running(self, instance_id: str) -> None:
        found = self.group_of(instance_id)
        if found is None or found[1].lifecycle != "Pending":
            return
        group, member = found
        if self.hooks.begin(group.name, instance_id):
            member.lifecycle = "Pending:Wait"
        else:
            self._put_into_service(group, member)

    def _put_into_service(self, group: Group, member: Member) -> None:
        member.lifecycle, member.in_service_since = "InService", self._timeline.now
        if member.launch:
            member.launch.finish("Successful", self._timeline.now)
        self.enroll(group, member)

    def _started_up(self, instance_id: str) -> None:
        """The owner's hooks are answered by the image's own start-up, as soon as its server answers."""
        server = self._servers.get(instance_id)
        if server is None or server.gone or server.reply is Reply.REFUSED:
            return
        result = "ABANDON" if server.behaviour is Behaviour.ABANDONING else "CONTINUE"
        for wait in self.hooks.of(instance_id):
            if not wait.hook.name.startswith(OF_A_DRIVER) and wait in self.hooks.of(instance_id):
                self.hooks.answer(wait, result)

    def _answered(self, wait: Wait, abandoned: bool, why: str) -> None:
        found = self.group_of(wait.instance_id)
        if found is None or found[1].lifecycle != "Pending:Wait":
            return
        group, member = found
        if not abandoned:
            if not self.hooks.of(wait.instance_id):
                self._put_into_service(group, member)
            return
        if member.launch:
            member.launch.finish("Cancelled", self._timeline.now, ABANDONED.format(token=wait.token, why=why))
        group.failed_launches += 1  # "repeated failures slow launches", the guide says of abandoned ones as of others
        self.retire(
            group,
            member,
            f"At {stamp(self._timeline.now)} an instance was taken out of service in response to a launch failure.",
        )
        delay = self.physics.launch_retry * 2 ** (group.failed_launches - 1)
        self.reconcile_soon(group, min(delay, self.physics.launch_retry_most))

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

    def _begin(self, group: Group, what: str, cause: str, zone: str, subnet: str | None = None) -> Activity:
        place = f'"Availability Zone":"{zone}"'
        details = f'{{"Subnet ID":"{subnet}",{place}}}' if subnet else f"{{{place}}}"
        number = str(mock_random.uuid4())
        activity = Activity(number, group.name, group.arn, what, cause, self._timeline.now, details)
        group.activities.append(activity)
        del group.activities[:-ACTIVITIES_KEPT]
        return activity

    def _end(self, group: Group, member: Member, activity: Activity) -> None:
        self._servers.end(member.instance_id)
        activity.status = "InProgress"
        self._timeline.after(self.physics.terminating, lambda: self._remove(group, member, activity))

    def _remove(self, group: Group, member: Member, activity: Activity) -> None:
        if member in group.members:
            group.members.remove(member)
        activity.finish("Successful", self._timeline.now)
