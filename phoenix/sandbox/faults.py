"""Deliberate faults: launches that AWS refuses, calls that it throttles, fails, answers late or not at all.

Must never cause a fault that was not asked for.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from random import Random
from typing import Any

from botocore.exceptions import ConnectionClosedError

from phoenix.sandbox.launching import LaunchFault
from phoenix.sandbox.refusal import Refusal
from phoenix.sandbox.versions import Replicas

THROTTLED = {
    "ec2": ("RequestLimitExceeded", "Request limit exceeded."),
    "dynamodb": ("ThrottlingException", "Rate exceeded"),
    "ssm": ("ThrottlingException", "Rate exceeded"),
}
"""How services that do not say "Throttling: Rate exceeded" say it."""
PAGE_SIZES = {"autoscaling": "MaxRecords", "cloudwatch": "MaxRecords", "ec2": "MaxResults", "elbv2": "PageSize"}
"""How each service spells the number of elements a page may have."""
DENIED = (
    "User: arn:aws:sts::123456789012:assumed-role/phoenix-rotate/session is not authorized to perform: {} on resource:"
    " {} with an explicit deny in an identity-based policy"
)
CONTENTION = (
    "You already have a pending update to an Amazon EC2 Auto Scaling resource (for example, an Auto Scaling group,"
    " instance, or load balancer)."
)
"""ResourceContentionFault in botocore's model, whose HTTP status is 500."""
REMEMBERED = 16
"""Answers kept for each question."""


@dataclass(slots=True)
class _LaunchRule:
    fault: LaunchFault
    left: int | None
    group: str


@dataclass(slots=True)
class _CallRule:
    """The calls that a fault affects. `most` is for stale reads: the age in seconds that an answer may have."""

    operations: tuple[str, ...]
    left: int | None
    probability: float
    most: float = 0.0

    def strikes(self, operation: str, dice: Random) -> bool:
        """True when this call is one of them; counts it."""
        if self.left == 0 or not any(fnmatchcase(operation, pattern) for pattern in self.operations):
            return False
        if self.left is None and dice.random() >= self.probability:
            return False
        self.left = None if self.left is None else self.left - 1
        return True


@dataclass(slots=True)
class LaunchTerms:
    """An account's demands on launches besides the right to make them, and the types that its zones lack."""

    withheld: set[tuple[str, str]] = field(default_factory=set)
    """Instance types by zone: `("m7i.large", "eu-west-1a")` is not offered there."""
    tags: frozenset[str] = frozenset()
    """Keys without which a caller's launch is refused: a service control policy on `aws:RequestTag`. It binds callers
    and not the role that Auto Scaling launches with."""
    template_images_only: bool = False
    """Rights of the caller that demand `ec2:IsLaunchTemplateResource` for images."""


@dataclass(frozen=True, slots=True)
class VersionGuard:
    """A statement that denies UpdateAutoScalingGroup where `autoscaling:LaunchTemplateVersionSpecified` is false.

    The key is false where a version is `$Latest`, `$Default` or not named (Service Authorization Reference, condition
    keys of EC2 Auto Scaling). Whether it is false or absent where no template is named is not documented: `plain_too`.
    """

    plain_too: bool

    def check(self, arn: str, params: Mapping[str, Any]) -> None:
        """Refuse the update, or do nothing. The sentence is IAM's ("Troubleshoot access denied error messages").

        Raises:
            Refusal: the statement denies it.
        """
        policy = params.get("MixedInstancesPolicy") or {}
        mixed = policy.get("LaunchTemplate", {}).get("LaunchTemplateSpecification")
        template = params.get("LaunchTemplate") or mixed
        denied = self.plain_too if template is None else not str(template.get("Version", "")).isdigit()
        if denied:
            raise Refusal("AccessDenied", DENIED.format("autoscaling:UpdateAutoScalingGroup", arn), status=403)


