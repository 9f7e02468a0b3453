"""Blockers of a start that moves weights in records of Route 53. Reads only.

Must never leave out a record of the name because it is not one of the pair's: Route 53 counts the weights of all.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, Final

from phoenix.aws.checks import Check, make_checks
from phoenix.aws.session import Aws
from phoenix.core.blocker import Blocker
from phoenix.core.model import Route, Slot, SlotState
from phoenix.core.tags import MANAGED
from phoenix.core.terms import Terms
from phoenix.errors import NotFound
from phoenix.routers import balancer_pair
from phoenix.routers.forwarding import is_at
from phoenix.routers.record_names import listed_name
from phoenix.routers.records import Balancers, Place, Record, Records, RecordSets, target_of, ttl_of

IAM_ACTIONS: Final = balancer_pair.IAM_ACTIONS
_OF_RECORDS: Final = (
    "no-records",
    "record-missing",
    "not-weighted",
    "traffic-policy",
    "other-records",
    "weights-elsewhere",
    "weights-differ",
    "weight-on-both-slots",
    "slow-to-follow",
    "record-health",
)
CHECKS: Final = (
    "no-target-group",
    "unknown-target-group",
    "one-load-balancer",
    "unknown-hosted-zone",
    *_OF_RECORDS,
    "zone-unmarked",
    "twin-zone",
    *balancer_pair.CHECKS,
)
_SPREADS_IN: Final = timedelta(seconds=60)
"""Changes reach all of Route 53's servers "generally within 60 seconds" (API_ChangeResourceRecordSets)."""


@dataclass(frozen=True, slots=True)
class Start:
    """The start that is asked about."""

    slots: Mapping[Slot, SlotState]
    live: Slot
    terms: Terms


def find_blockers(aws: Aws, start: Start) -> list[Blocker]:
    """Everything at once; without a load balancer for each slot there is nothing more to look at."""
    bare = [_without_target_group(slot) for slot in start.slots.values() if not slot.target_groups]
    if bare:
        return bare
    arns = {slot: state.target_groups for slot, state in start.slots.items()}
    records = Records(aws)
    balancers = records.balancers_of(arns)
    if set(balancers.values()) != set(Slot):
        return [_not_apart(start, balancers)]
    place = Place.read(start.terms.routed_at)
    found = _in_zone(aws, records, place, balancers, start)
    return [*found, *balancer_pair.find_blockers(aws, start.slots, start.live)]


def _without_target_group(slot: SlotState) -> Blocker:
    name = slot.auto_scaling_group
    return Blocker(
        "no-target-group",
        f"Auto Scaling group {name}",
        f"{name} registers its instances with no target group, so no load balancer could answer for it.",
        f"aws autoscaling attach-traffic-sources --auto-scaling-group-name {name} \\\n"
        "    --traffic-sources Identifier=<target group ARN>,Type=elbv2",
        unchecked=CHECKS,
    )


def _not_apart(start: Start, balancers: Balancers) -> Blocker:
    bare = [start.slots[slot] for slot in Slot if slot not in balancers.values()]
    names = " and ".join(state.auto_scaling_group for state in bare)
    arns = " ".join(arn for state in bare for arn in state.target_groups)
    return Blocker(
        "one-load-balancer",
        "load balancers",
        f"{names}: not behind a load balancer of {'its' if len(bare) == 1 else 'their'} own, to which a record could"
        " answer for this slot alone. With one load balancer for both slots write `traffic: {kind: alb}` or `nlb`; what"
        " is in front of them:",
        f"aws elbv2 describe-target-groups --target-group-arns {arns}",
        unchecked=CHECKS,
    )


def _in_zone(aws: Aws, records: Records, place: Place, balancers: Balancers, start: Start) -> list[Blocker]:
    try:
        sets = records.read([place])
    except NotFound as error:
        remedy = "aws route53 list-hosted-zones   shows the zones of this account"
        told = f"{place.zone}, the policy's zone: {error.message}"
        return [Blocker("unknown-hosted-zone", f"hosted zone {place.zone}", told, remedy, unchecked=_OF_RECORDS)]
    zone_checks = [
        Check("tags of the hosted zone", ("zone-unmarked",), partial(_in_mark, records, place)),
        Check("other hosted zones", ("twin-zone",), partial(_in_twins, records, place)),
    ]
    return [*judge_records(sets, balancers, place, start), *make_checks(aws, zone_checks)]


# --- records ----------------------------------------------------------------------------------------------------------


