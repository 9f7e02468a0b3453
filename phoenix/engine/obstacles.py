"""Everything in the way of a start, all at once, each with what mends it. Reads only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from phoenix.core.blocker import Ahead, Blocker
from phoenix.core.capacity import extremes
from phoenix.core.explain import ago, name_of
from phoenix.core.model import Outcome, Slot
from phoenix.core.ownership import other_groups
from phoenix.core.remedy import Empty, KeepOldInstances, LeaveTargetGroups, Resize, ShowTargetGroups
from phoenix.engine.bases import find_old_base
from phoenix.engine.group import Desk, Group, Ports
from phoenix.engine.many.rules import find_rule_blockers
from phoenix.engine.request import RotateRequest
from phoenix.engine.survey import NO_LIVE, Survey

CHECKS: Final = (
    "shared-target-group",
    "no-live-slot",
    "paused",
    "drill",
    "quarantine",
    "capacity",
    "empty",
    "freeze",
    "window",
    "no-image",
    "in-flight",
    "last-bake",
    "two-lifetimes",
    "weights-moved",
    "limit",
    "breaker",
    "ignored-in-vain",
    "other-groups",
    "base-old",
)
_MOST_REASONS: Final = 3
_WEIGHTS: Final = frozenset({"weights-elsewhere", "weights-differ", "weight-on-both-slots", "no-traffic", "not-routed"})


def checks_of(group: Group) -> tuple[str, ...]:
    """Names of everything that is looked at before a start; each is called like the blocker that it would yield.

    Once, also where an adapter looks for the same."""
    return tuple(dict.fromkeys((*CHECKS, *_checks_of_others(group))))


def find_obstacles(group: Group, request: RotateRequest, found: Survey, lasts: timedelta) -> Iterator[Blocker]:
    """Blockers and warnings for a start that is due and would take at least `lasts`."""
    shared = found.seen.shared_target_groups
    if shared:
        yield _both_in(group, found, shared)
        return
    if found.live is NO_LIVE:
        yield _no_live_slot(group, found)
        return
    flying = found.record.in_flight
    if flying is not None:
        remedy = f"phoenix status --group {group.name}"
        text = f"{flying.id} is in flight: {flying.waiting_for or 'starting'}."
        yield Blocker("in-flight", group.name, text, remedy, unchecked=(*CHECKS, *_checks_of_others(group)))
        return
    yield from _own(group, request, found)
    yield from _last_bake(group, found)
    yield from _owner_capacity(group, found)
    yield from _calendar(group, request, found.seen.at, lasts)
    yield from find_rule_blockers(group, request)
    live, need = found.live.slot, found.live_state.desired
    if found.image is None:
        yield _no_image(group, found)
    yield from find_old_base(group, found)
    ahead = Ahead(lasts, extremes(need, found.terms.steps).peak - need)
    if found.image is not None:
        yield from group.fleet.find_blockers(live, found.image, need, ahead)
    yield from group.router.find_blockers(found.seen.slots, live, ahead)
    for station in (*group.registries, *group.orchestrators):
        yield from station.find_blockers(found.seen.slots, live)
    yield from _two_lifetimes(group, found)
    yield from _gates(group, request, found)


def _no_image(group: Group, found: Survey) -> Blocker:
    """The reasons against the newest ones tell an owner what has to be mended."""
    why = "; ".join(f"{each.image.name or each.image.id}: {each.rejected}" for each in found.candidates[:_MOST_REASONS])
    text = f"No image fits the policy. {why}." if why else "No image fits the policy."
    remedy = f"phoenix images --group {group.name}"
    return Blocker("no-image", "images", text, remedy, unchecked=group.fleet.checks)


def _gates(group: Group, request: RotateRequest, found: Survey) -> Iterator[Blocker]:
    """The gates' objections; one that an operator passes over by name becomes a warning."""
    vain = set(request.by_name)
    for gate in group.gates:
        for blocker in gate.find_blockers(found.seen.slots, found.live.slot):
            is_passed = blocker.ignorable and blocker.ignored_as in request.ignore
            vain.discard(blocker.ignored_as if is_passed else "")
            yield _passed_over(blocker) if is_passed else blocker
    for name in sorted(vain):
        text = f"--ignore {name} passes over nothing: no gate of this policy objects to it."
        yield Blocker("ignored-in-vain", group.name, text, warning=True)


