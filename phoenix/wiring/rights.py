"""The rights that phoenix needs: for whatever a policy may say, or for exactly what one's own policies say.

Asks AWS nothing: names that only AWS knows, such as the ARN of a listener, are a pattern and a condition on a tag.
Loads every adapter, so must never be imported by a module that a quick rollback imports.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from phoenix import fleets, gates, images, leaving, notifiers, routers
from phoenix.aws import s3
from phoenix.aws.iam import document, filled
from phoenix.aws.rights import ALL, KEYS, Names, Right, Rights, Role, reads
from phoenix.aws.session import Aws
from phoenix.aws.trail import CloudTrail
from phoenix.fleets import group_drill, group_marks, probe
from phoenix.inventory import half_facts
from phoenix.inventory import read as inventory
from phoenix.invokers.function import Function
from phoenix.keys import Kind
from phoenix.policy.loader import Library
from phoenix.policy.model import Policy
from phoenix.stores import dynamodb

DOCTOR: Final = reads("sts:GetCallerIdentity", "autoscaling:DescribeAutoScalingGroups")
"""Rights that are asked for whatever the policies say."""
SWEEPS: Final[Rights] = group_marks.IAM_ACTIONS
SCREENS: Final[Rights] = CloudTrail.IAM_ACTIONS
"""Optional: without them a screen prints the command instead."""
ASSUME: Final[Rights] = frozenset({Right("sts:AssumeRole", "ActAs", ALL, ("${assumed_role_arn}",))})
_ANY: Final[Names] = {
    "auto_scaling_group": ("*",),
    "cloud_map_service": ("*",),
    "ecs_cluster": ("*",),
    "ssm_document": ("phoenix-*",),
}
_TABLES: Final = (
    fleets.KINDS,
    routers.KINDS,
    gates.KINDS,
    images.KINDS,
    leaving.KINDS,
    leaving.REGISTRIES,
    notifiers.KINDS,
)


@dataclass(frozen=True, slots=True)
class Where:
    """The places of policies and store, the function that sweeps call, and other known facts. `acting_as` is the role
    whose own document is asked for, None: the caller's, who may act as others. `probed` is an Auto Scaling group that
    `doctor --probe` is to be allowed on."""

    policies: str
    store: str | None = None
    function: str | None = None
    acting_as: str | None = None
    names: Mapping[str, tuple[str, ...]] | None = None
    probed: str | None = None


def every_document(role: Role) -> dict[str, Any]:
    """For any policy there may be. What Terraform has to fill in: `unfilled` of it."""
    tables: Iterable[Mapping[str, Any]] = _TABLES
    declared = [made.IAM_ACTIONS for table in tables for made in table.values()]
    others = (
        inventory.IAM_ACTIONS,
        half_facts.IAM_ACTIONS,
        group_drill.IAM_ACTIONS,
        s3.IAM_ACTIONS,
        dynamodb.DynamoStore.IAM_ACTIONS,
        Function.IAM_ACTIONS,
        ASSUME,
    )
    rights = SWEEPS.union(SCREENS, DOCTOR, *declared, *others)
    return document(filled(rights, _ANY), role)


def crash_document() -> dict[str, Any]:
    """The one right of `drill --hard`, apart from all others: an owner who wants crashes attaches it as well."""
    found = document(group_drill.CRASH, Role.ROTATE)
    # The guards are in the document that it is attached besides.
    return {**found, "Statement": [each for each in found["Statement"] if each["Effect"] == "Allow"]}


def own_document(library: Library, where: Where, role: Role) -> dict[str, Any]:
    """For exactly the groups of these policies. A name that is not given stays unfilled."""
    return document(own_rights(library, where), role)


def own_rights(library: Library, where: Where) -> Rights:
    """The rights behind `own_document`, all roles'. Without a key among the known names there are none on keys."""
    policies = [found.policy for found in library.policies.values()]
    mine = [policy for policy in policies if policy.role_arn == where.acting_as]
    rights = {right for policy in mine for right in _of_policy(policy, where)}
    if where.acting_as is None:
        rights |= _of_the_caller(policies, library, where)
    if where.probed is not None:
        rights |= _of_probe(mine, where, where.probed)
    # On keys that are not named, or on places of which a policy has none.
    keyless = {right for right in rights if right.on == KEYS or not right.on}
    return frozenset(rights - keyless) | SWEEPS | SCREENS | DOCTOR


