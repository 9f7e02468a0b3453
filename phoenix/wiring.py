"""The composition root: settings and policies in, wired groups out. The only place that knows all adapters.

Must never ask AWS for anything while it wires, with one exception: a rollback that finds neither policy nor record
looks for the group's tags. Must never let anybody but a rollback go on without policy or store.
"""

from __future__ import annotations

import getpass
import logging
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from phoenix import fleets, gates, images, notifiers, routers
from phoenix.aws.s3 import S3Source
from phoenix.aws.scope import Scope
from phoenix.aws.session import Access, Aws
from phoenix.core.model import Slot, Step, Terms
from phoenix.core.record import GroupRecord
from phoenix.engine.clock import WallClock
from phoenix.engine.group import About, Group
from phoenix.errors import PermanentError, PhoenixError, UnknownGroup, UsageError
from phoenix.fleets import pair
from phoenix.keys import Kind
from phoenix.policy.loader import RESERVED, Library, LoadedPolicy, load
from phoenix.policy.model import Policy
from phoenix.policy.source import Directory
from phoenix.policy.terms import calendar_of, rotate_when_of, terms_of
from phoenix.ports import Clock, Store
from phoenix.routers import alb, none
from phoenix.settings import Settings
from phoenix.stores import open_store
from phoenix.stores.owner import this_driver
from phoenix.stores.tolerant import TolerantStore
from phoenix.telemetry import logs
from phoenix.telemetry.spans import open_tracer

log = logging.getLogger(__name__)

SCHEDULE = "schedule"
"""Who a rotation is by when nobody typed anything."""


@dataclass(frozen=True, slots=True)
class Overrides:
    """What a driver may say besides the settings. None: as found.

    `profile` and `region` come before what policies say. `aws` serves all groups, whatever their policies say of
    accounts and roles: the sandbox's. `driver` is who holds leases, `by` who asks.
    """

    profile: str | None = None
    region: str | None = None
    clock: Clock | None = None
    aws: Aws | None = None
    driver: str | None = None
    by: str | None = None


def open_wiring(settings: Settings, overrides: Overrides | None = None) -> Wiring:
    """Wire a whole program: what `Wiring` does, and logs set up as the settings say."""
    logs.configure(settings.log.form, settings.log.level)
    return Wiring(settings, overrides)