def judge_records(sets: Sequence[RecordSets], balancers: Balancers, place: Place, start: Start) -> Iterator[Blocker]:
    """Judge the records of the policy's name."""
    ours = [each for each in sets if any(target_of(record) in balancers for record in each.records)]
    if not ours:
        yield _no_records(place, balancers)
    for each in ours:
        yield from _in_policies(each)
        yield from _in_pair(each, balancers)
        yield from _in_patience(each, start.terms)
        yield from _in_health(each, balancers)
    yield from _in_weights([each for each in ours if set(each.of(balancers)) == set(Slot)], balancers, start)


def _no_records(place: Place, balancers: Balancers) -> Blocker:
    names = ", ".join(sorted(balancers))
    return Blocker(
        "no-records",
        f"records {place.name}",
        f"no record of {place.name} answers with one of {names}. Make two weighted alias records of each type, one for"
        " each load balancer, the live one's with weight 100 and the other's with 0. What there is:",
        _look_at(place),
        unchecked=_OF_RECORDS,
    )


def _in_policies(sets: RecordSets) -> Iterator[Blocker]:
    if sets.others:
        yield Blocker(
            "not-weighted",
            f"records {sets.name}",
            f"{sets.name} has a record with {_policy_of(sets.others[0])}: only weights can be moved, and AWS lets no"
            " other kind stand beside them. Make the records of this name weighted ones:",
            _look_at(sets.place),
        )
    if any("TrafficPolicyInstanceId" in record for record in sets.records):
        yield Blocker(
            "traffic-policy",
            f"records {sets.name}",
            f"{sets.name} was made by a traffic policy, and AWS refuses to change it by itself. Make plain weighted"
            " records instead; the policy's instances:",
            f"aws route53 list-traffic-policy-instances-by-hosted-zone --hosted-zone-id {sets.place.zone}",
        )


def _in_pair(sets: RecordSets, balancers: Balancers) -> Iterator[Blocker]:
    found = sets.of(balancers)
    missing = [slot for slot in Slot if slot not in found]
    if missing and not sets.others:
        name = next(name for name, slot in balancers.items() if slot is missing[0])
        yield Blocker(
            "record-missing",
            f"records {sets.name}",
            f"{sets.name} has no weighted record for {missing[0]}, whose load balancer is {name}. Make one like"
            f" {missing[0].other}'s, with weight 0; a type that only one slot has would not move:",
            _look_at(sets.place),
        )
    doubled = [record for records in found.values() for record in records[1:]]
    strangers = [
        record
        for record in sets.records
        if "Weight" in record and int(record["Weight"]) and target_of(record) not in balancers
    ]
    if doubled or strangers:
        shown = ", ".join(str(record.get("SetIdentifier")) for record in (*doubled, *strangers))
        yield Blocker(
            "other-records",
            f"records {sets.name}",
            f"{sets.name} also answers with {shown}: a part of the clients would never reach either slot, or reach one"
            " by two records. Let one record for each slot have all of the weight:",
            _command(sets, [{**record, "Weight": 0} for record in (*strangers, *doubled)]),
        )


def _in_patience(sets: RecordSets, terms: Terms) -> Iterator[Blocker]:
    """A step has to last until clients have asked again, or its gates judge the weights of the step before."""
    ttl = timedelta(seconds=max(ttl_of(record) for record in sets.records))
    needed = ttl + _SPREADS_IN
    bakes = [step.bake for step in terms.steps if step.bake is not None and step.new_weight > 0]
    short = [("propagation", terms.propagation)] if terms.propagation < ttl else []
    short += [("bake", min(bakes))] if bakes and min(bakes) < needed else []
    if short:
        shown = " and ".join(f"{name} is {_seconds(length)}" for name, length in short)
        yield Blocker(
            "slow-to-follow",
            f"records {sets.name}",
            f"clients keep an answer for {_seconds(ttl)} (its TTL), and Route 53 needs up to {_seconds(_SPREADS_IN)} to"
            f" change it everywhere, but {shown} in the policy: a step would be judged, or the old generation emptied,"
            f" before clients have followed. Write a propagation of {_seconds(ttl)} and bakes of {_seconds(needed)} at"
            " least, or lower the TTL.",
            _look_at(sets.place),
        )


def _in_health(sets: RecordSets, balancers: Balancers) -> Iterator[Blocker]:
    judged = [
        record
        for records in sets.of(balancers).values()
        for record in records
        if "HealthCheckId" in record or record.get("AliasTarget", {}).get("EvaluateTargetHealth")
    ]
    if judged:
        shown = ", ".join(str(record.get("SetIdentifier")) for record in judged)
        yield Blocker(
            "record-health",
            f"records {sets.name}",
            f"{shown}: Route 53 leaves out a record whose health is bad, whatever its weight, and answers with a record"
            " of weight 0 where no other is healthy. So a share may be another one than the weights say while a load"
            " balancer has no healthy target; and one that is cold may be answered with. phoenix reads weights only.",
            _look_at(sets.place),
            warning=True,
        )


