"""Has the owner marked what traffic is moved with? Rights as `phoenix iam` prints them hold only where the mark is.

Reads only. Must never stand in the way of an owner who marks nothing: wider rights need no marks, and AWS does not tell
whose rights hang on them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

from phoenix.aws.rights import FORWARD, reads
from phoenix.aws.session import Aws
from phoenix.core.blocker import Blocker
from phoenix.core.tags import MANAGED
from phoenix.routers.forwarding import Pair, Rule

IAM_ACTIONS: Final = reads("elasticloadbalancing:DescribeTags", roles=FORWARD)
CHECKS: Final = ("unmarked",)

_MOST_PER_CALL: Final = 20  # "You can specify up to 20 resources in a single call" (DescribeTags)


def find_unmarked(aws: Aws, rules: Sequence[Rule], pair: Pair, *, target_groups: bool) -> Iterator[Blocker]:
    """The changes of a rotation that lack the owner's mark. `target_groups`: their thresholds are changed too."""
    names = {rule.listener if rule.is_default else rule.arn: rule.name for rule in rules if pair.named_in(rule)}
    if target_groups:
        names |= {arn: f"target group {arn.split('/')[1]}" for arn in pair.slot_of}
    arns = sorted(names)
    batches = [arns[start : start + _MOST_PER_CALL] for start in range(0, len(arns), _MOST_PER_CALL)]
    marked = {arn for found in aws.side_by_side([partial(_marked, aws, batch) for batch in batches]) for arn in found}
    unmarked = [arn for arn in arns if arn not in marked]
    if not unmarked:
        return
    shown = ", ".join(sorted(names[arn] for arn in unmarked))
    in_use = (
        "others here carry it, so the rights seem to hang on it" if marked else "with wider rights it is not needed"
    )
    yield Blocker(
        "unmarked",
        "load balancers",
        f"{shown}: without the tag {MANAGED}=true. With rights as `phoenix iam` prints them AWS refuses to change that,"
        f" in the middle of the rotation ({in_use}):",
        f"aws elbv2 add-tags --tags Key={MANAGED},Value=true \\\n    --resource-arns {' '.join(unmarked)}",
        warning=not marked,
        of_rights=True,
    )


def _marked(aws: Aws, arns: Sequence[str]) -> list[str]:
    found = aws.call("elbv2", "describe_tags", ResourceArns=list(arns))["TagDescriptions"]
    return [
        str(item["ResourceArn"])
        for item in found
        if any(tag["Key"] == MANAGED and tag.get("Value") == "true" for tag in item.get("Tags", ()))
    ]
