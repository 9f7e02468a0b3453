"""AZRebalance: a group whose zones are uneven gets an instance in the emptiest one, and then loses one in the fullest.

Members in Standby are not counted, so that putting some of one zone there makes the zones uneven.
https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-suspend-resume-processes.html
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

from phoenix.sandbox.causes import BALANCED, UNBALANCED, stamp
from phoenix.sandbox.groups import Group
from phoenix.sandbox.launches import Launches
from phoenix.sandbox.launching import LaunchFailed
from phoenix.sandbox.physics import Physics

if TYPE_CHECKING:
    from phoenix.sandbox.timeline import Timeline

NEEDED = frozenset({"AZRebalance", "Launch", "Terminate"})
"""It does nothing while one of these is suspended."""
UNEVEN = 2
"""By so much the fullest zone exceeds the emptiest before AWS acts: fewer cannot be avoided."""


class Balance:
    """Looks at a group once it is at rest. `is_current(group)` tells whether the group still exists."""

    def __init__(self, timeline: Timeline, launches: Launches) -> None:
        self.physics: Physics
        self.is_current: Callable[[Group], bool]
        self._timeline, self._launches = timeline, launches
        self._planned: set[str] = set()

    def look_soon(self, group: Group) -> None:
        """Look at the group after a while, once."""
        if group.name not in self._planned and self._is_uneven(group):
            self._planned.add(group.name)
            self._timeline.after(self.physics.rebalancing, lambda: self._look(group))

    def _look(self, group: Group) -> None:
        self._planned.discard(group.name)
        if not self.is_current(group) or NEEDED & group.suspended or not self._is_uneven(group):
            return
        if any(member.lifecycle != "InService" for member in group.active()):
            self.look_soon(group)
            return
        crowd = self._crowd(group)
        named = {"zones": " ".join(crowd), "counts": " ".join(map(str, crowd.values()))}
        at = stamp(self._timeline.now)
        try:
            newcomer = self._launches.launch(group, UNBALANCED.format(at=at, **named))
        except LaunchFailed:
            return
        newcomer.balancing = True
        group.causes = [BALANCED.format(at=at, zones=newcomer.zone)]

    def _is_uneven(self, group: Group) -> bool:
        if len(group.active()) != group.desired:
            return False
        crowd = self._crowd(group)
        emptiest = min(crowd[place.zone] for place in self._launches.offered(group))
        return max(crowd.values()) - emptiest >= UNEVEN

    def _crowd(self, group: Group) -> Counter[str]:
        """Members that count, by zone: those of the group that have its instance type, and those where members are."""
        crowd: Counter[str] = Counter({place.zone: 0 for place in self._launches.offered(group)})
        crowd.update(member.zone for member in group.active())
        return crowd
