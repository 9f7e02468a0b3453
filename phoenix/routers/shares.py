"""Find the groups, out of many, whose traffic is not all where it should be, in few calls.

Reads only, and only routes that are known: a look at the group alone finds one that was added.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, Final

from phoenix.aws.rights import Rights, reads
from phoenix.aws.session import Aws
from phoenix.core.record import GroupRecord
from phoenix.errors import AccessDenied, PermanentError
from phoenix.routers.forwarding import Pair, Rule

IAM_ACTIONS: Final[Rights] = reads("elasticloadbalancing:DescribeRules")

_RULES: Final = 100


def moved_groups(aws: Aws, records: Iterable[GroupRecord]) -> frozenset[str]:
    """Groups at rest of whose routes one does not send everything to the live slot, or is gone."""
    at_rest = [record for record in records if record.in_flight is None and record.live is not None and record.routes]
    arns = sorted({arn for record in at_rest for arn in record.routes})
    batches = [arns[start : start + _RULES] for start in range(0, len(arns), _RULES)]
    answers = aws.side_by_side([partial(_read, aws, batch) for batch in batches])
    rules = {rule.arn: rule for answer in answers for rule in answer}
    return frozenset(record.group for record in at_rest if _is_moved(record, rules))


def _read(aws: Aws, arns: Sequence[str]) -> list[Rule]:
    """One that is gone spoils the answer for all; then each half is asked for by itself."""
    try:
        found = list(aws.pages("elbv2", "describe_rules", "Rules", RuleArns=list(arns)))
    except AccessDenied:
        raise  # a right that is missing says nothing of any rule
    except PermanentError:
        if len(arns) == 1:
            return []
        middle = len(arns) // 2
        return [*_read(aws, arns[:middle]), *_read(aws, arns[middle:])]
    return [_rule(item) for item in found]


def _rule(item: dict[str, Any]) -> Rule:
    arn = str(item["RuleArn"])
    return Rule(arn, arn, bool(item["IsDefault"]), item["Actions"])


def _is_moved(record: GroupRecord, rules: dict[str, Rule]) -> bool:
    assert record.live is not None  # noqa: S101 - the caller has seen to it
    pair, slot = Pair(record.target_groups), record.live.slot
    found = [rules.get(arn) for arn in record.routes]
    return any(rule is None or rule.route(pair).percent(slot) != 100 for rule in found)