def _in_weights(sets: Sequence[RecordSets], balancers: Balancers, start: Start) -> Iterator[Blocker]:
    live = start.live
    routes = {each.name: (each, each.route(balancers)) for each in sets}
    astray = [(each, route) for each, route in routes.values() if not is_at(route, live, 100)]
    if not astray:
        return
    mended = "\n".join(_command(each, _given_to(each, balancers, live)) for each, _ in astray)
    shares = {route.percent(live) for _, route in routes.values()}
    name, told = _judge_shares(shares, live, [route for _, route in routes.values()])
    yield Blocker(name, f"records {astray[0][0].place.name}", told, mended)


def _judge_shares(shares: set[int], live: Slot, routes: Sequence[Route]) -> tuple[str, str]:
    if shares == {0}:
        return "weights-elsewhere", (
            f"{live} is live, says the record, but {live.other} has all of the traffic: another writer has moved it."
            f" `phoenix rollback` makes {live.other} the live one for phoenix too. Only if the traffic does belong to"
            f" {live}:"
        )
    if len(shares) > 1:
        shown = ", ".join(f"{route.name} {route.percent(live)} %" for route in routes)
        told = f"{live} has different shares: {shown}. They are moved together, so they have to agree first."
        return "weights-differ", told
    share = shares.pop()
    equal = " (all weights 0 mean that Route 53 answers with all records equally often)" if share == 50 else ""
    return "weight-on-both-slots", (
        f"{live} has {share} %, {live.other} {100 - share} %{equal}; at rest one slot has all of it."
    )


# --- the hosted zone --------------------------------------------------------------------------------------------------


def _in_mark(records: Records, place: Place) -> Iterator[Blocker]:
    if not records.marked([place.zone]):
        yield Blocker(
            "zone-unmarked",
            f"hosted zone {place.zone}",
            f"without the tag {MANAGED}=true. Records have no tags, so the zone's is the owner's word that phoenix may"
            " move weights in it; a rollback that has neither policy nor record finds them by it alone.",
            f"aws route53 change-tags-for-resource --resource-type hostedzone --resource-id {place.zone} \\\n"
            f"    --add-tags Key={MANAGED},Value=true",
        )


def _in_twins(records: Records, place: Place) -> Iterator[Blocker]:
    """One zone may be public and the other private: clients in a VPC ask the private one, all others the public one."""
    labels = place.name.split(".")
    parents = {".".join(labels[start:]) for start in range(len(labels) - 1)}
    zones = records.zones_above(parents)
    mine = next((each for each in zones if _id_of(each) == place.zone), None)
    twins = [each for each in zones if mine is not None and each is not mine and each["Name"] == mine["Name"]]
    if twins:
        yield Blocker(
            "twin-zone",
            f"hosted zone {place.zone}",
            f"{_id_of(twins[0])} is also called {listed_name(str(twins[0]['Name']))}: clients whose resolver asks that"
            " one, such as those in the VPCs of a private zone, do not follow the weights in this one.",
            f"aws route53 list-resource-record-sets --hosted-zone-id {_id_of(twins[0])} \\\n"
            f"    --start-record-name {place.name} --max-items 4",
            warning=True,
        )


# --- words ------------------------------------------------------------------------------------------------------------


def _policy_of(record: Record) -> str:
    kinds = {
        "Region": "latency routing",
        "Failover": "failover routing",
        "GeoLocation": "geolocation routing",
        "GeoProximityLocation": "geoproximity routing",
        "CidrRoutingConfig": "IP-based routing",
        "MultiValueAnswer": "multivalue answers",
    }
    return next((words for key, words in kinds.items() if key in record), "simple routing")


def _given_to(sets: RecordSets, balancers: Balancers, live: Slot) -> list[dict[str, Any]]:
    found = sets.of(balancers)
    return [{**record, "Weight": 100 if slot is live else 0} for slot, each in found.items() for record in each]


def _command(sets: RecordSets, records: Sequence[Record]) -> str:
    changes = [{"Action": "UPSERT", "ResourceRecordSet": record} for record in records]
    written = json.dumps({"Changes": changes}, separators=(",", ":"))
    return (
        f"aws route53 change-resource-record-sets --hosted-zone-id {sets.place.zone} \\\n    --change-batch '{written}'"
    )


def _look_at(place: Place) -> str:
    return (
        f"aws route53 list-resource-record-sets --hosted-zone-id {place.zone} \\\n"
        f"    --start-record-name '{place.name}' --max-items 10"
    )


def _id_of(zone: Mapping[str, Any]) -> str:
    return str(zone["Id"]).rpartition("/")[2]


def _seconds(length: timedelta) -> str:
    return f"{length.total_seconds():.0f}s"
