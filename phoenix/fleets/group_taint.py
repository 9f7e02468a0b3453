"""The tag on an instance that a person has changed by hand. Must never write any other tag, nor tag anything else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from phoenix.aws.rights import ROTATE, Condition, Right, Rights, arn
from phoenix.aws.session import Aws
from phoenix.core.tags import TAINTED

_ONLY: Final = (
    Condition("ForAllValues:StringEquals", "aws:TagKeys", (TAINTED,)),
    # "All of none" is true as well.
    Condition("Null", "aws:TagKeys", ("false",)),
)
IAM_ACTIONS: Final[Rights] = frozenset(
    Right(f"ec2:{call}", "TaintInstances", ROTATE, (arn("ec2", "instance/*"),), _ONLY)
    for call in ("CreateTags", "DeleteTags")
)


def mark(aws: Aws, instances: Sequence[str], value: str | None) -> None:
    """Set the tag to the value; None removes it."""
    tag = {"Key": TAINTED} if value is None else {"Key": TAINTED, "Value": value}
    aws.call("ec2", "delete_tags" if value is None else "create_tags", Resources=list(instances), Tags=[tag])