class Faults:
    """The faults that were asked for, and the number still to come."""

    def __init__(self, dice: Random) -> None:
        self._dice = dice
        self.quiet = False
        """While True nothing goes wrong: the example fleets are being built."""
        self._launches: list[_LaunchRule] = []
        self.terms = LaunchTerms()
        self.version_guard: VersionGuard | None = None
        self._throttles: list[_CallRule] = []
        self._failures: list[_CallRule] = []
        self._contentions: list[_CallRule] = []
        self._losses: list[_CallRule] = []
        self._stale: list[_CallRule] = []
        self._page: int | None = None
        self.replicas = Replicas()
        self._answers: dict[object, deque[tuple[datetime, Any]]] = {}

    def fail_launches(self, fault: LaunchFault, count: int | None, group: str) -> None:
        """Fail the next launches of the groups whose name matches; None means until allowed again."""
        self._launches.append(_LaunchRule(fault, count, group))

    def allow_launches(self) -> None:
        """Let all launches succeed again."""
        self._launches.clear()

    def throttle(self, operations: Sequence[str], count: int | None, probability: float) -> None:
        """Refuse calls whose operation matches: the next `count`, or each with that probability."""
        self._throttles.append(_CallRule(tuple(operations), count, probability))

    def stop_throttling(self) -> None:
        """Refuse no more calls."""
        self._throttles.clear()

    def fail(self, operations: Sequence[str], count: int | None, probability: float) -> None:
        """Answer calls with a 503, having done nothing."""
        self._failures.append(_CallRule(tuple(operations), count, probability))

    def contend(self, operations: Sequence[str], count: int | None, probability: float) -> None:
        """Refuse calls as Auto Scaling does while another update of the group is pending, having done nothing."""
        self._contentions.append(_CallRule(tuple(operations), count, probability))

    def lose(self, operations: Sequence[str], count: int | None, probability: float) -> None:
        """Carry calls out, and lose the answer on its way back."""
        self._losses.append(_CallRule(tuple(operations), count, probability))

    def lag(self, operations: Sequence[str], probability: float, most: float) -> None:
        """Answer reads as of up to `most` seconds ago, as far as the same question was asked then."""
        self._stale.append(_CallRule(tuple(operations), None, probability, most))

    def versions_as_of(self, now: datetime) -> datetime | None:
        """As of when a list of launch template versions is answered; None: truly."""
        replicas = self.replicas
        behind = not self.quiet and replicas.probability > 0 and self._dice.random() < replicas.probability
        return now - replicas.lists if behind else None

    def cut_pages(self, most: int) -> None:
        """Answer lists with `elements` a page at most, whatever the caller asks for, as AWS may."""
        self._page = most

    def cut(self, service: str, params: dict[str, Any]) -> None:
        """Ask for as few elements as pages have now."""
        key = PAGE_SIZES.get(service)
        if self._page is not None and key is not None and not self.quiet:
            params[key] = self._page

    def mend(self) -> None:
        """Let every call be answered, at once and truly; launches that fail go on failing."""
        for rules in (self._throttles, self._failures, self._contentions, self._losses, self._stale):
            rules.clear()
        self._page = None
        self.replicas = Replicas()
        self._answers.clear()

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

    def check_refusal(self, service: str, operation: str) -> None:
        """Refuse this call, or do nothing.

        Raises:
            Refusal: in the service's own words, which SDKs know and retry.
        """
        if self._strike(self._throttles, operation):
            raise Refusal(*THROTTLED.get(service, ("Throttling", "Rate exceeded")))
        if self._strike(self._failures, operation):
            raise Refusal("ServiceUnavailable", "The service is unavailable. Please try again shortly.", status=503)
        if self._strike(self._contentions, operation):
            raise Refusal("ResourceContention", CONTENTION, status=500)

    def check_loss(self, operation: str) -> None:
        """Lose the answer to this call, or do nothing.

        Raises:
            ConnectionClosedError: as an SDK tells of it, which it may retry.
        """
        if self._strike(self._losses, operation):
            raise ConnectionClosedError(endpoint_url="the sandbox")

    def earlier(self, question: tuple[str, str, object], now: datetime) -> Any:
        """An answer to the same question from a while ago; None when this one is to be answered truly."""
        rule = next((r for r in ([] if self.quiet else self._stale) if r.strikes(question[1], self._dice)), None)
        if rule is None:
            return None
        oldest = now - timedelta(seconds=rule.most)
        return next((answer for at, answer in self._answers.get(question, ()) if oldest <= at < now), None)

    def remember(self, question: tuple[str, str, object], answer: Any, now: datetime) -> None:
        """Keep an answer for later; nothing is kept while nothing is to be stale."""
        if self._stale:
            self._answers.setdefault(question, deque(maxlen=REMEMBERED)).append((now, answer))

    def _strike(self, rules: Sequence[_CallRule], operation: str) -> bool:
        return not self.quiet and any(rule.strikes(operation, self._dice) for rule in rules)
