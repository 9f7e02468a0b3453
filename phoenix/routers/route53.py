"""Weights between two load balancers, one for each slot: in weighted records of Route 53.

They are weights of answers, not of requests: a client goes on with the answer that it has until it asks again, and on a
connection that is open. Must never make or delete a record, nor change anything in one but its weight.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, Final

from phoenix.aws.late import late
from phoenix.aws.rights import WRITERS, Condition, Names, Right, Rights, reads
from phoenix.aws.scope import Scope
from phoenix.aws.session import Aws
from phoenix.core.action import SetWeights
from phoenix.core.blocker import UNKNOWN_AHEAD, Ahead, Blocker
from phoenix.core.model import Route, Slot, SlotState
from phoenix.core.record import GroupRecord
from phoenix.errors import AccessDenied, NotFound, PermanentError
from phoenix.ports import Traffic
from phoenix.routers import listeners
from phoenix.routers.forwarding import Arns, is_at
from phoenix.routers.listeners import Listeners
from phoenix.routers.record_names import listed_name
from phoenix.routers.records import TYPES, Balancers, Place, Records, RecordSets
from phoenix.routers.weightless import PlainRouter
from phoenix.routers.writing import refuse_foreign, verified

_OURS: Final = "route53:ChangeResourceRecordSets"


def _rights() -> Rights:
    from phoenix.routers import records, route53_blockers

    conditions = (
        Condition("ForAllValues:StringEquals", f"{_OURS}NormalizedRecordNames", ("${record_name}",)),
        Condition("ForAllValues:StringEquals", f"{_OURS}RecordTypes", TYPES),
        Condition("ForAllValues:StringEquals", f"{_OURS}Actions", ("UPSERT",)),
        # "All of none" is true as well.
        Condition("Null", f"{_OURS}NormalizedRecordNames", ("false",)),
    )
    shift = Right(_OURS, "ShiftRecords", WRITERS, ("${hosted_zone_arn}",), conditions)
    seen = reads("route53:GetChange", roles=WRITERS)
    return frozenset({shift}) | seen | records.IAM_ACTIONS | listeners.READ_HEALTH | route53_blockers.IAM_ACTIONS


def _checks() -> tuple[str, ...]:
    from phoenix.routers import route53_blockers

    return route53_blockers.CHECKS


class Route53Router(PlainRouter):
    """Weighted records of one name, of which each slot has one of each type."""

    WEIGHTS: ClassVar = True
    HEALTH: ClassVar = True
    APART: ClassVar = True
    PROTOCOLS: ClassVar = frozenset({"HTTP", "HTTPS", "TCP", "TLS", "UDP", "TCP_UDP", "QUIC", "TCP_QUIC"})
    ROUTES: ClassVar = ":hostedzone/"
    uncounted: ClassVar = "the weights are those of answers: how many requests a client sends upon one is its own"
    IAM_ACTIONS: ClassVar[Rights] = late(_rights)
    checks: ClassVar[tuple[str, ...]] = late(_checks)

    def __init__(self, scope: Scope) -> None:
        self._aws = scope.aws
        self._sleep = scope.clock.sleep
        self._terms = scope.terms
        self._records = Records(scope.aws)
        self._listeners = Listeners(scope.aws)
        self._balancers: dict[tuple[tuple[str, ...], ...], Balancers] = {}
        self._changes: list[str] = []
        """Ids of our own changes that AWS has not called INSYNC yet, as far as this process knows."""

    @staticmethod
    def iam_names(keys: Any) -> Names:
        """The hosted zone and the name of the policy's records."""
        zone = f"arn:${{partition}}:route53:::hostedzone/{keys.zone}"
        return {"hosted_zone_arn": (zone,), "record_name": (listed_name(keys.name),)}

    @staticmethod
    def moved_groups(aws: Aws, records: Iterable[GroupRecord]) -> frozenset[str]:
        """Groups at rest whose records do not answer with the live slot's load balancer alone: three calls for each."""
        at_rest = [each for each in records if each.in_flight is None and each.live is not None and each.routes]
        moved = aws.side_by_side([partial(_is_moved, Records(aws), record) for record in at_rest])
        return frozenset(record.group for record, is_moved in zip(at_rest, moved, strict=True) if is_moved)

    def find(self, target_groups: Arns) -> tuple[Route, ...]:
        """The records of the policy's name; without a policy those of any name in the hosted zones with the mark."""
        balancers = self._know(target_groups, afresh=True)
        return self._routes(self._search(balancers), balancers)

    def observe(self, target_groups: Arns, routes: Sequence[str], want_health: frozenset[Slot]) -> Traffic:
        """One call for the records, and one for each target group, side by side; also one for a change that Route 53 is
        still bringing to its servers."""
        wanted = [(slot, arn) for slot in Slot if slot in want_health for arn in target_groups.get(slot, ())]
        calls: list[Callable[[], Any]] = [partial(self._look, routes, target_groups)]
        calls += [partial(self._listeners.read_health, arn) for _, arn in wanted]
        found, *health = self._aws.side_by_side(calls)
        seen = {
            slot: listeners.counted(
                [each for (of, _), each in zip(wanted, health, strict=True) if of is slot and each is not None]
            )
            for slot in want_health
        }
        return Traffic(
            routes=found,
            health={slot: {i: h.state for i, h in each.items()} for slot, each in seen.items()},
            words={slot: {i: h.words for i, h in each.items() if h.words} for slot, each in seen.items()},
        )

    def shift(self, action: SetWeights, target_groups: Arns, routes: Sequence[str]) -> tuple[Route, ...]:
        """Set the weights of all records in one change for each hosted zone, which AWS makes whole or not at all.

        Raises:
            ForeignWeights: a raise found a share outside `only_from`; nothing was written.
            PermanentError: a record is gone, so its slot cannot be given its share.
            TransientError: AWS accepted the change, but does not show it yet, or is busy with another one.
        """
        balancers = self._know(target_groups)
        sets = self._read_or_search(routes, balancers)
        found = self._routes(sets, balancers)
        if action.only_from:
            refuse_foreign(found, action)
        ours = [each for each in sets if each.of(balancers)]
        changes: dict[str, list[dict[str, Any]]] = {}
        for each, route in zip(ours, found, strict=True):
            if not is_at(route, action.slot, action.percent):
                changes.setdefault(each.place.zone, []).extend(_changes(each, balancers, action))
        if not changes:
            return found
        self._aws.side_by_side([partial(self._write, zone, batch) for zone, batch in changes.items()])
        places = [each.place for each in ours]
        return verified(lambda: self._routes(self._records.read(places), balancers), action, self._sleep)

    def serves_by_zone(self, target_groups: Arns) -> bool:
        """True when a load balancer of either slot serves each zone by itself, as Network ones do by default."""
        from phoenix.routers.network_zones import is_any_zonal
        from phoenix.routers.target_blockers import attributes_if_there, is_cross_zone_off

        arns = [arn for each in target_groups.values() for arn in each]
        network = {
            str(group["TargetGroupArn"])
            for group in self._listeners.existing(arns)
            if group.get("Protocol") not in ("HTTP", "HTTPS")
        }
        zonal = {slot: [arn for arn in each if arn in network] for slot, each in target_groups.items()}
        if network and is_any_zonal(self._aws, self._listeners, zonal):
            return True
        read = [partial(attributes_if_there, self._aws, arn) for arn in arns if arn not in network]
        return any(is_cross_zone_off(found) for found in self._aws.side_by_side(read) if found is not None)

    def find_blockers(
        self, slots: Mapping[Slot, SlotState], live: Slot, ahead: Ahead = UNKNOWN_AHEAD
    ) -> Sequence[Blocker]:
        """All blockers at once, from fresh reads."""
        from phoenix.routers.route53_blockers import Start, find_blockers

        return find_blockers(self._aws, Start(slots, live, self._terms))

    # --- records ------------------------------------------------------------------------------------------------------

    def _know(self, target_groups: Arns, *, afresh: bool = False) -> Balancers:
        """The load balancers of these target groups: read once, as a name never changes."""
        key = tuple(tuple(sorted(target_groups.get(slot, ()))) for slot in Slot)
        if afresh or key not in self._balancers:
            self._balancers[key] = self._records.balancers_of(target_groups)
        return self._balancers[key]

    def _look(self, routes: Sequence[str], target_groups: Arns) -> tuple[Route, ...]:
        if not routes:
            return ()
        balancers = self._know(target_groups)
        return self._routes(self._read_or_search(routes, balancers), balancers)

    def _search(self, balancers: Balancers) -> list[RecordSets]:
        if self._terms.routed_at:
            return self._records.read([Place.read(self._terms.routed_at)])
        return self._records.search(balancers)

    def _read_or_search(self, routes: Sequence[str], balancers: Balancers) -> list[RecordSets]:
        try:
            found = self._records.read(map(Place.read, routes))
        except NotFound:
            found = []
        known = {each.arn for each in found if each.of(balancers)}
        return found if known >= set(routes) else self._search(balancers)

    def _routes(self, sets: Sequence[RecordSets], balancers: Balancers) -> tuple[Route, ...]:
        spreading = self._is_spreading()
        return tuple(each.route(balancers, spreading=spreading) for each in sets if each.of(balancers))

    def _write(self, zone: str, changes: list[dict[str, Any]]) -> None:
        batch = {"Comment": "weights, by phoenix", "Changes": changes}
        answer = self._aws.call("route53", "change_resource_record_sets", HostedZoneId=zone, ChangeBatch=batch)
        if answer["ChangeInfo"]["Status"] != "INSYNC":
            self._changes.append(str(answer["ChangeInfo"]["Id"]).rpartition("/")[2])

    def _is_spreading(self) -> bool:
        """True while a change of our own is PENDING. Another process does not know of it, and only waits longer."""
        self._changes = [change for change in self._changes if self._is_pending(change)]
        return bool(self._changes)

    def _is_pending(self, change: str) -> bool:
        try:
            found = self._aws.call("route53", "get_change", Id=change)
        except (NotFound, AccessDenied):
            return False
        return bool(found["ChangeInfo"]["Status"] == "PENDING")


