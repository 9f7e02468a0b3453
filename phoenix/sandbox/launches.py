"""The launches of groups: where, from which template, and the member that comes of it.

Must never decide whether to launch: `scaling` and the API do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from moto.core.exceptions import ServiceException

from phoenix.sandbox.activities import Activities
from phoenix.sandbox.faults import Faults
from phoenix.sandbox.groups import Group, Member
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
from phoenix.sandbox.placing import next_place, places_of
from phoenix.sandbox.servers import Servers

if TYPE_CHECKING:
    from moto.ec2.models import EC2Backend

    from phoenix.sandbox.timeline import Timeline


class Launches:
    """Launches one instance at a time, as the group's template and the account's faults have it."""

    def __init__(self, timeline: Timeline, servers: Servers, activities: Activities) -> None:
        self.faults: Faults
        self.ec2: Callable[[], EC2Backend]
        self._timeline, self._servers, self._activities = timeline, servers, activities

    def launch(self, group: Group, cause: str, places: Sequence[Place] = ()) -> Member:
        """Launch in the emptiest of these places, or of all that have the type; the activity tells how it went.

        Raises:
            LaunchFailed: with AWS's words.
        """
        now = self._timeline.now
        place = next_place(group, places or self.offered(group))
        activity = self._activities.begin(group, "Launching a new EC2 instance", cause, place.zone, place.subnet)
        try:
            recipe = recipe_of(self.ec2(), group.settings)
            self._meet_fault(group, recipe, place)
            instance = launch(self.ec2(), group, recipe, place)
        except LaunchFailed as failure:
            activity.finish("Failed", now, str(failure))
            raise
        except ServiceException as error:
            activity.finish("Failed", now, f"{error.message} {FAILED}")
            raise LaunchFailed(f"{error.message} {FAILED}") from error
        activity.description = f"Launching a new EC2 instance: {instance.id}"
        protected = bool(group.settings.get("NewInstancesProtectedFromScaleIn", False))
        member = Member(
            instance.id, place.zone, recipe.instance_type, recipe.member_template(), now, protected, launch=activity
        )
        member.subnet, member.activity = place.subnet, activity
        group.members.append(member)
        self._servers.boot(instance, behaviour_of(self.ec2(), recipe.image))
        return member

    def offered(self, group: Group) -> list[Place]:
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
            raise LaunchFailed(wording(fault, recipe, place), fault)
