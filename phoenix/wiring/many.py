"""All groups together: what a sweep knows of them, and the few calls in which AWS is asked about all of them.

Loads pydantic and the image sources: must never be imported at the top of a module that a quick rollback imports.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final

from phoenix import routers
from phoenix.aws.groups import foresee_groups
from phoenix.aws.rights import Rights
from phoenix.aws.session import Access, Aws, Foreseen
from phoenix.core.many.triage import UNKNOWN_SIGNS, Member, Signs
from phoenix.core.record import GroupRecord
from phoenix.core.window import NEVER
from phoenix.engine.many.roster import Together
from phoenix.engine.many.sweep import Estate, Invoker
from phoenix.errors import PermanentError, PhoenixError
from phoenix.fleets import group_marks
from phoenix.images import together
from phoenix.keys import Kind
from phoenix.policy.loader import Library
from phoenix.policy.model import Policy
from phoenix.policy.terms import calendar_of, drill_of, rotate_when_of, rules_of
from phoenix.ports import Clock, Store
from phoenix.routers import shares
from phoenix.wiring.base import Base
from phoenix.wiring.from_policy import access_of

IAM_ACTIONS: Final[Rights] = together.IAM_ACTIONS | group_marks.IAM_ACTIONS
"""Besides what the routers of the groups ask, which is among their own."""

log = logging.getLogger(__name__)


def open_estate(base: Base, library: Library, store: Store, invoker: Invoker, pinned: Mapping[str, Policy]) -> Estate:
    """Every group with a sound policy, and those in flight under a `pinned` one because their file is broken."""
    sound = {name: found.policy for name, found in library.policies.items() if name not in library.broken}
    all_groups = library.all_groups
    members = {
        name: Member(
            name,
            policy.fleet.slots(),
            rotate_when_of(policy),
            calendar_of(policy, all_groups),
            drill_of(policy, all_groups),
        )
        for name, policy in sound.items()
    }
    for name, policy in pinned.items():
        members[name] = Member(name, policy.fleet.slots(), rotate_when_of(policy), NEVER)
    known = {**sound, **pinned}
    return Estate(
        members=members,
        store=store,
        overview=AwsOverview(base.clock, {name: _Place.of(policy, base) for name, policy in known.items()}),
        invoker=invoker,
        clock=base.clock,
        driver=base.driver,
        rules=rules_of(all_groups, known.values(), library.groups),
        poll_seconds=base.settings.poll_seconds,
        calls_per_second=base.settings.calls_per_second,
    )


@dataclass(frozen=True, slots=True)
class _Place:
    """The place of a group, the source of its images, and its kind of router."""

    access: Access
    aws: Aws
    image: Kind
    router: str

    @classmethod
    def of(cls, policy: Policy, base: Base) -> _Place:
        access = access_of(policy)
        return cls(access, base.aws(access), policy.image, policy.traffic.kind)


_OVERVIEWS: Final = {"alb": shares.RULES, "nlb": shares.LISTENERS}


@contextmanager
def read_together(base: Base, policies: Mapping[str, Policy], records: Mapping[str, GroupRecord]) -> Iterator[Together]:
    """What can be read of these groups together, in few calls. Within the block, questions about single ones are
    answered from it. An account or Region that does not answer is left out: its groups are asked one by one."""
    by_access: defaultdict[Access, dict[str, Policy]] = defaultdict(dict)
    for name, policy in policies.items():
        by_access[access_of(policy)][name] = policy
    images: dict[str, str] = {}
    tainted: frozenset[str] | None = frozenset()
    with ExitStack() as foreseen:
        for access, there in by_access.items():
            aws = base.aws(access)
            try:
                found, marks = _read_there(aws, there, records, foreseen, base.clock.now())
            except PhoenixError as error:
                log.warning("overview.failed", extra={"groups": [*there], "reason": error.message})
                found, marks = {}, None
            images |= found
            tainted = None if tainted is None or marks is None else tainted | marks
        yield Together(records, images, tainted)


def _read_there(
    aws: Aws, there: Mapping[str, Policy], records: Mapping[str, GroupRecord], foreseen: ExitStack, at: datetime
) -> tuple[Mapping[str, str], frozenset[str] | None]:
    """In one account and Region: images, tainted groups; groups and routes go into `foreseen`."""
    mine = [record for name in there if (record := records.get(name)) is not None]
    names = sorted({name for policy in there.values() for name in policy.fleet.slots().values()})
    kinds = {policy.traffic.kind for policy in there.values()} & {*_OVERVIEWS}
    arns = sorted({arn for record in mine for arn in record.routes})
    sources = {name: policy.image for name, policy in there.items() if rotate_when_of(policy).new_image}
    images, tainted, groups, *routes = aws.side_by_side(
        [
            partial(_unless_refused, together.chosen_images, aws, sources, at),
            partial(_unless_refused, group_marks.tainted_groups, aws),
            partial(foresee_groups, aws, names),
            *(partial(_routes_of, aws, kind, arns) for kind in sorted(kinds)),
        ]
    )
    found = {_OVERVIEWS[kind].method: each for kind, each in zip(sorted(kinds), routes, strict=True)}
    foreseen.enter_context(aws.foreseeing({"describe_auto_scaling_groups": groups, **found}))
    return images or {}, tainted


def _routes_of(aws: Aws, kind: str, arns: Sequence[str]) -> Foreseen:
    own = [arn for arn in arns if routers.KINDS[kind].ROUTES in arn]
    return shares.foresee_routes(aws, own, _OVERVIEWS[kind])


class AwsOverview:
    """Asks each account and Region once, whatever the number of its groups."""

    def __init__(self, clock: Clock, places: Mapping[str, _Place]) -> None:
        self._clock, self._places = clock, places

    def signs_of(self, members: Sequence[Member], records: Mapping[str, GroupRecord]) -> Mapping[str, Signs]:
        """The signs of each group. Where an account or Region does not answer, for whatever reason, those of its groups
        are not known: they are looked at alone, and the others as ever."""
        by_access: defaultdict[Access, list[Member]] = defaultdict(list)
        for member in members:
            by_access[self._places[member.name].access].append(member)
        signs: dict[str, Signs] = {}
        for there in by_access.values():
            try:
                signs |= self._signs_there(self._places[there[0].name].aws, there, records)
            except PhoenixError as error:
                log.error("overview.failed", extra={"groups": [m.name for m in there], "reason": error.message})
                signs |= dict.fromkeys((m.name for m in there), UNKNOWN_SIGNS)
        return signs

    def _signs_there(
        self, aws: Aws, members: Sequence[Member], records: Mapping[str, GroupRecord]
    ) -> Mapping[str, Signs]:
        sources = {m.name: self._places[m.name].image for m in members if m.rotate_when.new_image}
        images, marked, tainted, moved = aws.side_by_side(
            [
                partial(_unless_refused, together.chosen_images, aws, sources, self._clock.now()),
                partial(_unless_refused, group_marks.marked_groups, aws),
                partial(_unless_refused, group_marks.tainted_groups, aws),
                partial(self._moved, aws, members, records),
            ]
        )
        return {
            member.name: Signs(
                image=images.get(member.name) if images is not None else None,
                marked=_has_any(marked, member.slots.values()),
                moved=_has_any(moved[self._places[member.name].router], [member.name]),
                tainted=_has_any(tainted, member.slots.values()),
            )
            for member in members
        }

    def _moved(
        self, aws: Aws, members: Sequence[Member], records: Mapping[str, GroupRecord]
    ) -> Mapping[str, frozenset[str] | None]:
        """The groups whose traffic has moved, by kind of router: each kind asks AWS in its own way. None for a kind
        that may not ask."""
        by_kind: defaultdict[str, list[GroupRecord]] = defaultdict(list)
        for member in members:
            by_kind[self._places[member.name].router] += [records[member.name]] if member.name in records else []
        asked = [
            partial(_unless_refused, routers.KINDS[kind].moved_groups, aws, mine) for kind, mine in by_kind.items()
        ]
        return dict(zip(by_kind, aws.side_by_side(asked), strict=True))


def _unless_refused(ask: Callable[..., Any], *given: Any) -> Any:
    """None where a right is lacking: that must not spoil what the others say, and is no answer either."""
    try:
        return ask(*given)
    except PermanentError as error:
        log.error("overview.refused", extra={"question": ask.__name__, "reason": error.message})
        return None


def _has_any(found: Collection[str] | None, names: Iterable[str]) -> bool | None:
    return None if found is None else any(name in found for name in names)
