"""Blockers of a start whose policy has requests ask for the candidate: rules of our own must fit. Reads only.

Must never leave out a rule of the owner that carries the pair: requests that ask would miss the candidate there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import groupby
from typing import Final

from phoenix.aws.checks import Check, make_checks
from phoenix.aws.rights import FORWARD, reads
from phoenix.aws.session import Aws
from phoenix.core.action import SetOptIns
from phoenix.core.blocker import Blocker
from phoenix.core.tags import MANAGED
from phoenix.routers.action_blockers import balancer_of, name_of
from phoenix.routers.forwarding import Arns, Pair, Rule
from phoenix.routers.listeners import Listeners
from phoenix.routers.opt_in_rules import Wanted, find_faults, wanted_rules
from phoenix.routers.opt_ins import MOST_PER_CALL, ours_among

IAM_ACTIONS: Final = reads("elasticloadbalancing:DescribeAccountLimits", roles=FORWARD)
CHECKS: Final = ("opt-in-conditions", "no-free-priority", "too-many-rules", "listener-unmarked")
_LIMIT: Final = "rules-per-application-load-balancer"  # API_Limit
_MOST_RULES: Final = 100
"""Quota "Rules per Application Load Balancer", not counting default ones, where the account does not say its own."""


def find_blockers(aws: Aws, listeners: Listeners, target_groups: Arns, wanted: SetOptIns) -> list[Blocker]:
    """Everything at once."""
    check = Check("rules of phoenix's own", CHECKS, partial(_find, aws, listeners, target_groups, wanted))
    return make_checks(aws, [check])


def _find(aws: Aws, listeners: Listeners, target_groups: Arns, wanted: SetOptIns) -> Iterator[Blocker]:
    routes = listeners.find(arn for arns in target_groups.values() for arn in arns)
    listed = listeners.list_rules([rule.arn for rule in routes])
    rules = [rule for each in listed for rule in each]
    ours, pair = ours_among(aws, rules), Pair(target_groups, routes)
    missing = [each for each_listed in listed for each in wanted_rules(each_listed, ours, pair, wanted)[0]]
    for rule in missing:
        yield from _in_rule(rule)
    yield from _in_room(aws, listeners, missing)
    yield from _in_marks(aws, missing)


def _in_rule(wanted: Wanted) -> Iterator[Blocker]:
    shadowed = wanted.shadowed
    for fault in find_faults(wanted):
        yield Blocker(
            "opt-in-conditions",
            shadowed.name,
            f"{wanted.opt_in} cannot be asked for on {shadowed.name}: {fault}. Take values out of strategy.routes or"
            " out of the rule; what it is:",
            f"aws elbv2 describe-rules --rule-arns {shadowed.arn}",
        )
    if wanted.priority is None:
        yield Blocker(
            "no-free-priority",
            shadowed.name,
            f"no priority is free between {shadowed.name} ({_priority(shadowed)}) and the rule before it, so none for"
            f" {wanted.opt_in} fits ahead of it; phoenix moves no rule of yours. Leave a gap:",
            f"aws elbv2 set-rule-priorities --rule-priorities RuleArn={shadowed.arn},Priority=<higher>",
        )


def _priority(rule: Rule) -> str:
    return "last" if rule.priority is None else f"priority {rule.priority}"


def _in_room(aws: Aws, listeners: Listeners, missing: Sequence[Wanted]) -> Iterator[Blocker]:
    arns = sorted(balancer_of(wanted.shadowed.arn) for wanted in missing)
    for balancer, joining in groupby(arns):
        count, there, most = len(list(joining)), listeners.count_rules(balancer), _most_rules(aws)
        if there + count > most:
            yield Blocker(
                "too-many-rules",
                f"load balancer {name_of(balancer)}",
                f"{name_of(balancer)} has {there} rules; AWS allows {most}, and {count} of phoenix's own have to be"
                " added. Take rules away, or have the quota raised:",
                "aws elbv2 describe-account-limits",
            )


def _most_rules(aws: Aws) -> int:
    found = aws.call("elbv2", "describe_account_limits")["Limits"]
    return next((int(limit["Max"]) for limit in found if limit["Name"] == _LIMIT), _MOST_RULES)


def _in_marks(aws: Aws, missing: Sequence[Wanted]) -> Iterator[Blocker]:
    """A rule is made on a listener: its mark is what the right to do so hangs on, whatever the rule behind it has."""
    arns = sorted({wanted.shadowed.listener for wanted in missing if not wanted.shadowed.is_default})
    batches = [arns[start : start + MOST_PER_CALL] for start in range(0, len(arns), MOST_PER_CALL)]
    answers = aws.side_by_side([partial(aws.call, "elbv2", "describe_tags", ResourceArns=batch) for batch in batches])
    found = [item for answer in answers for item in answer["TagDescriptions"]]
    marked = {item["ResourceArn"] for item in found for tag in item.get("Tags", ()) if tag["Key"] == MANAGED}
    unmarked = [arn for arn in arns if arn not in marked]
    if unmarked:
        yield Blocker(
            "listener-unmarked",
            "listeners",
            f"without the tag {MANAGED}=true; with rights as `phoenix iam` prints them AWS refuses to make a rule"
            " there, in the middle of the rotation (with wider rights it is not needed):",
            f"aws elbv2 add-tags --tags Key={MANAGED},Value=true \\\n    --resource-arns {' '.join(unmarked)}",
            warning=True,
            of_rights=True,
        )
