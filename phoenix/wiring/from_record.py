"""A group from what its last rotation has pinned, without any policy file: the quickest way back.

Must import no more than `base` may. Must never guess: where anything is missing there is no group, and the files are
read after all.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import msgspec

from phoenix import fleets, routers
from phoenix.aws.scope import Scope
from phoenix.aws.session import Access
from phoenix.core.model import Slot
from phoenix.core.ownership import is_unfinished
from phoenix.core.record import GroupRecord
from phoenix.engine.group import About, Group
from phoenix.errors import PhoenixError
from phoenix.orchestrator import Orchestrator
from phoenix.ports import Notifier, Store
from phoenix.wiring.base import Base, Kinds, plain_terms

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Part:
    """A mapping of the policy, as far as it is read here."""

    kind: str


@dataclass(frozen=True, slots=True)
class _Pinned:
    """The part read of a pinned policy; it was a sound one when it was pinned, so nothing else is checked again."""

    fleet: _Part
    traffic: _Part
    before_leaving: tuple[_Part, ...] = ()
    discovery: tuple[_Part, ...] = ()
    account: str | None = None
    region: str | None = None
    role_arn: str | None = None
    external_id: str | None = None
    owner: str | None = None
    runbook: str | None = None
    description: str | None = None


@dataclass(slots=True, eq=False)
class LateNotifiers:
    """Notifiers that are made with the first piece of news. They belong to the policy, and traffic comes first.

    What cannot be loaded is tried, and warned of, once: at each look it would hide how a rollback goes on.
    """

    group: str
    load: Callable[[], Sequence[Notifier]]
    _trouble: PhoenixError | None = field(default=None, init=False)

    def __iter__(self) -> Iterator[Notifier]:
        """Load them.

        Raises:
            PhoenixError: they cannot be had; the same error each time.
        """
        if self._trouble is not None:
            raise self._trouble.with_traceback(None)  # else each look's would be added to it
        try:
            return iter(self.load())
        except PhoenixError as error:
            log.warning("notify.failed", extra={"group": self.group, "reason": error.message})
            self._trouble = error
            raise


@dataclass(frozen=True, slots=True)
class LateOrchestrators:
    """The same for what instances pass before they leave: a rollback asks none of it before traffic has moved."""

    load: Callable[[], Iterable[Orchestrator]]

    def __iter__(self) -> Iterator[Orchestrator]:
        """Load them."""
        return iter(self.load())


def unknown_notifiers(group: str, trouble: PhoenixError) -> LateNotifiers:
    """The notifiers of a group without its policy: not none, which would be told, and forgotten, but unknown ones."""

    def load() -> Sequence[Notifier]:
        raise trouble

    return LateNotifiers(group, load)


def pinned_group(base: Base, store: Store, name: str, load: Callable[[], Sequence[Notifier]]) -> Group | None:
    """The group as its record has it; None when there is no record, or too little in it, or no reading it. The store is
    one for a rollback."""
    try:
        record = store.load(name)
        pinned = _read(record)
    except (PhoenixError, msgspec.MsgspecError):
        return None
    if record is None or record.rotation is None or pinned is None:
        return None
    if not is_unfinished(record) and record.retained is not None:
        return None  # cold: the policy may name other groups, and what has to be launched takes minutes anyhow
    region = record.region or pinned.region
    access = Access(region, None, pinned.role_arn, pinned.external_id, pinned.account)
    scope = Scope(name, dict(record.slots), base.aws(access), base.clock, record.rotation.terms)
    kinds = Kinds(pinned.fleet.kind, pinned.traffic.kind)
    return replace(
        base.bare_group(scope, kinds, store),
        notifiers=LateNotifiers(name, load),
        registries=_late_registries(record, scope) if pinned.discovery else (),
        orchestrators=_late_orchestrators(record, scope) if pinned.before_leaving else (),
        about=About(pinned.account, base.region(region), pinned.owner, pinned.runbook, pinned.description),
        policy=record.rotation.origin.policy,
    )


def _late_registries(record: GroupRecord, scope: Scope) -> LateOrchestrators:
    def load() -> Iterable[Orchestrator]:
        from phoenix.wiring.from_policy import pinned_registries

        return pinned_registries(record, scope)

    return LateOrchestrators(load)


def _late_orchestrators(record: GroupRecord, scope: Scope) -> LateOrchestrators:
    def load() -> Iterable[Orchestrator]:
        from phoenix.wiring.from_policy import pinned_orchestrators

        return pinned_orchestrators(record, scope)

    return LateOrchestrators(load)


def group_from_record(base: Base, store: Store, record: GroupRecord) -> Group | None:
    """A group whose pinned policy cannot be read; None when the record does not name both Auto Scaling groups."""
    made = fleets.kind_of(tuple(record.slots.values())) if set(record.slots) == set(Slot) else None
    if made is None:
        return None
    terms = (
        record.rotation.terms if record.rotation is not None else plain_terms(made[0], is_routed=bool(record.routes))
    )
    scope = Scope(record.group, dict(record.slots), base.aws(Access(region=record.region)), base.clock, terms)
    return base.bare_group(scope, Kinds(made[0], routers.kind_of(terms.serving, tuple(record.routes))), store)


def _read(record: GroupRecord | None) -> _Pinned | None:
    """None for a rotation that was found by its tags: its record does not know whose rights to use."""
    if record is None or record.rotation is None or not record.rotation.origin.policy or set(record.slots) != set(Slot):
        return None
    pinned = msgspec.json.decode(record.rotation.origin.policy, type=_Pinned)
    known = pinned.fleet.kind in fleets.KINDS and pinned.traffic.kind in routers.KINDS
    return pinned if known else None
