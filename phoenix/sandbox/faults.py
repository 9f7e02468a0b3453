"""What goes wrong on purpose: launches that AWS refuses, calls that it throttles.

Nothing goes wrong unless somebody has asked for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from random import Random

from phoenix.sandbox.launching import LaunchFault
from phoenix.sandbox.refusal import Refusal

THROTTLED = {
    "ec2": ("RequestLimitExceeded", "Request limit exceeded."),
    "dynamodb": ("ThrottlingException", "Rate exceeded"),
    "ssm": ("ThrottlingException", "Rate exceeded"),
}
"""How services that do not say "Throttling: Rate exceeded" say it."""


@dataclass(slots=True)
class _LaunchRule:
    fault: LaunchFault
    left: int | None
    group: str


@dataclass(slots=True)
class _ThrottleRule:
    operations: tuple[str, ...]
    left: int | None
    probability: float


class Faults:
    """What was asked for, and how much of it is left."""

    def __init__(self, dice: Random) -> None:
        self._dice = dice
        self.quiet = False
        """While True nothing goes wrong: the example fleets are being built."""
        self._launches: list[_LaunchRule] = []
        self._throttles: list[_ThrottleRule] = []

    def fail_launches(self, fault: LaunchFault, count: int | None, group: str) -> None:
        """Fail the next launches of the groups whose name matches; None means until allowed again."""
        self._launches.append(_LaunchRule(fault, count, group))

    def allow_launches(self) -> None:
        """Let all launches succeed again."""
        self._launches.clear()

    def throttle(self, operations: Sequence[str], count: int | None, probability: float) -> None:
        """Refuse calls whose operation matches: the next `count`, or each with that probability."""
        self._throttles.append(_ThrottleRule(tuple(operations), count, probability))

    def stop_throttling(self) -> None:
        """Refuse no more calls."""
        self._throttles.clear()

    def of_launch(self, group: str) -> LaunchFault | None:
        """Why the launch that is about to happen fails; counts it."""
        for rule in () if self.quiet else self._launches:
            if rule.left != 0 and fnmatchcase(group, rule.group):
                rule.left = None if rule.left is None else rule.left - 1
                return rule.fault
        return None

    def denies_launches(self) -> bool:
        """Whether launches fail for want of rights: a dry run would find out."""
        return any(rule.fault is LaunchFault.PERMISSION and rule.left != 0 for rule in self._launches)

    def check_throttling(self, service: str, operation: str) -> None:
        """Refuse this call, or do nothing.

        Raises:
            Refusal: in the service's own words, which SDKs know and retry.
        """
        for rule in () if self.quiet else self._throttles:
            if rule.left == 0 or not any(fnmatchcase(operation, pattern) for pattern in rule.operations):
                continue
            if rule.left is None and self._dice.random() >= rule.probability:
                continue
            rule.left = None if rule.left is None else rule.left - 1
            raise Refusal(*THROTTLED.get(service, ("Throttling", "Rate exceeded")))
