"""The doctor's look at the groups themselves: do they exist, whose are they, may they change, does anything tick?

Must never write, and must never call a check passed that could not be made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from phoenix.cli.session import Session
from phoenix.errors import PhoenixError
from phoenix.views.doctor import Check

if TYPE_CHECKING:
    from phoenix.aws.session import Aws
    from phoenix.core.record import GroupRecord
    from phoenix.policy.loader import Library
    from phoenix.policy.model import Policy

SILENCE: Final = timedelta(minutes=10)
"""A rotation in flight is looked at every minute; none for this long means that nothing ticks."""
_MOST_NAMED: Final = 3


@dataclass(frozen=True, slots=True)
class Place:
    """One account, Region and role, and the policies whose groups are there. `groups` are those that AWS knows."""

    aws: Aws
    policies: tuple[Policy, ...]
    groups: Mapping[str, Mapping[str, Any]]
    records: Mapping[str, GroupRecord]

    @property
    def names(self) -> tuple[str, ...]:
        """The Auto Scaling groups that the policies name."""
        return tuple(dict.fromkeys(name for policy in self.policies for name in policy.fleet.slots().values()))

    def found_of(self, policy: Policy) -> list[Mapping[str, Any]]:
        """The Auto Scaling groups of one policy, as AWS describes them."""
        return [self.groups[name] for name in dict.fromkeys(policy.fleet.slots().values()) if name in self.groups]


def group_checks(session: Session, library: Library) -> list[Check]:
    """Return all checks of all policies' groups, wherever they are."""
    checks: list[Check] = []
    records = _records(session, library)
    if isinstance(records, PhoenixError):  # `store` says why
        records = {}
    else:
        checks.append(_schedule(session, records))
    for place in _places(session, library, records, checks):
        checks.append(_existing(place, library))
        marks = _marks(place)
        checks += [marks] if marks is not None else []
        checks += [
            _owner(session, place),
            _leftovers(place),
            _rights(session, library, place),
            quotas(place, session.wiring.clock.now()),
        ]
    return checks


def _records(session: Session, library: Library) -> Mapping[str, GroupRecord] | PhoenixError:
    try:
        return session.wiring.store().load_many(library.groups)
    except PhoenixError as error:
        return error


def _places(
    session: Session, library: Library, records: Mapping[str, GroupRecord], checks: list[Check]
) -> Iterator[Place]:
    from phoenix.aws.groups import read_batches
    from phoenix.wiring.from_policy import access_of

    by_access: dict[object, list[Policy]] = {}
    for _, found in sorted(library.policies.items()):
        by_access.setdefault(access_of(found.policy), []).append(found.policy)
    for policies in by_access.values():
        names = sorted({name for policy in policies for name in policy.fleet.slots().values()})
        try:
            aws = session.wiring.aws_of(policies[0].group)
            yield Place(aws, tuple(policies), read_batches(aws, names), records)
        except PhoenixError as error:
            checks.append(Check("groups", False, f"{_in_short(names)}: {error.message}", error.hint))


def _existing(place: Place, library: Library) -> Check:
    """Tell whether AWS knows the names; each one that it does not know comes with its place in its policy."""
    from phoenix.aws.groups import unknown_groups

    def place_of(name: str) -> str | None:
        places = (found.place_of(name) for found in library.policies.values())
        return next((place for place in places if place is not None), None)

    unknown = [name for name in place.names if name not in place.groups]
    if not unknown:
        return Check("groups", True, f"all Auto Scaling groups exist: {_in_short(place.names)}")
    error = unknown_groups(place.aws, unknown)
    return Check("groups", False, error.placed(place_of).replace("\n", "; "), error.hint)


def _marks(place: Place) -> Check | None:
    """Tell whether the owner has marked the groups as phoenix's to change. IAM decides; this only reports."""
    from phoenix.aws.groups import is_marked
    from phoenix.core.tags import MANAGED

    missing = [name for name, group in place.groups.items() if not is_marked(group)]
    if not place.groups:
        return None
    if not missing:
        return Check("marks", True, f"all Auto Scaling groups carry {MANAGED}=true")
    words = f"{', '.join(missing)}: without {MANAGED}=true, so that the rights of `phoenix iam` do not hold there"
    return Check(
        "marks", True, words, "docs/operations.md, Rights, lists the other resources that need that tag", warning=True
    )


def _owner(session: Session, place: Place) -> Check:
    """Two stores for one group mean two drivers that do not know of each other: the tag names the one that wrote."""
    from phoenix.core.tags import STORE, fitting

    try:
        ours = fitting(session.wiring.store().location)
    except PhoenixError as error:
        return Check("one store", False, error.message, error.hint)
    others = {
        name: said for name, group in place.groups.items() if (said := _tags(group).get(STORE)) not in (None, ours)
    }
    if not others:
        return Check("one store", True, "no group says that another store has its record")
    told = "; ".join(f"{name} belongs to {store}" for name, store in sorted(others.items())[:_MOST_NAMED])
    return Check(
        "one store",
        False,
        f"{told}, says its tag {STORE}; the store here is {ours}. Two drivers with two stores undo each other's work",
        "name that store in PHOENIX_STORE; if it is gone, phoenix repair --adopt undoes what it had in flight",
    )


def _leftovers(place: Place) -> Check:
    """What looks like phoenix's own and has no rotation: instances in Standby, and its lifecycle hook, at rest."""
    asked = [partial(_leftovers_of, place, policy) for policy in place.policies]
    try:
        found = [each for several in place.aws.side_by_side(asked) for each in several]
    except PhoenixError as error:
        return Check("left behind", False, error.message, error.hint)
    if not found:
        return Check("left behind", True, "no instance in Standby and no hook of phoenix's without a rotation")
    told, remedies = "; ".join(words for words, _ in found), [remedy for _, remedy in found]
    return Check("left behind", False, told, "\n".join(remedies))