def _passed_over(blocker: Blocker) -> Blocker:
    text = f"{blocker.where} rings, and is passed over by name. It counts again once it has been OK."
    return replace(blocker, text=text, remedy=None, warning=True)


def _checks_of_others(group: Ports) -> tuple[str, ...]:
    gates = tuple(name for gate in group.gates for name in gate.checks)
    stations = tuple(name for station in (*group.registries, *group.orchestrators) for name in station.checks)
    return (*group.fleet.checks, *group.router.checks, *gates, *stations)


def _both_in(group: Group, found: Survey, shared: Sequence[str]) -> Blocker:
    """Weights tell nothing then, not even the live slot. Only a group without instances loses none by a detachment."""
    slots = found.seen.slots
    names = [state.auto_scaling_group for state in slots.values()]
    called = " and ".join(map(name_of, shared))
    text = (
        f"{' and '.join(names)} both register with target group {called}, so no weight can tell the generations apart."
        " Each needs a target group of its own."
    )
    idle = next((s for s in Slot if slots[s].desired == 0 and not slots[s].instances), None)
    if idle is not None:
        name = slots[idle].auto_scaling_group
        text += f" {name} has no instances, so it can leave this one without loss:"
        remedy = group.fleet.command(LeaveTargetGroups(idle, tuple(shared)))
    else:
        text += (
            " Both have instances, and one that is detached deregisters all of its own: do so only once the others can"
            " carry the traffic. What each has now is shown by:"
        )
        remedy = "\n".join(group.fleet.command(ShowTargetGroups(slot)) for slot in slots)
    where = f"Auto Scaling groups {' and '.join(names)}"
    return Blocker("shared-target-group", where, text, remedy, unchecked=(*CHECKS, *_checks_of_others(group)))


def _no_live_slot(group: Group, found: Survey) -> Blocker:
    slots = found.seen.slots
    seen = [f"{s.auto_scaling_group}: desired {s.desired}" for s in slots.values()]
    seen += [f"{r.name}: blue {r.percent(Slot.BLUE)} %, green {r.percent(Slot.GREEN)} %" for r in found.seen.routes]
    likely = max(Slot, key=lambda slot: sum(i.in_service for i in slots[slot].instances))
    whole = "traffic" if group.terms.serving.weights else "instances"
    text = (
        f"Neither or both of the two slots are live ({'; '.join(seen)}). One of them must have all {whole}. If that is"
        f" {likely}:"
    )
    unchecked = (*CHECKS, *_checks_of_others(group))
    return Blocker("no-live-slot", group.name, text, _gives_all_to(group, found, likely), unchecked=unchecked)


def _gives_all_to(group: Group, found: Survey, slot: Slot) -> str:
    """The command that makes this slot the live one."""
    slots = found.seen.slots
    if group.terms.serving.weights:
        said = [b for b in group.router.find_blockers(slots, slot) if b.name in _WEIGHTS and b.remedy]
        return "\n".join(str(b.remedy) for b in said) or f"phoenix status --group {group.name}"
    return group.fleet.command(Resize(slot) if slots[slot.other].desired == 0 else Empty(slot.other))


def _own(group: Group, request: RotateRequest, found: Survey) -> Iterator[Blocker]:
    """Blockers that phoenix itself has set: a pause, a quarantine."""
    paused = found.record.paused
    if paused is not None:
        why = f": {paused.reason}" if paused.reason else ""
        text = f"Paused by {paused.by} at {paused.at:%Y-%m-%d %H:%M} UTC{why}."
        yield Blocker("paused", group.name, text, f"phoenix resume --group {group.name}")
    drill = found.record.drill_in_flight
    if drill is not None:
        yield Blocker("drill", group.name, f"{drill.sentence}.", f"phoenix abort --group {group.name}")
    if group.awaited:
        told = other_groups(found.record, group.awaited) or f"The policy names {' and '.join(group.awaited)} now."
        yield Blocker("other-groups", group.name, told, f"phoenix status --group {group.name}")
    image = found.image.id if found.image else None
    entry = next((q for q in found.record.quarantine if q.image == image), None)
    if entry is not None and "quarantine" not in request.ignore:
        text = f"Rolled back from at {entry.at:%Y-%m-%d %H:%M} UTC ({entry.cause.value}): {entry.reason}"
        yield Blocker("quarantine", entry.image, text, _releases(group, found, entry.image), ignorable=True)


