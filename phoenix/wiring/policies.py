"""Groups as their policies want them, with everything that a group can have.

Loads pydantic and every adapter there is: must never be imported at the top of a module that a quick rollback imports.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from phoenix import gates, images, notifiers
from phoenix.aws.s3 import S3Source
from phoenix.aws.scope import Scope
from phoenix.aws.session import Access, Aws
from phoenix.core.limits import Rules
from phoenix.core.model import Slot
from phoenix.core.record import GroupRecord
from phoenix.core.window import NEVER
from phoenix.engine.group import About, Group
from phoenix.errors import PhoenixError
from phoenix.keys import Kind
from phoenix.policy.loader import Judged, Library, LoadedPolicy, load
from phoenix.policy.model import Policy
from phoenix.policy.source import Directory
from phoenix.policy.terms import calendar_of, rotate_when_of, rules_of, terms_of
from phoenix.ports import Store
from phoenix.wiring.ground import Ground, Kinds

log = logging.getLogger(__name__)


def open_library(where: str, aws: Aws, judged: Judged | None = None) -> Library:
    """All policies in a directory or below an `s3://` address; what was `judged` before is not read again.

    Raises:
        UsageError: there is no such place.
    """
    return load(S3Source(where, aws) if where.startswith("s3://") else Directory(where), judged)


def group_of_library(ground: Ground, library: Library, name: str, store: Store) -> Group:
    """The group of that name, with the rules for all groups.

    Raises:
        UnknownGroup: no policy is about it.
        InvalidPolicy: its policy is broken.
    """
    found = library.find(name)
    group = group_with_policy(ground, _that_counts(found.policy, store), store, found)
    return replace(group, rules=_rules(library))


def group_in_flight(ground: Ground, library: Library, policy: Policy, store: Store) -> Group:
    """The group that goes on under its pinned policy because its file, or the one for all groups, is broken. Nobody
    knows when its next rotation may start, so none does."""
    return replace(group_with_policy(ground, policy, store), rules=_rules(library), calendar=NEVER)


def _rules(library: Library) -> Rules:
    return rules_of(library.all_groups, (each.policy for each in library.policies.values()), library.groups)


def _that_counts(policy: Policy, store: Store) -> Policy:
    """The one that the rotation in flight was started with, while there is one: its gates and its slots must not change
    under it. Else the file's."""
    try:
        record = store.load(policy.group)
    except PhoenixError:  # whoever needs the record will say what is wrong with it
        return policy
    return policy_in_flight(record) or policy


def group_with_policy(ground: Ground, policy: Policy, store: Store, found: LoadedPolicy | None = None) -> Group:
    """The group that the policy is about. `found` None: the policy comes from a record, not from a file."""
    scope = Scope(policy.group, slots_of(policy.fleet), ground.aws(access_of(policy)), ground.clock, terms_of(policy))
    return replace(
        ground.bare_group(scope, Kinds(policy.fleet.kind, policy.traffic.kind), store),
        gates=tuple(_made(gates.KINDS, keys, scope) for keys in policy.gates),
        images=_made(images.KINDS, policy.image, scope),
        notifiers=tuple(_made(notifiers.KINDS, keys, scope) for keys in policy.notify),
        rotate_when=rotate_when_of(policy),
        calendar=calendar_of(policy, found.all_groups, found.all_groups_file) if found else calendar_of(policy),
        about=About(
            account=policy.account,
            region=ground.region(policy.region),
            owner=policy.owner,
            runbook=policy.runbook,
            description=policy.description,
            policy_file=found.file if found is not None else None,
            **({} if found is None else {"place_of": found.place_of}),
        ),
        policy=policy.model_dump_json(by_alias=True, exclude_none=True),
    )


def policy_in_flight(record: GroupRecord | None) -> Policy | None:
    """The policy that the rotation in flight was started with; None when there is none, or no reading it."""
    return pinned_policy(record) if record is not None and record.in_flight is not None else None


def pinned_policy(record: GroupRecord) -> Policy | None:
    """The policy that the record's rotation was started with; None when there is none, or no reading it any more."""
    if record.rotation is None or not record.rotation.policy:
        return None
    try:
        return Policy.model_validate_json(record.rotation.policy)
    except ValidationError:
        log.warning("policy.pinned_is_unreadable", extra={"group": record.group, "rotation": record.rotation.id})
        return None


def _made(table: Mapping[str, Any], keys: Kind, scope: Scope) -> Any:
    """The adapter for these keys of a policy; which protocol it satisfies, its table has promised."""
    return table[keys.kind](keys, scope)


def access_of(policy: Policy) -> Access:
    """Where the group is, and as whom it is worked on."""
    return Access(
        region=policy.region, role_arn=policy.role_arn, external_id=policy.external_id, account=policy.account
    )


def slots_of(fleet: Kind) -> dict[Slot, str]:
    """Every kind of fleet has a key for each slot, with the name of its Auto Scaling group."""
    return {slot: str(getattr(fleet, slot.value)) for slot in Slot}