def _leftovers_of(place: Place, policy: Policy) -> list[tuple[str, str]]:
    from phoenix.core.tags import CAPACITY, all_keys
    from phoenix.fleets.group_judgement import are, in_standby
    from phoenix.fleets.group_satellites import hooks_of
    from phoenix.fleets.in_place_calls import HOOK

    record = place.records.get(policy.group)
    if record is not None and record.in_flight is not None:
        return []
    found = []
    for group in place.found_of(policy):
        name = str(group["AutoScalingGroupName"])
        waiting = in_standby(group)
        if waiting and not {*_tags(group)} & {*all_keys((CAPACITY,))}:
            remedy = f"aws autoscaling exit-standby --auto-scaling-group-name {name} --instance-ids {' '.join(waiting)}"
            found.append((f"{are(waiting)} in Standby in {name}, not kept by phoenix", remedy))
        if policy.fleet.kind == "in_place" and any(h["LifecycleHookName"] == HOOK for h in hooks_of(place.aws, name)):
            remedy = (
                f"aws autoscaling delete-lifecycle-hook --auto-scaling-group-name {name} --lifecycle-hook-name {HOOK}"
            )
            found.append((f"the lifecycle hook {HOOK} holds new instances of {name} without a rotation", remedy))
    return found


def _schedule(session: Session, records: Mapping[str, GroupRecord]) -> Check:
    """Tell whether rotations in flight are advanced. A rotation that is held waits for a person, not for a tick."""
    from phoenix.core.explain import ago, counted

    now = session.wiring.clock.now()
    in_flight = [r.in_flight for r in records.values() if r.in_flight is not None and r.in_flight.held is None]
    silent = {r.group: now - (r.looked_at or r.started_at) for r in in_flight}
    silent = {name: since for name, since in silent.items() if since > SILENCE}
    if silent:
        told = ", ".join(f"{name} for {ago(since)}" for name, since in sorted(silent.items()))
        return Check(
            "schedule",
            False,
            f"nothing has advanced {told}, though a rotation is in flight there",
            "phoenix tick goes on with all of them; does cron or the Lambda function run? docs/operations.md",
        )
    moving = f"{counted(len(in_flight), 'rotation')} in flight, each advanced within {ago(SILENCE)}"
    return Check("schedule", True, moving if in_flight else "nothing is in flight, so nothing has to tick")


def _rights(session: Session, library: Library, place: Place) -> Check:
    """Let IAM simulate every call of a rotation. Reads are also tried by themselves: those answers count more."""
    from phoenix.aws import simulation
    from phoenix.aws.rights import Role
    from phoenix.wiring.rights import Where, own_rights

    acting_as = place.policies[0].role_arn
    settings = session.wiring.settings
    try:
        caller = place.aws.call("sts", "get_caller_identity")
        account = str(caller["Account"])
        region = place.aws.region or ""
        names = {"account": (account,), "region": (region,), "partition": (str(caller["Arn"]).split(":")[1],)}
        where = Where(settings.policies, settings.store, settings.advance, acting_as, names)
        wanted = [right for right in own_rights(library, where) if Role.ROTATE in right.roles]
        principal = simulation.principal_of(str(caller["Arn"]))
        if principal.endswith(":root"):
            return Check("rights", True, "the account's root user may do everything; a role of its own is safer")
        refused = simulation.refused(place.aws, principal, wanted)
    except PhoenixError as error:
        words = f"writes are not simulated: {error.message}"
        return Check("rights", True, words, f"who may call {simulation.ASKS} can run this check", warning=True)
    if not refused:
        return Check("rights", True, f"{principal} may make all calls of a rotation, says IAM's simulator")
    return Check(
        "rights", False, f"{principal} may not: {_in_short(refused)}", "phoenix iam prints the document that it needs"
    )


def quotas(place: Place, now: datetime) -> Check:
    """Tell whether the vCPU quotas leave room for the largest group beside itself."""
    from phoenix.fleets.group_quota import Demand, find_quota, quota_of

    largest: dict[str, Demand] = {}
    for group in place.groups.values():
        kinds = {str(each.get("InstanceType")) for each in group.get("Instances", ())} - {"None"}
        # Of several types, or of spot instances, no one quota tells.
        code = quota_of(kind := kinds.pop()) if len(kinds) == 1 and not group.get("MixedInstancesPolicy") else None
        count = len(group.get("Instances", ()))
        if code is not None and (code not in largest or largest[code].count < count):
            largest[code] = Demand(kind, count, now)

    def look(demand: Demand) -> Any:
        return list(find_quota(place.aws, demand))

    try:
        asked: list[Callable[[], Any]] = [partial(look, demand) for demand in largest.values()]
        found = [blocker for blockers in place.aws.side_by_side(asked) for blocker in blockers]
    except PhoenixError as error:
        return Check(
            "quotas", True, f"not checked: {error.message}", error.hint or "phoenix plan asks again", warning=True
        )
    if not found:
        return Check(
            "quotas", True, "room for the largest group twice" if largest else "no group whose quota can be told"
        )
    return Check("quotas", False, "; ".join(b.text for b in found), "\n".join(b.remedy or "" for b in found))


def _tags(group: Mapping[str, Any]) -> dict[str, str]:
    return {str(tag["Key"]): str(tag.get("Value", "")) for tag in group.get("Tags", ())}


def _in_short(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