def _releases(group: Desk, found: Survey, image: str) -> str:
    """`retry` is about the last rotation only; it refuses where that was not the one rolled back."""
    last = found.record.rotation
    was_last = last is not None and last.outcome is Outcome.ROLLED_BACK and last.new.image == image
    command = "retry" if was_last else f"images release {image}"
    return f"phoenix {command} --group {group.name}"


def _last_bake(group: Group, found: Survey) -> Iterator[Blocker]:
    """A last bake that is longer than the policy says should not be a surprise."""
    bake, asked = found.terms.steps[-1].bake, group.terms.steps[-1].bake
    if bake is not None and asked is not None and bake > asked:
        text = f"The last bake is {ago(bake)}, not {ago(asked)}: scaling policies need that long to see their load."
        yield Blocker("last-bake", found.live_state.auto_scaling_group, text, warning=True)


def _two_lifetimes(group: Group, found: Survey) -> Iterator[Blocker]:
    """AWS and phoenix would both replace old instances: AWS one by one, without any gate."""
    ours = group.rotate_when.max_instance_lifetime
    for state in found.seen.slots.values():
        if ours is None or state.max_instance_lifetime is None:
            continue
        name = state.auto_scaling_group
        yield Blocker(
            "two-lifetimes",
            f"Auto Scaling group {name}",
            f"AWS replaces what {name} runs after {ago(state.max_instance_lifetime)}, and max_instance_lifetime of"
            f" the policy is {ago(ours)}: they do the same job. AWS does it one by one, without gates,"
            " also in the middle of a rotation. Leave it to the policy:",
            group.fleet.command(KeepOldInstances(state.slot)),
            warning=True,
        )


def _owner_capacity(group: Group, found: Survey) -> Iterator[Blocker]:
    """A policy whose maximum is below what runs would cut into it when the rotation closes."""
    owner, running = group.terms.capacity, found.live_state.desired
    live = found.live.slot
    if owner is not None and owner.max < running:
        text = f"fleet.capacity.max is {owner.max}, but {running} instances are wanted now. Raise it, or scale in:"
        yield Blocker(
            "capacity", group.about.policy_file or group.name, text, group.fleet.command(Resize(live, owner.max))
        )
    if running > 0:
        return
    name, other = found.live_state.auto_scaling_group, found.seen.slots[live.other]
    text = "The live group's desired capacity is 0: there is nothing to replace, and nothing to prove a new one by."
    if other.desired > 0:
        text += f" {other.auto_scaling_group} has {other.desired}; if it is meant to be live:"
        yield Blocker("empty", name, text, _gives_all_to(group, found, other.slot))
    else:
        yield Blocker("empty", name, text, group.fleet.command(Resize(live)))


def _calendar(group: Group, request: RotateRequest, at: datetime, lasts: timedelta) -> Iterator[Blocker]:
    """A freeze that holds, a window that is closed, or, for a scheduled start, one that closes too early."""
    where = group.about.policy_file or group.name
    calendar = group.calendar
    freeze = calendar.freeze_at(at)
    following = calendar.next_opening(at)
    if freeze is not None and "freeze" not in request.ignore:
        text = f"Frozen from {freeze.first} to {freeze.last}, both included: {freeze.reason}."
        text += f" {_opens(following, group)}"
        yield Blocker("freeze", freeze.file or where, text, _ignore(group, "freeze"), ignorable=True)
    if not calendar.windows or "window" in request.ignore:
        return
    opening = calendar.opening_at(at)
    if opening is None:
        yield Blocker("window", where, f"Closed. {_opens(following, group)}", _ignore(group, "window"), ignorable=True)
    elif at + lasts > opening.closes_at:
        text = f"Closes in {ago(opening.closes_at - at)}; the rotation needs {ago(lasts)} at the least."
        text += "" if request.scheduled else " `tick` would not start it now."
        yield Blocker("window", where, text, _ignore(group, "window"), ignorable=True, warning=not request.scheduled)


def _opens(following: datetime | None, group: Group) -> str:
    if following is None:
        return "No opening is in sight."
    zones = {w.timezone for w in group.calendar.windows} - {"UTC"}
    local = "".join(f" ({following.astimezone(ZoneInfo(z)):%H:%M} {z})" for z in sorted(zones))
    return f"Opens {following:%a %Y-%m-%d %H:%M} UTC{local}."


def _ignore(group: Desk, name: str) -> str:
    return f'phoenix rotate --group {group.name} --ignore {name} --reason "..."'