def _of_policy(policy: Policy, where: Where) -> Rights:
    made: list[Any] = [fleets.KINDS[policy.fleet.kind]]
    names: dict[str, tuple[str, ...]] = {"auto_scaling_group": tuple(policy.fleet.slots().values())}
    for table, keys in _configured(policy):
        made.append(table[keys.kind])
        for field, values in _names_of(table[keys.kind], keys).items():
            names[field] = (*names.get(field, ()), *values)
    rights = frozenset[Right]().union(*(each.IAM_ACTIONS for each in made))
    if policy.drill is not None:
        rights |= group_drill.IAM_ACTIONS
    given = dict(where.names or {})
    return filled(rights, names | given | _place(policy, given))


def _of_probe(policies: list[Policy], where: Where, group: str) -> Rights:
    """A probe asks on one more group what a rotation asks on those of the policies, with the images that they allow."""
    given = dict(where.names or {})
    found: set[Right] = set()
    for policy in policies:
        owners = _names_of(images.KINDS[policy.image.kind], policy.image)
        names = {"auto_scaling_group": (group,), **owners, **given, **_place(policy, given)}
        found |= filled(probe.IAM_ACTIONS, names)
    return frozenset(found)


def _configured(policy: Policy) -> Iterator[tuple[Mapping[str, Any], Kind]]:
    yield routers.KINDS, policy.traffic
    yield images.KINDS, policy.image
    yield from ((gates.KINDS, keys) for keys in policy.gates)
    yield from ((leaving.REGISTRIES, keys) for keys in policy.discovery)
    yield from ((leaving.KINDS, keys) for keys in policy.before_leaving)
    yield from ((notifiers.KINDS, keys) for keys in policy.notify)


def _names_of(made: Any, keys: Kind) -> Names:
    """The values that an adapter's own keys fill into its rights; most have nothing to name."""
    name: Any = getattr(made, "iam_names", None)
    found: Names = name(keys) if name is not None else {}
    return found


def _place(policy: Policy | None, given: Names) -> dict[str, tuple[str, ...]]:
    """The place of the rights: a Region that was given comes before the policy's; a role's ARN says its account too."""
    account = region = None
    if policy is not None:
        account = policy.account or (policy.role_arn.split(":")[4] if policy.role_arn else None)
        region = policy.region
    regions = given.get("region") or ((region,) if region else ())
    known = {"account": (account,) if account else given.get("account", ()), "region": regions}
    known["partition"] = tuple(dict.fromkeys(_partition(each) for each in regions))
    return {field: values for field, values in known.items() if values}


def _partition(region: str) -> str:
    return next((f"aws-{name}" for name in ("cn", "us-gov") if region.startswith(f"{name}-")), "aws")


def _of_the_caller(policies: list[Policy], library: Library, where: Where) -> Rights:
    """Rights that only the caller itself uses: for other roles, the policies' bucket, the table."""
    found: set[Right] = set()
    given = dict(where.names or {})
    known = given | _place(None, given)
    roles = tuple(sorted({policy.role_arn for policy in policies if policy.role_arn}))
    if roles:
        found |= filled(ASSUME, {"assumed_role_arn": roles})
    if where.policies.startswith("s3://"):
        found |= filled(s3.IAM_ACTIONS, {**s3.S3Source(where.policies, Aws()).iam_names(), **known})
    store = where.store or library.all_groups.store
    if store is not None and store.startswith("dynamodb://"):
        found |= filled(dynamodb.DynamoStore.IAM_ACTIONS, {**dynamodb.DynamoStore.iam_names(store), **known})
    if where.function is not None:
        found |= filled(Function.IAM_ACTIONS, {**Function.iam_names(where.function), **known})
    return frozenset(found)
