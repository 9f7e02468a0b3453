"""Rules of phoenix's own on the listeners of an Application Load Balancer: read, made and removed.

Must never make the same rule twice: rules are read right before, and known by its tag, listener and conditions.
The tag is `phoenix:rotation`, which phoenix writes on nothing else of a load balancer; `phoenix:managed` stays the
owner's word, on the listener.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from phoenix.aws.rights import IS_MANAGED, ROTATE, WRITERS, Condition, Right, Rights, arn, reads
from phoenix.aws.session import Aws
from phoenix.core.action import SetOptIns
from phoenix.core.opt_in import OptIns
from phoenix.core.tags import ROTATION, fitting
from phoenix.errors import AccessDenied, NotFound, PermanentError
from phoenix.routers.forwarding import Arns, Pair, Rule
from phoenix.routers.opt_in_rules import Wanted, compared, find_faults, looks_like_ours, wanted_rules

MOST_PER_CALL: Final = 20  # "You can specify up to 20 resources in a single call" (DescribeTags)
READ_TAGS: Final = reads("elasticloadbalancing:DescribeTags")
_RULES: Final = (arn("elasticloadbalancing", "listener-rule/app/*"),)
_LISTENERS: Final = (arn("elasticloadbalancing", "listener/app/*"),)
_ELB: Final = "elasticloadbalancing"
_WITH_TAGS: Final = (
    Condition("ForAllValues:StringEquals", "aws:TagKeys", (ROTATION,)),
    Condition("Null", f"aws:RequestTag/{ROTATION}", ("false",)),
)
_IS_OURS: Final = Condition("Null", f"aws:ResourceTag/{ROTATION}", ("false",))
IAM_ACTIONS: Final[Rights] = READ_TAGS | {
    Right(f"{_ELB}:CreateRule", "MakeOwnRules", ROTATE, _LISTENERS, (IS_MANAGED, *_WITH_TAGS)),
    # AWS asks for this one whenever something is made with tags; `CreateAction` keeps it from tagging existing ones.
    Right(
        f"{_ELB}:AddTags",
        "TagOwnRules",
        ROTATE,
        _RULES,
        (Condition("StringEquals", f"{_ELB}:CreateAction", ("CreateRule",)), *_WITH_TAGS),
        implied=True,
    ),
    Right(f"{_ELB}:DeleteRule", "RemoveOwnRules", WRITERS, _RULES, (_IS_OURS,)),
}


def ours_among(aws: Aws, rules: Iterable[Rule]) -> frozenset[str]:
    """ARNs of the rules that phoenix has made, by their tags; no call where none looks like one.

    Without the right to read tags none is: a role from before this was needed finds the owner's rules as it did.
    """
    arns = sorted(rule.arn for rule in rules if looks_like_ours(rule))
    batches = [arns[start : start + MOST_PER_CALL] for start in range(0, len(arns), MOST_PER_CALL)]
    try:
        return frozenset(arn for found in aws.side_by_side([partial(_made, aws, b) for b in batches]) for arn in found)
    except AccessDenied:
        return frozenset()
    except NotFound:
        # One was removed since: all are asked about alone.
        return frozenset(arn for arn in arns if _is_made(aws, arn))


def read(aws: Aws, listed: Sequence[Sequence[Rule]], target_groups: Arns, wanted: SetOptIns) -> OptIns:
    """The rules of ours for this pair on these listeners, whose rules are all `listed`."""
    return compared(listed, _ours_of_pair(aws, listed, target_groups), _pair(listed, target_groups), wanted)


def write(aws: Aws, listed: Sequence[Sequence[Rule]], target_groups: Arns, action: SetOptIns) -> None:
    """Remove first, on all listeners: a rule that is in the wrong place gives its priority back, and one that would let
    requests past an authentication is gone whether or not another can take its place.

    Raises:
        PermanentError: there is no free priority in the place of a rule, or AWS would refuse it.
    """
    ours, pair = _ours_of_pair(aws, listed, target_groups), _pair(listed, target_groups)
    found = [wanted_rules(rules, ours, pair, action) for rules in listed]
    for rule in (rule for _, stray in found for rule in stray):
        _remove(aws, rule)
    for wanted in (wanted for missing, _ in found for wanted in missing):
        _refuse(wanted)
        aws.call("elbv2", "create_rule", **parameters(wanted, action.rotation))


def _refuse(wanted: Wanted) -> None:
    """The owner may have changed the rule behind it since the start."""
    if wanted.priority is None:
        raise PermanentError(
            f"{wanted.name}: no priority is free between {wanted.shadowed.name} and the rule before it"
        )
    fault = next(find_faults(wanted), None)
    if fault is not None:
        raise PermanentError(f"{wanted.opt_in} cannot be asked for on {wanted.shadowed.name}: {fault}")


def parameters(wanted: Wanted, rotation: str) -> dict[str, Any]:
    """Of CreateRule."""
    transforms = [dict(each) for each in wanted.shadowed.transforms]
    return {
        "ListenerArn": wanted.shadowed.listener,
        "Conditions": [dict(each) for each in wanted.conditions],
        "Priority": wanted.priority,
        "Actions": [dict(each) for each in wanted.actions],
        **({"Transforms": transforms} if transforms else {}),
        "Tags": [{"Key": ROTATION, "Value": fitting(rotation)}],
    }


def _remove(aws: Aws, rule: Rule) -> None:
    try:
        aws.call("elbv2", "delete_rule", RuleArn=rule.arn)
    except NotFound:
        return  # removed since: that is what was wanted


def _pair(listed: Sequence[Sequence[Rule]], target_groups: Arns) -> Pair:
    return Pair(target_groups, [rule for rules in listed for rule in rules])


def _ours_of_pair(aws: Aws, listed: Sequence[Sequence[Rule]], target_groups: Arns) -> frozenset[str]:
    """Those of other groups on the same listeners are none of this one's."""
    known = {arn for arns in target_groups.values() for arn in arns}
    return ours_among(aws, (rule for rules in listed for rule in rules if not known.isdisjoint(rule.target_groups)))


def _made(aws: Aws, arns: Sequence[str]) -> list[str]:
    found: Sequence[Mapping[str, Any]] = aws.call("elbv2", "describe_tags", ResourceArns=list(arns))["TagDescriptions"]
    return [str(item["ResourceArn"]) for item in found if _keys(item.get("Tags", ())) >= {ROTATION}]


def _is_made(aws: Aws, arn: str) -> bool:
    try:
        return bool(_made(aws, [arn]))
    except NotFound:
        return False


def _keys(tags: Collection[Mapping[str, Any]]) -> set[str]:
    return {str(tag["Key"]) for tag in tags}
