"""What the instances of a group register with, by themselves: every traffic source, whatever its kind.

Must never wait: a draining target is gone later, and the caller gets to know when.
"""

from __future__ import annotations

from contextlib import suppress

from phoenix.sandbox.groups import Group, Member
from phoenix.sandbox.refusal import Refusal
from phoenix.sandbox.targets import Targets


class Attachments:
    """Registers and deregisters members with everything that their group is attached to."""

    def __init__(self, targets: Targets) -> None:
        self._targets = targets

    def enroll(self, group: Group, member: Member) -> None:
        """Register the member, unless that is suspended.

        If a target group or load balancer is full, the member gets no traffic and no call reports it. That Auto Scaling
        behaves so is believed, not shown.
        """
        if "AddToLoadBalancer" not in group.suspended:
            for source in group.traffic_sources:
                with suppress(Refusal):
                    self._targets.register(source, member.instance_id)

    def release(self, group: Group, member: Member) -> float:
        """Deregister the member everywhere; return the seconds until the last traffic source has drained it."""
        return max((self._targets.deregister(each, member.instance_id) for each in group.traffic_sources), default=0)
