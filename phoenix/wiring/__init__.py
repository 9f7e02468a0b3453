"""The composition root: settings and policies in, wired groups out. The only place that knows all adapters.

Must never ask AWS for anything while it wires, with one exception: a rollback that finds neither policy nor record
looks for the group's tags. Must never let anybody but a rollback go on without policy or store. Must not import at the
top what only policies need: a rollback begins without them (docs/decisions/0007).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from phoenix.aws.session import Access, Aws
from phoenix.engine.group import Group
from phoenix.errors import InvalidPolicy, PhoenixError, UsageError
from phoenix.ports import Clock, Notifier, Store
from phoenix.settings import COMMON_FILES, Settings
from phoenix.stores import open_store
from phoenix.stores.tolerant import TolerantStore
from phoenix.telemetry import logs
from phoenix.wiring.base import Base, Overrides
from phoenix.wiring.from_record import group_from_record, pinned_group, unknown_notifiers

if TYPE_CHECKING:
    from phoenix.core.layers import ImageSeen
    from phoenix.engine.many.roster import Together
    from phoenix.engine.many.sweep import Estate
    from phoenix.policy.loader import Judged, Library
    from phoenix.policy.model import Policy

__all__ = ["SCHEDULE", "Overrides", "Wiring", "open_wiring"]

log = logging.getLogger(__name__)

SCHEDULE = "schedule"
"""The name that a rotation without a person is by."""


def open_wiring(settings: Settings, overrides: Overrides | None = None) -> Wiring:
    """Wire a whole program: what `Wiring` does, and logs set up as the settings say."""
    logs.configure(settings.log.form, settings.log.level)
    for place, meant in settings.slips():
        log.warning("setting.misspelt", extra={"where": place, "hint": f"no such setting; did you mean {meant}?"})
    if settings.env_flaw is not None:
        log.warning("setting.unreadable", extra={"reason": settings.env_flaw})
    return Wiring(settings, overrides)


class Wiring:
    """Makes groups, each with everything that serves it. Policies are read once, one store serves all groups."""

    def __init__(self, settings: Settings, overrides: Overrides | None = None) -> None:
        self._given = settings
        self._base = Base(settings, overrides or Overrides())
        self._library: Library | None = None
        self._judged: Judged | None = None
        self._store: Store | None = None
        self._store_for_rollback: Store | None = None

    @property
    def settings(self) -> Settings:
        """The settings; what a `phoenix.yaml` in S3 says is among them once the policies have been read."""
        return self._base.settings

    def library(self) -> Library:
        """All policies, sound and broken.

        Raises:
            UsageError: there is no such directory.
        """
        if self._library is None:
            from phoenix.policy.loader import Judged
            from phoenix.wiring.from_policy import open_library

            self._judged = self._judged or Judged()
            self._library = open_library(self.settings.policies, self.aws(), self._judged)
            if self._is_far():
                self._heed(self._library.all_groups.settings)
        return self._library

    def reread(self) -> None:
        """Have policies looked at again when they are next needed; only files that have changed are read again."""
        self._library = None

    def group_names(self) -> tuple[str, ...]:
        """Every group that a policy file is about; `group` says what is wrong with the broken ones."""
        return self.library().groups

    def group(self, name: str, *, by: str | None = None) -> Group:
        """One group, wired. `by` says who asks, where that is not the person at the keyboard.

        Raises:
            UnknownGroup: no policy is about it.
            InvalidPolicy: its policy is broken, and nothing is in flight that could go on without it.
        """
        try:
            found = self._from_policy(name, self.store())
        except InvalidPolicy as trouble:
            found = self._in_flight(name, trouble)
        return replace(found, by=by or found.by)

    def groups(self, *, by: str | None = None) -> tuple[tuple[Group, ...], tuple[str, ...]]:
        """All groups whose policies are sound or that are in flight, and the problems of the other files."""
        library = self.library()
        wanted = sorted({*library.groups} - {*library.broken} | {*self._pinned_in_flight(library.broken)})
        return tuple(self.group(name, by=by) for name in wanted), library.all_problems

    @contextmanager
    def together(self) -> Iterator[tuple[Callable[[str], Group], Together]]:
        """What can be read of all groups in few calls, and how to make one group within the block: its record and most
        of what AWS says of it are not asked for again."""
        from phoenix.stores.preloaded import PreloadedStore
        from phoenix.wiring.from_policy import group_of_library
        from phoenix.wiring.many import read_together

        library = self.library()
        records = self.store().load_many(library.groups)
        store = PreloadedStore(self.store(), frozenset(library.groups), records)
        sound = {name: found.policy for name, found in library.policies.items() if name not in library.broken}

        def make(name: str) -> Group:
            return self.group(name) if name not in sound else group_of_library(self._base, library, name, store)

        with read_together(self._base, sound, records) as read:
            yield make, read

    def store(self) -> Store:
        """The store of all groups; not opened yet.

        Raises:
            UsageError: its URL makes no sense, or nothing can tell whether `.env` names one.
        """
        if self._store is None:
            url = self.settings.store or self._far_store()
            if url is None and self.settings.env_flaw is not None:
                raise UsageError(f"{self.settings.env_flaw}; it may name the store", hint="or name it with --store")
            origin = self.settings.origin("store")
            self._store = open_store(url, aws=self._base.aws_of_store, origin=origin)
        return self._store

    def aws(self) -> Aws:
        """AWS as the flags and the environment say, whatever policies say."""
        return self._base.aws(Access())

    def aws_of(self, name: str | None) -> Aws:
        """AWS as the policy of a group says; None: as `aws`.

        Raises:
            UnknownGroup: no policy is about it.
            InvalidPolicy: its policy is broken.
        """
        if name is None:
            return self.aws()
        from phoenix.wiring.from_policy import access_of

        return self._base.aws(access_of(self.library().find(name).policy))

    def image_seen(self, image: str, name: str | None) -> ImageSeen:
        """One image with the layers below it, judged by the policy of a group if one is named.

        Raises:
            NotFound: there is no such image, or none that this account may see.
        """
        from phoenix.wiring.image import image_seen

        group = self.group(name) if name is not None else None
        return image_seen(self.aws_of(name), image, group, self.clock.now())

    @property
    def clock(self) -> Clock:
        """The clock of all groups."""
        return self._base.clock

    def estate(self, advance: Callable[[str, float], object], *, here: bool = False) -> Estate:
        """All groups, for a sweep. `advance(group, poll_seconds)` is called for those that need it; unless it has to be
        `here`, by the function that the settings name, if they name one."""
        from phoenix.invokers.function import Function
        from phoenix.invokers.side_by_side import SideBySide
        from phoenix.wiring.many import open_estate

        library = self.library()
        name = None if here else self.settings.advance
        invoker = Function(name, self.aws()) if name is not None else SideBySide(advance)
        return open_estate(self._base, library, self.store(), invoker, self._pinned_in_flight(library.broken))

    def groups_of_instances(self, ids: Sequence[str]) -> Mapping[str, str]:
        """The name of the group that each of these instances is in.

        Raises:
            UsageError: one is in none that a policy is about.
        """
        from phoenix.wiring.instances import groups_of_instances

        return groups_of_instances(self._base, self.library(), ids)

    def requests(self) -> int:
        """The number of requests sent to AWS so far."""
        return self._base.requests()

    def close(self) -> None:
        """Send the spans that have not been sent. Before a Lambda function answers: it is frozen right after."""
        self._base.tracer.close()

    def _in_flight(self, name: str, trouble: InvalidPolicy) -> Group:
        """A rotation in flight goes on: the mistake in a file is not its own."""
        from phoenix.wiring.from_policy import group_in_flight

        policy = self._pinned_in_flight([name]).get(name)
        if policy is None:
            raise trouble
        log.warning("policy.left_out", extra={"group": name, "reason": trouble.message})
        return group_in_flight(self._base, self.library(), policy, self.store())

    def _pinned_in_flight(self, names: Iterable[str]) -> dict[str, Policy]:
        """The policies of those that are in flight, as pinned; none if the store cannot be told."""
        from phoenix.wiring.from_policy import policy_in_flight

        wanted = sorted(names)
        store = self._store_or_why()[0] if wanted else None
        if store is None:
            return {}
        try:
            records = store.load_many(wanted)
        except PhoenixError as error:
            log.error("policy.pinned_is_unreadable", extra={"groups": wanted, "reason": error.message})
            return {}
        return {name: policy for name in wanted if (policy := policy_in_flight(records.get(name))) is not None}

    # --- for a rollback -----------------------------------------------------------------------------------------------

    def group_from_record(self, name: str) -> Group | None:
        """One group, wired from its last rotation's record alone, without loading any policy; None when that does not
        suffice. Its notifiers are those of its policy, which is read when there is news."""
        if self.settings.store is None and (self._is_far() or self.settings.common_flaw is not None):
            return None
        try:
            self.store()
        except UsageError:  # no URL of a store, which `group_for_rollback` gets by without
            return None
        return pinned_group(self._base, self._tolerant_store(), name, lambda: self._notifiers_of(name))

    def group_for_rollback(self, name: str, *, gone: bool = False) -> Group:
        """One group, wired with what is left: its policy, else what its record has pinned, else its tags on AWS.

        `gone`: the Auto Scaling groups that its record names are no more.

        Raises:
            UsageError: the group is not known; the same that `group` raises.
        """
        store = self._tolerant_store()
        try:
            return self._from_policy(name, store, gone=gone)
        except PhoenixError as trouble:
            group = self._from_what_is_left(name, store, trouble)
            log.warning("policy.left_out", extra={"group": name, "reason": trouble.message})
            return group

    def _tolerant_store(self) -> Store:
        """One for the whole way back, however often the group is wired: a store that has not answered once is not
        waited for again."""
        if self._store_for_rollback is None:
            self._store_for_rollback = TolerantStore(*self._store_or_why())
        return self._store_for_rollback

    def _notifiers_of(self, name: str) -> Sequence[Notifier]:
        return tuple(self.group_for_rollback(name).notifiers)

    def _store_or_why(self) -> tuple[Store | None, str]:
        """The store, unless it cannot be told: a wrong one would be believed later."""
        flaw = self._flaw_of_common_file() if self.settings.store is None else None
        if flaw is not None:
            return None, f"{flaw}; the file may name the store"
        try:
            return self.store(), ""
        except PhoenixError as error:
            return None, error.message

    def _flaw_of_common_file(self) -> str | None:
        if not self._is_far():
            return self.settings.common_flaw
        try:
            problems = self.library().problems
        except PhoenixError:  # which the policies, or what is left, will have to do without
            return None
        return next((found[0] for file, found in problems.items() if Path(file).name in COMMON_FILES), None)

    def _from_policy(self, name: str, store: Store, *, gone: bool = False) -> Group:
        from phoenix.wiring.from_policy import group_of_library

        return group_of_library(self._base, self.library(), name, store, gone=gone)

    def _from_what_is_left(self, name: str, store: Store, trouble: PhoenixError) -> Group:
        from phoenix.wiring import from_policy, from_tags

        record = store.load(name)
        if record is not None:
            policy = from_policy.pinned_policy(record)
            if policy is not None:
                return from_policy.group_with_policy(self._base, policy, store, record=record)
            found = group_from_record(self._base, store, record)
            if found is not None:
                return replace(found, notifiers=unknown_notifiers(name, trouble))
        found = from_tags.group_from_tags(self._base, store, name, trouble)
        return replace(found, notifiers=unknown_notifiers(name, trouble))

    def _far_store(self) -> str | None:
        """The store that a `phoenix.yaml` in S3 names, which is read with the policies."""
        if not self._is_far():
            return None
        try:
            self.library()
        except UsageError:  # no such place, so no such file
            return None
        return self.settings.store

    def _is_far(self) -> bool:
        return self.settings.policies.startswith("s3://")

    def _heed(self, common: Mapping[str, object]) -> None:
        """Have the settings say what a `phoenix.yaml` says that was read only now."""
        before, self._base.settings = self.settings, self._given.with_common(common)
        if self.settings.log != before.log:
            logs.configure(self.settings.log.form, self.settings.log.level)
