"""Rights, as adapters declare them beside their calls: which action, for whom, on what, under which condition. Pure.

Must never know an adapter or a policy: ARNs have fields, `${auto_scaling_group}`, which whoever knows the names fills
in. What stays unfilled is for Terraform, which spells its own fields the same way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from phoenix.core.tags import MANAGED, WRITTEN

Names = Mapping[str, tuple[str, ...]]
"""Values of the fields in ARNs and conditions."""


class Role(StrEnum):
    """Who a right is for. `plan` reads; `rotate` does everything; `rollback` only brings back."""

    PLAN = "plan"
    ROTATE = "rotate"
    ROLLBACK = "rollback"


ALL: Final = frozenset(Role)
FORWARD: Final = frozenset({Role.PLAN, Role.ROTATE})
"""Readers that only go forward: a rollback never asks that."""
WRITERS: Final = frozenset({Role.ROTATE, Role.ROLLBACK})
ROTATE: Final = frozenset({Role.ROTATE})


@dataclass(frozen=True, slots=True)
class Condition:
    """One line of a condition block: `Condition("StringEquals", "iam:PassedToService", ("ec2.amazonaws.com",))`."""

    operator: str
    key: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Right:
    """One action on one kind of resource. Rights of one `name` become one statement of a document.

    `implied`: nobody calls it; AWS asks whether the caller of something else might.
    """

    action: str
    name: str
    roles: frozenset[Role]
    on: tuple[str, ...] = ("*",)
    when: tuple[Condition, ...] = ()
    implied: bool = False


Rights = frozenset[Right]


def arn(service: str, resource: str) -> str:
    """An ARN in the account and Region that the document is for: `arn("sns", "news")`."""
    return f"arn:${{partition}}:{service}:${{region}}:${{account}}:{resource}"


IS_MANAGED: Final = Condition("StringEquals", f"aws:ResourceTag/{MANAGED}", ("true",))
"""The owner's word that phoenix may change a thing. Nothing below lets phoenix write that tag."""

GROUPS: Final = (arn("autoscaling", "autoScalingGroup:*:autoScalingGroupName/${auto_scaling_group}"),)
TEMPLATES: Final = (arn("ec2", "launch-template/*"),)

KEYS: Final = ("${key_arn}",)
"""Keys of the owner's in KMS; a document leaves these rights out where there are none."""


def with_key(service: str, *actions: str, roles: frozenset[Role] = ALL) -> Rights:
    """Rights on the owner's key, as far as `service` uses it for the caller. AWS asks for them; no call names them."""
    # The end is open: in China the name of a service ends in .com.cn.
    through = Condition("StringLike", "kms:ViaService", (f"{service}.*.amazonaws.com*",))
    return frozenset(Right(f"kms:{action}", "UseKeys", roles, KEYS, (through,), implied=True) for action in actions)


OUR_TAGS: Final = (
    Condition("ForAllValues:StringEquals", "aws:TagKeys", WRITTEN),
    # "All of none" is true as well: without this, a request that names no key would pass.
    Condition("Null", "aws:TagKeys", ("false",)),
)


def reads(*actions: str, roles: frozenset[Role] = ALL) -> Rights:
    """Reads that AWS cannot narrow down to a resource."""
    return frozenset(Right(action, "Read", roles) for action in actions)


def actions_of(rights: Rights, *, implied: bool = True) -> frozenset[str]:
    """Names of the actions alone; those that are merely implied may be left out."""
    return frozenset(right.action for right in rights if implied or not right.implied)
