"""The rights that AWS asks for to let a group launch from a template version, and of the dry run of such a launch.

Must never let anything launch but from a template that the owner has marked: a right to launch freely may pass any
role to a machine with any start-up script.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from phoenix.aws.rights import IS_MANAGED, TEMPLATES, WRITERS, Condition, Right, Rights, arn

_BY_TEMPLATE: Final = Condition("ArnLike", "ec2:LaunchTemplate", TEMPLATES)
_AS_IT_SAYS: Final = Condition("Bool", "ec2:IsLaunchTemplateResource", ("true",))
_OWN_IMAGES: Final = Condition("StringEquals", "ec2:Owner", ("${image_owner}",))
_AT_LAUNCH: Final = Condition("StringEquals", "ec2:CreateAction", ("RunInstances",))
_TO_EC2: Final = Condition("StringEquals", "iam:PassedToService", ("ec2.amazonaws.com", "ec2.amazonaws.com.cn"))

_CHOSEN: Final = ("instance", "network-interface", "security-group", "subnet", "volume")
"""What a launch may choose beside its template: the subnet is the group's, the type one of its overrides, and the dry
run repeats a template's network interface, as EC2 takes no subnet beside one."""
_GIVEN: Final = (
    *(
        arn("ec2", f"{kind}/*")
        for kind in ("capacity-reservation", "elastic-gpu", "host", "key-pair", "placement-group")
    ),
    arn("elastic-inference", "elastic-inference-accelerator/*"),
    arn("license-manager", "license-configuration:*"),
    arn("resource-groups", "group/*"),
)
"""Everything else that a template may name, licences and groups of capacity reservations among it: resource types of
RunInstances in the Service Authorization Reference. A launch takes them from the template or not at all."""
_TAGGED: Final = ("instance", "network-interface", "spot-instances-request", "volume")


def _all(kinds: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(arn("ec2", f"{kind}/*") for kind in kinds)


def _rights() -> Iterator[Right]:
    launch = "ec2:RunInstances"
    images, snapshots = (f"arn:${{partition}}:ec2:${{region}}::{kind}/*" for kind in ("image", "snapshot"))
    roles = ("arn:${partition}:iam::${account}:role/${instance_role}",)
    yield Right(launch, "LaunchFromTemplate", WRITERS, TEMPLATES, (IS_MANAGED,))
    yield Right(launch, "LaunchImage", WRITERS, (images,), (_BY_TEMPLATE, _OWN_IMAGES))
    yield Right(launch, "LaunchInto", WRITERS, _all(_CHOSEN), (_BY_TEMPLATE,))
    yield Right(launch, "LaunchWith", WRITERS, (*_GIVEN, snapshots), (_BY_TEMPLATE, _AS_IT_SAYS))
    yield Right("ec2:CreateTags", "TagAtLaunch", WRITERS, _all(_TAGGED), (_AT_LAUNCH,), implied=True)
    yield Right("iam:PassRole", "PassInstanceRole", WRITERS, roles, (_TO_EC2,), implied=True)


IAM_ACTIONS: Final[Rights] = frozenset(_rights())