class Wiring:
    """Makes groups, each with everything that serves it. Policies are read once, one store serves all groups."""

    def __init__(self, settings: Settings, overrides: Overrides | None = None) -> None:
        self.settings = settings
        self._overrides = overrides or Overrides()
        self._clock = self._overrides.clock or WallClock()
        self._driver = self._overrides.driver or this_driver()
        self._tracer = open_tracer()
        self._library: Library | None = None
        self._store: Store | None = None
        self._aws: dict[Access, Aws] = {}

    def library(self) -> Library:
        """All policies, sound and broken.

        Raises:
            UsageError: there is no such directory.
        """
        if self._library is None:
            where = self.settings.policies
            self._library = load(S3Source(where, self.aws()) if where.startswith("s3://") else Directory(where))
        return self._library

    def group_names(self) -> tuple[str, ...]:
        """Every group that a policy file is about; `group` says what is wrong with the broken ones."""
        return self.library().groups

    def group(self, name: str, *, by: str | None = None) -> Group:
        """One group, wired. `by` says who asks, where that is not the person at the keyboard.

        Raises:
            UnknownGroup: no policy is about it.
            InvalidPolicy: its policy is broken.
        """
        found = self.library().find(name)
        return self._with_policy(found.policy, self.store(), by, found)

    def groups(self, *, by: str | None = None) -> tuple[tuple[Group, ...], tuple[str, ...]]:
        """All groups whose policies are sound, and the problems of the other files."""
        library = self.library()
        sound = tuple(self.group(name, by=by) for name in library.groups if name not in library.broken)
        return sound, library.all_problems

    def group_for_rollback(self, name: str) -> Group:
        """One group, wired with what is left: its policy, else what its record has pinned, else its tags on AWS.

        Raises:
            UsageError: nobody knows the group; the same that `group` raises.
        """
        store = TolerantStore(*self._store_or_why())
        try:
            found = self.library().find(name)
        except PhoenixError as trouble:
            group = self._from_record(store, name) or self._from_tags(store, name, trouble)
            log.warning("policy.left_out", extra={"group": name, "reason": trouble.message})
            return group
        return self._with_policy(found.policy, store, None, found)

    def store(self) -> Store:
        """The store of all groups; not opened yet.

        Raises:
            UsageError: its URL makes no sense.
        """
        if self._store is None:
            self._store = open_store(self.settings.over({"store": self._common_store()}).store)
        return self._store

    def aws(self, access: Access | None = None) -> Aws:
        """AWS as the flags, or those and a policy, say; one client a service is shared by all who ask for the same."""
        if self._overrides.aws is not None:
            return self._overrides.aws
        access = access or Access(region=self._overrides.region, profile=self._overrides.profile)
        return self._aws.setdefault(access, Aws(access))

    def close(self) -> None:
        """Send the spans that have not been sent. Before a Lambda function answers: it is frozen right after."""
        self._tracer.close()

    def _common_store(self) -> str | None:
        """What `phoenix.yaml` says; not asked where a flag or a variable says it already."""
        if self.settings.store is not None:
            return None
        try:
            return self.library().all_groups.store
        except UsageError:  # no directory, so no such file
            return None

    # --- from a policy ------------------------------------------------------------------------------------------------

    def _with_policy(self, policy: Policy, store: Store, by: str | None, found: LoadedPolicy | None) -> Group:
        scope = Scope(policy.group, _slots_of(policy.fleet), self.aws(self._access(policy)), self._clock)
        bare = self._bare(scope, policy.fleet, policy.traffic, terms_of(policy), store)
        return replace(
            bare,
            gates=tuple(_made(gates.KINDS, keys, scope) for keys in policy.gates),
            images=_made(images.KINDS, policy.image, scope),
            notifiers=tuple(_made(notifiers.KINDS, keys, scope) for keys in policy.notify),
            rotate_when=rotate_when_of(policy),
            calendar=calendar_of(policy, found.all_groups) if found is not None else calendar_of(policy),
            about=About(
                account=policy.account,
                region=self._region(policy.region),
                owner=policy.owner,
                runbook=policy.runbook,
                description=policy.description,
                policy_file=found.file if found is not None else None,
            ),
            policy=policy.model_dump_json(by_alias=True, exclude_none=True),
            by=by or bare.by,
        )

    def _bare(self, scope: Scope, fleet: Kind, traffic: Kind, terms: Terms, store: Store) -> Group:
        """A group that can be brought back, but has nothing to go forward with."""
        return Group(
            name=scope.group,
            terms=terms,
            slots=scope.slots,
            fleet=_made(fleets.KINDS, fleet, scope),
            router=_made(routers.KINDS, traffic, scope),
            gates=(),
            images=None,
            store=store,
            clock=self._clock,
            tracer=self._tracer,
            driver=self._driver,
            by=self._overrides.by or _person(),
            about=About(region=self._region(None)),
            lease_seconds=self.settings.lease_seconds,
            poll_seconds=self.settings.poll_seconds,
        )

    def _access(self, policy: Policy) -> Access:
        return Access(
            region=self._overrides.region or policy.region,
            profile=self._overrides.profile,
            role_arn=policy.role_arn,
            external_id=policy.external_id,
            account=policy.account,
        )

    def _region(self, wanted: str | None) -> str | None:
        """The region for screens; None where only a profile knows it, which is not worth loading boto3 for."""
        found = self._overrides.region or wanted
        return found or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")

    # --- for a rollback, from what is left ----------------------------------------------------------------------------

    def _store_or_why(self) -> tuple[Store | None, str]:
        """The store, unless nobody can tell which one it is: a wrong one would be believed later."""
        try:
            broken = [file for file in self.library().problems if Path(file).name in RESERVED]
        except PhoenixError:
            broken = []
        if broken and self.settings.store is None:
            return None, f"{broken[0]}, which may name the store, is broken"
        try:
            return self.store(), ""
        except PhoenixError as error:
            return None, error.message

    def _from_record(self, store: Store, name: str) -> Group | None:
        record = store.load(name)
        if record is None:
            return None
        policy = _pinned_policy(record)
        if policy is not None:
            return self._with_policy(policy, store, None, None)
        if set(record.slots) != set(Slot):
            return None
        terms = record.rotation.terms if record.rotation is not None else _plain_terms(any(record.routes))
        access = Access(region=self._overrides.region or record.region, profile=self._overrides.profile)
        scope = Scope(name, dict(record.slots), self.aws(access), self._clock)
        return self._bare(scope, _pair_of(scope.slots), _traffic(terms.has_traffic), terms, store)

    def _from_tags(self, store: Store, name: str, trouble: PhoenixError) -> Group:
        aws = self.aws()
        try:
            found = sorted(pair.find_group(aws, name))
        except PhoenixError as error:
            if isinstance(trouble, UnknownGroup):  # a slip of the keyboard is likelier, and cheaper to mend
                raise trouble from error
            raise
        if not found:
            raise trouble
        if len(found) != 2:
            raise PermanentError(
                f"{len(found)} Auto Scaling groups carry the tag phoenix:group={name}, not two: {', '.join(found)}",
                hint="remove the tag where it does not belong",
            )
        scope = Scope(name, _slots_by_name(found), aws, self._clock)
        keys = _pair_of(scope.slots)
        view = _made(fleets.KINDS, keys, scope).observe(None)
        balances = any(state.target_groups for state in view.slots.values())
        return self._bare(scope, keys, _traffic(balances), _plain_terms(balances), store)


