"""The entries of DescribeScalingActivities. Records only: the parts that act begin and finish them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moto.moto_api._internal import mock_random

from phoenix.sandbox.groups import Activity, Group

if TYPE_CHECKING:
    from phoenix.sandbox.timeline import Timeline

KEPT = 2000


class Activities:
    """Begins activities, each at the time of the event that is happening."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline

    def begin(self, group: Group, what: str, cause: str, zone: str, subnet: str | None = None) -> Activity:
        """Add one that is in progress."""
        place = f'"Availability Zone":"{zone}"'
        details = f'{{"Subnet ID":"{subnet}",{place}}}' if subnet else f"{{{place}}}"
        number = str(mock_random.uuid4())
        activity = Activity(number, group.name, group.arn, what, cause, self._timeline.now, details)
        group.activities.append(activity)
        del group.activities[:-KEPT]
        return activity