def _changes(sets: RecordSets, balancers: Balancers, action: SetWeights) -> list[dict[str, Any]]:
    """Both slots' records as they are, with their new weights. Per cent fit as they are: weights go up to 255."""
    found = sets.of(balancers)
    wanted = {action.slot: action.percent, action.slot.other: 100 - action.percent}
    gone = [slot for slot, percent in wanted.items() if percent and slot not in found]
    if gone:
        raise PermanentError(
            f"{sets.name} has no weighted record any more that answers with {gone[0]}'s load balancer",
            hint=f"aws route53 list-resource-record-sets --hosted-zone-id {sets.place.zone}"
            f" --start-record-name {sets.place.name}   shows the others; make it again as it was",
        )
    return [
        {"Action": "UPSERT", "ResourceRecordSet": {**record, "Weight": 0 if later else wanted[slot]}}
        for slot, records in found.items()
        for later, record in enumerate(records)
    ]


def _is_moved(records: Records, record: GroupRecord) -> bool:
    assert record.live is not None  # noqa: S101 - the caller has seen to it
    balancers = records.balancers_of(record.target_groups)
    try:
        sets = {each.arn: each for each in records.read(map(Place.read, record.routes))}
    except NotFound:
        return True
    found = [sets.get(arn) for arn in record.routes]
    return any(each is None or each.route(balancers).percent(record.live.slot) != 100 for each in found)
