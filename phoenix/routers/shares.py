"""Find the groups, out of many, whose traffic is not all where it should be, in few calls.

Reads only, and only routes that are known: a look at the group alone finds one that was added.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from phoenix.aws.rights import Rights, reads
from phoenix.aws.session import Aws, Foreseen
from phoenix.core.record import GroupRecord
from phoenix.errors import AccessDenied, PermanentError
from phoenix.routers.forwarding import Pair, Rule


@dataclass(frozen=True, slots=True)
class Overview:
    """How the routes of a kind of load balancer are read: the call, its parameter and its answer, and how many routes
    it takes."""

    method: str
    wanted: str
    items: str
    arn: str
    actions: str
    most: int
    rights: Rights

    def read_raw(self, aws: Aws, arns: Sequence[str]) -> list[dict[str, Any]]:
        """These routes, as AWS describes them."""
        return list(aws.pages("elbv2", self.method, self.items, **{self.wanted: list(arns)}))

    def read(self, aws: Aws, arns: Sequence[str]) -> list[Rule]:
        """These routes; their names do not matter."""
        return [
            Rule(arn := str(item[self.arn]), arn, is_default=True, actions=item[self.actions])
            for item in self.read_raw(aws, arns)
        ]


RULES: Final = Overview(
    "describe_rules", "RuleArns", "Rules", "RuleArn", "Actions", 100, reads("elasticloadbalancing:DescribeRules")
)
LISTENERS: Final = Overview(
    "describe_listeners",
    "ListenerArns",
    "Listeners",
    "ListenerArn",
    "DefaultActions",
    20,
    reads("elasticloadbalancing:DescribeListeners"),
)


def foresee_routes(aws: Aws, arns: Sequence[str], overview: Overview) -> Foreseen:
    """Read these routes in few calls, for questions about single ones that follow. One that is gone spoils the answer
    for its whole batch; those groups are then asked about by themselves."""
    batches = [arns[start : start + overview.most] for start in range(0, len(arns), overview.most)]
    answers = aws.side_by_side([partial(_read_or_nothing, aws, batch, overview) for batch in batches])
    return Foreseen(overview.wanted, {str(item[overview.arn]): item for answer in answers for item in answer})


def _read_or_nothing(aws: Aws, arns: Sequence[str], overview: Overview) -> list[dict[str, Any]]:
    try:
        return overview.read_raw(aws, arns)
    except PermanentError:
        return []


def moved_groups(aws: Aws, records: Iterable[GroupRecord], overview: Overview) -> frozenset[str]:
    """Groups at rest of whose routes one does not send everything to the live slot, or is gone."""
    at_rest = [record for record in records if record.in_flight is None and record.live is not None and record.routes]
    arns = sorted({arn for record in at_rest for arn in record.routes})
    batches = [arns[start : start + overview.most] for start in range(0, len(arns), overview.most)]
    answers = aws.side_by_side([partial(_read, aws, batch, overview) for batch in batches])
    rules = {rule.arn: rule for answer in answers for rule in answer}
    return frozenset(record.group for record in at_rest if _is_moved(record, rules))


def _read(aws: Aws, arns: Sequence[str], overview: Overview) -> list[Rule]:
    """One that is gone spoils the answer for all; then each half is asked for by itself."""
    try:
        return overview.read(aws, arns)
    except AccessDenied:
        raise  # a right that is missing says nothing of any rule
    except PermanentError:
        if len(arns) == 1:
            return []
        middle = len(arns) // 2
        return [*_read(aws, arns[:middle], overview), *_read(aws, arns[middle:], overview)]


def _is_moved(record: GroupRecord, rules: dict[str, Rule]) -> bool:
    assert record.live is not None  # noqa: S101 - the caller has seen to it
    pair, slot = Pair(record.target_groups), record.live.slot
    found = [rules.get(arn) for arn in record.routes]
    return any(rule is None or rule.route(pair).percent(slot) != 100 for rule in found)
