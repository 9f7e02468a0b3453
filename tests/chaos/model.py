"""A model of AWS for the chaos runs: two groups, two routes with a third target group beside the pair, and time.

Physics only: what really is, who launches when, who answers when, what the data plane still does. It knows no rotation
and judges nothing; `tests.chaos.invariants` does. Thousands of runs a second would be too few questions for moto.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count

from phoenix.core.action import (
    Action,
    Announce,
    Drain,
    EndInstance,
    MakeTemplateVersion,
    Release,
    RemoveTags,
    ReplaceInstance,
    SetFailover,
    SetOptIns,
    SetRole,
    SetSchedules,
    SetWeights,
    Undrain,
    WriteTags,
)
from phoenix.core.launch_failure import LaunchFailure
from phoenix.core.model import Instance, Route, Slot, SlotState, TargetState
from phoenix.core.opt_in import OptIn
from phoenix.core.roles import numbers
from phoenix.fleets.group_shapes import lifecycle_of, routines_of
from phoenix.ports import FleetView, Traffic
from phoenix.sandbox.timeline import Timeline
from tests.builders import NOON
from tests.chaos.invariants import SlotTruth, Truth
from tests.chaos.leaving import ANNOUNCED_WITHIN, change_work, leave_for, work_of, works_in
from tests.chaos.parts import SCHEDULES, Image, Machine, Opening, Place, Rule, change_tags, rules_at, share_of

ZONES = ("eu-west-1a", "eu-west-1b", "eu-west-1c")
FOLLOWS = timedelta(seconds=45)
"""How long the data plane may need for new weights: less than the 60 s that the policy grants it."""
NOTICED_BY_BALANCER, NOTICED_BY_GROUP = 10.0, 40.0
DRAINS = 20.0
RETRY = 30.0
"""Seconds until Auto Scaling tries again what it could not launch."""
VIEWS = 12


class Model:
    """What really is. `on_change` is told before and after every action, and after every stretch of time."""

    def __init__(self, opening: Opening, images: dict[str, Image] | None = None) -> None:
        self.balanced, self.unknown_since = opening.balanced, NOON - timedelta(hours=1) if opening.unknown else None
        self.timeline = Timeline(NOON)
        self.images = images or {}
        self.places = {slot: Place(slot) for slot in Slot}
        self.rules = rules_at(opening) if opening.balanced else []
        self.failover = dict.fromkeys(Slot, "1/off")
        self.opt_ins: tuple[OptIn, ...] = ()
        self.made: dict[str, list[str]] = {}
        self.launched, self.killed = Counter[str](), Counter[Slot]()
        self.launch_error: str | None = None
        self.failures: list[LaunchFailure] = []
        self.full_zones: set[str] = set()
        self.unfound: list[datetime] = []  # moments at which clients found no machine that answers
        self.cut_off: list[str] = []  # machines that answered, and were let go with work on them
        self.applied: list[tuple[str, Action, bool]] = []
        self.after_time: list[Callable[[], None]] = []
        self._ids = count(1)
        self._retrying = False
        self._views: deque[tuple[datetime, FleetView, Traffic]] = deque(maxlen=VIEWS)
        size = opening.size
        self._install(Slot.BLUE, "1", (min(2, size), size * 2, size))
        self.places[Slot.BLUE].suspended = {"AlarmNotification"} | ({SCHEDULES} if opening.quiet else set())
        if opening.retained:
            self._install(Slot.GREEN, "0", (size, size, size))
            self.places[Slot.GREEN].suspended = {SCHEDULES}

    @property
    def now(self) -> datetime:
        """The time of the event that is happening."""
        return self.timeline.now

    # --- time ---------------------------------------------------------------------------------------------------------

    def pass_time(self, seconds: float) -> None:
        """Let time pass, and everything happen that is due meanwhile."""
        self._views.append((self.now, self.fleet_view(), self.traffic()))
        self.timeline.advance(self.now + timedelta(seconds=seconds))
        for listener in self.after_time:
            listener()

    def at(self, seconds: float, event: Callable[[], None]) -> None:
        """Let something happen that many seconds after the start."""
        self.timeline.at(NOON + timedelta(seconds=seconds), event)

    # --- what happens to AWS ------------------------------------------------------------------------------------------

    def kill(self, machine: Machine) -> None:
        """As a failed host or a spot interruption: its group finds out and replaces it."""
        place = self._home(machine)
        if machine.killed_at is not None or machine.leaving_since is not None or place is None:
            return
        machine.killed_at = self.now
        self.killed[place.slot] += 1
        self.timeline.after(NOTICED_BY_GROUP, lambda: self._replace(place, machine))

    def replace_dead(self, place: Place) -> None:
        """What a person does about instances that AWS does not replace."""
        for machine in [m for m in place.machines if m.killed_at is not None]:
            self._replace(place, machine)

    def scale(self, slot: Slot, desired: int) -> None:
        """What an autoscaler does: move desired within the bounds."""
        place = self.places[slot]
        place.desired = max(place.min, min(place.max, desired))
        self.settle(place)

    def settle(self, place: Place) -> None:
        """Launch what is missing, let go of what is too many: the newest, as with the default policy of one zone."""
        while len(place.staying()) < place.desired:
            if self.launch_error is not None or len(self.full_zones) == len(ZONES):
                self._fail_launch()
                return
            self._launch(place)
        for machine in reversed(place.staying()[place.desired :]):
            self._leave(place, machine)

    def _launch(self, place: Place) -> Machine:
        image = self.images.get(place.version, Image())
        number = next(self._ids)
        zones = [z for z in ZONES if z not in self.full_zones]
        up = self.now + timedelta(seconds=image.boot + image.warm)
        machine = Machine(
            f"i-{number}", zones[number % len(zones)], place.version, self.now, up if image.answers else None
        )
        machine.drained_since = self.unknown_since
        place.machines.append(machine)
        self.launched[place.version] += 1
        return machine

    def _fail_launch(self) -> None:
        words = self.launch_error or "We currently do not have sufficient m7i.large capacity"
        self.failures.append(LaunchFailure(self.now, permanent=False, blames_image=False, words=words))
        if not self._retrying:
            self._retrying = True
            self.timeline.after(RETRY, self._retry)

    def _retry(self) -> None:
        self._retrying = False
        for place in self.places.values():
            self.settle(place)

    def _leave(self, place: Place, machine: Machine) -> None:
        if machine.answers(self.now) and not work_of(machine, self.now).stage.has_none:
            self.cut_off.append(machine.id)
        self._let_go(place, machine)

    def _let_go(self, place: Place, machine: Machine) -> None:
        machine.leaving_since = self.now
        self.timeline.after(DRAINS, lambda: self._forget(place, machine))

    def _forget(self, place: Place, machine: Machine) -> None:
        place.machines = [other for other in place.machines if other is not machine]

    def _replace(self, place: Place, machine: Machine) -> None:
        if machine in place.staying():
            self._let_go(place, machine)
            self.settle(place)

    def _home(self, machine: Machine) -> Place | None:
        return next((p for p in self.places.values() if machine in p.machines), None)

    def _install(self, slot: Slot, version: str, numbers: tuple[int, int, int]) -> None:
        place = self.places[slot]
        place.version = version
        place.min, place.max, place.desired = numbers
        for _ in range(place.desired):
            machine = self._launch(place)
            machine.born_at = machine.answers_at = self.now - timedelta(hours=1)

    # --- what phoenix does to it --------------------------------------------------------------------------------------

    def apply(self, driver: str, action: Action) -> None:  # noqa: C901, PLR0912 - a case for each kind
        """Carry out one action; remembers who did it, and whether it changed anything."""
        before = self.fingerprint()
        match action:
            case SetRole():
                self._set_role(action)
            case SetWeights():
                self._set_weights(action)
            case MakeTemplateVersion():
                if action.rotation not in self.made:
                    self.make_version(action.rotation)
            case SetSchedules():
                change = self.places[action.slot].suspended
                (change.discard if action.running else change.add)(SCHEDULES)
            case SetFailover():
                self.failover[action.slot] = action.thresholds
            case SetOptIns():
                self.opt_ins = action.opt_ins
            case ReplaceInstance() | EndInstance():
                place = self.places[action.slot]
                found = next((m for m in place.machines if m.id == action.instance), None)
                if found is not None:
                    self._replace(place, found)
            case Drain() | Undrain():
                change_work(self.places[action.slot], action, self.now, ANNOUNCED_WITHIN * bool(self.unknown_since))
            case Release() | Announce():
                raise AssertionError("nothing is held in a pair, and a registry is told by itself")
            case WriteTags() | RemoveTags():
                change_tags(self.places, action)
        self.applied.append((driver, action, before != self.fingerprint()))

    def make_version(self, rotation: str) -> None:
        """One more version of the launch template."""
        number = str(2 + sum(map(len, self.made.values())))
        self.made.setdefault(rotation, []).append(number)

    def fingerprint(self) -> tuple[object, ...]:
        """Everything that an action can change."""
        places = tuple(
            (p.min, p.max, p.desired, p.version, frozenset(p.suspended), frozenset(p.tags.items()), len(p.staying()))
            for p in self.places.values()
        )
        rules = tuple((tuple(r.weights.items()), r.third, r.sticky) for r in self.rules)
        made = sum(map(len, self.made.values()))
        return (works_in(self.places.values()), *places, *rules, self.opt_ins, *self.failover.values(), made)

    def _set_role(self, action: SetRole) -> None:
        place = self.places[action.slot]
        then, before = numbers(action.role, action.count, action.owner), place.max
        place.min, place.max = then.min, then.max
        place.version = action.version or place.version
        if action.leaving:
            for machine in leave_for(place, action, before):
                self._leave(place, machine)
            return
        place.desired = max(place.min, min(place.max, place.desired if then.desired is None else then.desired))
        self.settle(place)

    def _set_weights(self, action: SetWeights) -> None:
        for rule in self.rules:
            weights = {action.slot: action.percent, action.slot.other: 100 - action.percent}
            if (action.unrefer and action.slot not in rule.weights) or (
                rule.arn in action.unrefer and not action.percent
            ):
                del weights[action.slot]
            self.reweigh(rule, weights)
            if action.suspend_stickiness:
                rule.sticky = 0
            rule.sticky = action.restore_stickiness.get(rule.arn, rule.sticky)

    def reweigh(self, rule: Rule, weights: dict[Slot, int]) -> None:
        """Give a rule other weights, by whomever; the data plane follows."""
        if rule.weights != weights:
            rule.before, rule.since = dict(rule.weights), self.now
            rule.weights = dict(weights)

    # --- what AWS says ------------------------------------------------------------------------------------------------

    def said(self, lag: float) -> tuple[FleetView, Traffic]:
        """What it says now; with a lag what it said the last time before that, as far back as it is remembered."""
        if lag:
            limit = self.now - timedelta(seconds=lag)
            for at, view, traffic in self._views:
                if at >= limit:
                    return view, traffic
        return self.fleet_view(), self.traffic()

    def fleet_view(self) -> FleetView:
        """Both groups as Auto Scaling describes them, failed launches newest first."""
        return FleetView({s: self._state(p) for s, p in self.places.items()}, tuple(reversed(self.failures)))

    def traffic(self) -> Traffic:
        """Both rules, and the health of all targets."""
        if not self.balanced:
            return Traffic()
        routes = tuple(Route(r.arn, r.arn.rpartition("/")[2], dict(r.weights), r.sticky) for r in self.rules)
        health = {s: {m.id: self._health(m) for m in p.machines} for s, p in self.places.items()}
        return Traffic(routes, health)

    def _state(self, place: Place) -> SlotState:
        return SlotState(
            slot=place.slot,
            auto_scaling_group=f"web-{place.slot.value}",
            min=place.min,
            max=place.max,
            desired=place.desired,
            template_version=place.version,
            instances=tuple(self._instance(m) for m in place.machines),
            suspended=routines_of(place.suspended),
            tags=dict(place.tags),
            target_groups=(f"arn:tg/web-{place.slot.value}",),
        )

    def _instance(self, machine: Machine) -> Instance:
        boot = self.images.get(machine.version, Image()).boot
        words = "InService" if self.now >= machine.born_at + timedelta(seconds=boot) else "Pending"
        if machine.leaving_since is not None:
            words = "Terminating"
        return Instance(machine.id, machine.zone, lifecycle_of(words), True, machine.version, lifecycle_words=words)

    def _health(self, machine: Machine) -> TargetState:
        if machine.leaving_since is not None:
            return TargetState.DRAINING
        image = self.images.get(machine.version, Image())
        gone = machine.killed_at is not None and self.now >= machine.killed_at + timedelta(seconds=NOTICED_BY_BALANCER)
        if gone:
            return TargetState.UNHEALTHY
        if self.now < machine.born_at + timedelta(seconds=image.boot + image.warm):
            return TargetState.INITIAL
        return TargetState.HEALTHY if machine.answers_at else TargetState.UNHEALTHY

    # --- what is really so --------------------------------------------------------------------------------------------

    def truth(self, healthy_for: timedelta = timedelta(0), unknowable: timedelta = timedelta(0)) -> Truth:
        """What requests meet. Machines killed so recently that no driver can know it count as if they answered."""
        return Truth(
            at=self.now,
            slots={s: self._slot_truth(p, healthy_for, unknowable) for s, p in self.places.items()},
            shares=tuple(share for rule in self.rules for share in self._shares(rule)),
            weights=tuple(dict(rule.weights) for rule in self.rules),
            others=tuple(rule.third for rule in self.rules),
            sticky=tuple(rule.sticky for rule in self.rules),
        )

    def _slot_truth(self, place: Place, healthy_for: timedelta, unknowable: timedelta) -> SlotTruth:
        now = self.now
        missed = {m.id for m in place.machines if m.killed_at is not None and now - m.killed_at <= unknowable}
        up = [m for m in place.staying() if m.answers(now) or m.id in missed]
        return SlotTruth(
            numbers=(place.min, place.max, place.desired),
            healthy=len(up),
            answering=sum(m.answers(now) for m in place.staying()),
            proven=Counter(m.version for m in up if m.answers_at is not None and now - m.answers_at >= healthy_for),
            versions=frozenset(m.version for m in place.staying()),
            version=place.version,
            suspended=frozenset(place.suspended),
            tags=dict(place.tags),
        )

    def _shares(self, rule: Rule) -> list[dict[Slot, float]]:
        """What the data plane does, and while it follows also what it did before."""
        moving = bool(rule.before) and self.now - rule.since < FOLLOWS
        return [share_of(w) for w in ((rule.before, rule.weights) if moving else (rule.weights,))]
