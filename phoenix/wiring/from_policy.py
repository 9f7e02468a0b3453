"""Groups as their policies want them, with everything that a group can have.

Loads pydantic and every adapter there is: must never be imported at the top of a module that a quick rollback imports.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from phoenix import gates, images, leaving, notifiers
from phoenix.aws.s3 import S3Source
from phoenix.aws.scope import Scope
from phoenix.aws.session import Access, Aws
from phoenix.aws.trail import CloudTrail
from phoenix.core.many.limits import Rules
from phoenix.core.ownership import is_elsewhere, is_unfinished, slots_that_count
from phoenix.core.record import GroupRecord
from phoenix.core.window import NEVER
from phoenix.engine.group import About, Group
from phoenix.errors import PhoenixError
from phoenix.keys import Kind
from phoenix.orchestrator import Orchestrator
from phoenix.policy.loader import Judged, Library, LoadedPolicy, load
from phoenix.policy.model import Policy
from phoenix.policy.source import Directory
from phoenix.policy.terms import calendar_of, drill_of, rotate_when_of, rules_of, terms_of
from phoenix.ports import Store
from phoenix.stores.elsewhere import FinishedElsewhere
from phoenix.wiring.base import Base, Kinds

log = logging.getLogger(__name__)


def open_library(where: str, aws: Aws, judged: Judged | None = None) -> Library:
    """All policies in a directory or below an `s3://` address; what was `judged` before is not read again.

    Raises:
        UsageError: there is no such place.
    """
    return load(S3Source(where, aws) if where.startswith("s3://") else Directory(where), judged)


def group_of_library(base: Base, library: Library, name: str, store: Store, *, gone: bool = False) -> Group:
    """The group of that name, with the rules for all groups. `gone`: the groups that its record is about are no more,
    so those that the policy names count.

    Raises:
        UnknownGroup: no policy is about it.
        InvalidPolicy: its policy is broken.
    """
    found = library.find(name)
    record = None if gone else _record_of(name, store)
    group = group_with_policy(base, _that_counts(found.policy, record), store, found, record)
    names = found.policy.fleet.slots()
    if set(group.slots.values()) != set(names.values()):
        group = replace(group, awaited=tuple(names.values()))
    return replace(group, rules=_rules(library))


def group_in_flight(base: Base, library: Library, policy: Policy, store: Store) -> Group:
    """The group that goes on under its pinned policy because its file, or the one for all groups, is broken. It
    is not known when its next rotation may start, so none does."""
    group = group_with_policy(base, policy, store, record=_record_of(policy.group, store))
    return replace(group, rules=_rules(library), calendar=NEVER)


def _rules(library: Library) -> Rules:
    return rules_of(library.all_groups, (each.policy for each in library.policies.values()), library.groups)


def _record_of(name: str, store: Store) -> GroupRecord | None:
    try:
        return store.load(name)
    except PhoenixError:  # the code that needs the record will say what is wrong with it
        return None


def _that_counts(policy: Policy, record: GroupRecord | None) -> Policy:
    """The one that the rotation in flight was started with, while there is one: its gates must not change under it.
    While something is kept hot in other groups than the file names: the one it was started with. Else the file's."""
    if record is None or not is_unfinished(record):
        return policy
    counts = record.in_flight is not None or is_elsewhere(record, policy.fleet.slots())
    return (pinned_policy(record) if counts else None) or policy


def group_with_policy(
    base: Base,
    policy: Policy,
    store: Store,
    found: LoadedPolicy | None = None,
    record: GroupRecord | None = None,
) -> Group:
    """The group that the policy is about. `found` None: the policy comes from a record, not from a file. Where the
    `record` still needs other Auto Scaling groups than the policy names, it is about those."""
    slots = slots_that_count(record, policy.fleet.slots())
    store = FinishedElsewhere(store, slots)
    aws = base.aws(access_of(policy))
    scope = Scope(policy.group, slots, aws, base.clock, terms_of(policy))
    return replace(
        base.bare_group(scope, Kinds(policy.fleet.kind, policy.traffic.kind), store),
        gates=tuple(_made(gates.KINDS, keys, scope) for keys in policy.gates),
        images=_made(images.KINDS, policy.image, scope),
        registries=_registries(policy, scope),
        orchestrators=_orchestrators(policy, scope),
        notifiers=tuple(_made(notifiers.KINDS, keys, scope) for keys in policy.notify),
        trail=CloudTrail(aws, base.clock),
        rotate_when=rotate_when_of(policy),
        ignored_drift=policy.drift.ignore,
        calendar=calendar_of(policy, found.all_groups, found.all_groups_file) if found else calendar_of(policy),
        drill=drill_of(policy, found.all_groups, found.all_groups_file) if found else None,
        about=About(
            account=policy.account,
            region=base.region(policy.region),
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
    if record.rotation is None or not record.rotation.origin.policy:
        return None
    try:
        return Policy.model_validate_json(record.rotation.origin.policy)
    except ValidationError:
        log.warning("policy.pinned_is_unreadable", extra={"group": record.group, "rotation": record.rotation.id})
        return None


def pinned_orchestrators(record: GroupRecord, scope: Scope) -> tuple[Orchestrator, ...]:
    """What instances pass before they leave, by the policy that the record's rotation was started with."""
    policy = pinned_policy(record)
    return () if policy is None else _orchestrators(policy, scope)


def pinned_registries(record: GroupRecord, scope: Scope) -> tuple[Orchestrator, ...]:
    """Where clients find instances, by the same policy."""
    policy = pinned_policy(record)
    return () if policy is None else _registries(policy, scope)


def _orchestrators(policy: Policy, scope: Scope) -> tuple[Orchestrator, ...]:
    return tuple(_made(leaving.KINDS, keys, scope) for keys in policy.before_leaving)


def _registries(policy: Policy, scope: Scope) -> tuple[Orchestrator, ...]:
    return tuple(_made(leaving.REGISTRIES, keys, scope) for keys in policy.discovery)


def _made(table: Mapping[str, Any], keys: Kind, scope: Scope) -> Any:
    """The adapter for these keys of a policy; which protocol it satisfies, its table has promised."""
    return table[keys.kind](keys, scope)


def access_of(policy: Policy) -> Access:
    """The account and Region of the group, and the role that works on it."""
    return Access(
        region=policy.region, role_arn=policy.role_arn, external_id=policy.external_id, account=policy.account
    )
