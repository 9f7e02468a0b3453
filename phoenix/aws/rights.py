"""Rights, as adapters declare them beside their calls: action, command, resource and condition. Pure.

Must never know an adapter or a policy: ARNs have fields such as `${auto_scaling_group}`, which the caller fills in. An
unfilled field is for Terraform, which spells its own fields the same way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from phoenix.core.tags import ALL_WRITTEN, MANAGED

Names = Mapping[str, tuple[str, ...]]
"""Values of the fields in ARNs and conditions."""


class Role(StrEnum):
    """The commands that need a right. `plan` reads; `rotate` does everything; `rollback` only brings back."""

    PLAN = "plan"
    ROTATE = "rotate"
    ROLLBACK = "rollback"


ALL: Final = frozenset(Role)
FORWARD: Final = frozenset({Role.PLAN, Role.ROTATE})
"""Reads that a rollback never makes."""
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

    `implied`: phoenix does not call the action; AWS checks the right for it when phoenix calls another one.
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
"""The owner's permission to change a resource. No right lets phoenix write that tag."""

GROUPS: Final = (arn("autoscaling", "autoScalingGroup:*:autoScalingGroupName/${auto_scaling_group}"),)
TEMPLATES: Final = (arn("ec2", "launch-template/*"),)

KEYS: Final = ("${key_arn}",)
"""The owner's keys in KMS; a document leaves these rights out if there are none."""


def with_key(service: str, *actions: str, roles: frozenset[Role] = ALL) -> Rights:
    """Return the rights on the owner's key that `service` uses for the caller. AWS checks them; no call names them."""
    # The pattern has an open end: in China the name of a service ends in .com.cn.
    through = Condition("StringLike", "kms:ViaService", (f"{service}.*.amazonaws.com*",))
    return frozenset(Right(f"kms:{action}", "UseKeys", roles, KEYS, (through,), implied=True) for action in actions)


OUR_TAGS: Final = (
    Condition("ForAllValues:StringEquals", "aws:TagKeys", ALL_WRITTEN),
    # "All of none" is true as well: without this, a request that names no key would pass.
    Condition("Null", "aws:TagKeys", ("false",)),
)


def reads(*actions: str, roles: frozenset[Role] = ALL) -> Rights:
    """Return rights to reads that AWS cannot restrict to a resource."""
    return frozenset(Right(action, "Read", roles) for action in actions)


def actions_of(rights: Rights, *, implied: bool = True) -> frozenset[str]:
    """Return the names of the actions; implied ones may be left out."""
    return frozenset(right.action for right in rights if implied or not right.implied)