def _made(table: Mapping[str, Any], keys: Kind, scope: Scope) -> Any:
    """The adapter for these keys of a policy; which protocol it satisfies, its table has promised."""
    return table[keys.kind](keys, scope)


def _slots_of(fleet: Kind) -> dict[Slot, str]:
    """Every kind of fleet has a key for each slot, with the name of its Auto Scaling group."""
    return {slot: str(getattr(fleet, slot.value)) for slot in Slot}


def _pair_of(slots: Mapping[Slot, str]) -> Kind:
    return pair.Settings(blue=slots[Slot.BLUE], green=slots[Slot.GREEN])


def _slots_by_name(names: list[str]) -> dict[Slot, str]:
    """Tags do not say which is which, and nothing depends on it; names mostly do, so that screens read well."""
    first, second = names
    if "green" in first.lower() or "blue" in second.lower():
        first, second = second, first
    return {Slot.BLUE: first, Slot.GREEN: second}


def _traffic(balances: bool) -> Kind:
    return alb.Settings() if balances else none.Settings()


def _plain_terms(balances: bool) -> Terms:
    return Terms(steps=(Step(new_capacity=100, old_capacity=0, new_weight=100),), has_traffic=balances)


def _pinned_policy(record: GroupRecord) -> Policy | None:
    if record.rotation is None or not record.rotation.policy:
        return None
    try:
        return Policy.model_validate_json(record.rotation.policy)
    except ValidationError:
        log.warning("policy.pinned_is_unreadable", extra={"group": record.group, "rotation": record.rotation.id})
        return None


def _person() -> str:
    """Who sits at the keyboard, as the system knows: asking AWS would cost a rollback a call."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user has no name
        user = f"uid-{os.getuid()}"
    return f"{user}@{socket.gethostname()}"
