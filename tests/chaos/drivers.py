"""Drivers at the model: the real engine, a real store in memory, and ports at which a run may strike.

Must never decide anything itself. Every save and every action passes a `Fate`, which counts such moments, and lets a
driver die or stall at the chosen ones. A dead driver runs no `finally` that could reach the store.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from phoenix.core.action import Action, SetWeights
from phoenix.core.model import Route, Slot
from phoenix.core.note import Note
from phoenix.core.record import GroupRecord
from phoenix.core.rotation import Rotation
from phoenix.errors import ForeignWeights, Throttled
from phoenix.permit import current_permit
from phoenix.ports import FleetView, Lease, Traffic
from phoenix.stores.memory import MemoryStore
from tests.builders import NOON
from tests.chaos.invariants import Judge, Truth, Violated, check_sentence
from tests.chaos.model import Model

POLL_SECONDS = 15.0
LEASE_SECONDS = 60


class Death(BaseException):
    """The driver is gone between two instructions; nothing that catches errors may catch it."""


@dataclass
class Fate:
    """Counts the moments of a run, over all its drivers. `plan`: what happens at which; `wire`: what happens once
    the request that follows on that moment has left the process."""

    plan: dict[int, Callable[[str], None]] = field(default_factory=dict)
    wire: dict[int, Callable[[str], None]] = field(default_factory=dict)
    passed: list[str] = field(default_factory=list)

    def moment(self, name: str) -> None:
        """A moment has come."""
        self.passed.append(name)
        strike = self.plan.pop(len(self.passed), None)
        if strike is not None:
            strike(name)

    def sent(self, name: str) -> None:
        """A request is on its way to AWS."""
        strike = self.wire.pop(len(self.passed), None)
        if strike is not None:
            strike(name)


@dataclass
class Weather:
    """How AWS answers: `lag` seconds back, or `fails` to. Asked once a tick for each kind of read, before all of them:
    the engine reads side by side, and whichever thread is first must not change what a seed does."""

    lag: Callable[[], float] = lambda: 0.0
    fails: Callable[[], bool] = lambda: False


@dataclass
class Run:
    """What the drivers of one run share."""

    model: Model
    judge: Judge
    store: MemoryStore
    fate: Fate = field(default_factory=Fate)
    weather: Weather = field(default_factory=Weather)
    unknowable: timedelta = timedelta(0)
    """For how long no driver can know of a machine that has failed."""
    doubt: timedelta = timedelta(0)
    """By how much what is seen may be older than it says, or a clock wrong."""
    excused: Callable[[datetime], bool] = lambda seen_at: False
    """Asked at the end: has another writer changed something that could not have been seen yet, as of then?"""
    reweighed_at: datetime = NOON
    """When another writer last moved weights: a driver that has looked before cannot know of it."""
    looked_at: datetime = NOON
    """When anybody of phoenix last saw the weights."""
    struck: Counter[str] = field(default_factory=Counter)
    sentences: int = 0

    @property
    def record(self) -> GroupRecord:
        """What the store knows."""
        record = self.store.load("web")
        assert record is not None
        return record

    @property
    def rotation(self) -> Rotation:
        """The rotation in flight, or the last one."""
        assert self.record.rotation is not None
        return self.record.rotation

    def truth(self) -> Truth:
        """What is really so, for this run's judge."""
        return self.model.truth(self.rotation.terms.healthy_for - self.doubt, self.unknowable)


@dataclass
class Ports:
    """Fleet, router, gate, images and clock of one driver, all at the model."""

    run: Run
    name: str
    skew: timedelta = timedelta(0)
    dead: bool = False
    blind: bool = False
    """The look that this tick is about has failed: I8 forbids it any action."""
    lag: float = 0.0
    seen_at: datetime = NOON
    """As of when this driver last saw the groups: what came later it could not know."""
    failing: frozenset[str] = frozenset()
    stopping = False

    @property
    def store_kind(self) -> type[DriverStore]:
        """The way to the store."""
        return DriverStore

    def moment(self, name: str) -> None:
        """Something may strike us now."""
        try:
            self.run.fate.moment(f"{self.name} {name}")
        except Death:
            self.dead = True
            raise

    # --- clock --------------------------------------------------------------------------------------------------------

    def now(self) -> datetime:
        return self.run.model.now + self.skew

    def elapsed(self) -> float:
        return self.now().timestamp()

    def sleep(self, seconds: float) -> None:
        self.run.model.pass_time(seconds)

    # --- reading ------------------------------------------------------------------------------------------------------

    def begin_tick(self) -> None:
        """Draw how AWS will answer until the next tick."""
        weather = self.run.weather
        self.blind, self.lag = False, weather.lag()
        self.failing = frozenset(kind for kind in ("fleet", "traffic", "search") if weather.fails())

    def observe_fleet(self, rotation: Rotation | None) -> FleetView:
        self._answer("fleet")
        view, _ = self.run.model.said(self.lag)
        self.seen_at = self.run.model.now - timedelta(seconds=self.lag)
        awaits = rotation is not None and rotation.growth.since is not None and rotation.back is None
        since = rotation.growth.since if rotation is not None and awaits else None
        failures = tuple(f for f in view.failures if since is not None and f.at >= since)
        return replace(view, failures=failures, prepared_version=self.prepared(rotation))

    def prepared(self, rotation: Rotation | None) -> str | None:
        """The number of the version that the rotation has made already."""
        made = self.run.model.made.get(rotation.id, []) if rotation is not None else []
        return made[0] if made else None

    def observe_traffic(self, want_health: frozenset[Slot]) -> Traffic:
        self._answer("traffic")
        _, traffic = self.run.model.said(self.lag)
        self.run.looked_at = self.run.model.now - timedelta(seconds=self.lag)
        return Traffic(traffic.routes, {s: h for s, h in traffic.health.items() if s in want_health})

    def find(self, target_groups: Mapping[Slot, Sequence[str]]) -> tuple[Route, ...]:
        self._answer("search")
        return self.run.model.said(self.lag)[1].routes

    def _answer(self, kind: str) -> None:
        if kind in self.failing:
            self.blind = True
            raise Throttled("AWS asks to slow down")

    # --- writing ------------------------------------------------------------------------------------------------------

    def write(self, action: Action) -> None:
        run = self.run
        self.moment(f"before {type(action).__name__}")
        if self.blind:
            raise Violated("I8", f"{action} after a look that failed")
        self.send(type(action).__name__)
        run.judge.before(run.truth())
        self.carry_out(action)
        unseen = run.reweighed_at > self.seen_at
        run.judge.after(action, run.truth(), run.record.in_flight, unseen=unseen)
        self.moment(f"after {type(action).__name__}")

    def send(self, name: str) -> None:
        """What `phoenix.aws.fence` does at botocore's events, as late as a request's body; then it is on its way."""
        permit = current_permit()
        if permit is None:
            raise Violated("I7", f"{name} without a permit")
        permit.check()
        self.run.fate.sent(name)

    def carry_out(self, action: Action) -> None:
        """The call itself; broken parts of the deliberate faults override this."""
        self.run.model.apply(self.name, action)

    def shift(self, action: SetWeights) -> tuple[Route, ...]:
        routes = self.run.model.traffic().routes
        for route in routes:
            found = route.percent(action.slot)
            if action.only_from and found not in action.only_from | {action.percent}:
                raise ForeignWeights(route.name, str(sorted(action.only_from)), found)
        self.write(action)
        return self.run.model.traffic().routes


class DriverStore:
    """One driver's way to the store that all share. The dead reach it no more."""

    location = "memory:chaos"

    def __init__(self, ports: Ports) -> None:
        self._ports, self._store = ports, ports.run.store

    def load(self, group: str) -> GroupRecord | None:
        return self._store.load(group)

    def load_many(self, groups: Sequence[str]) -> Mapping[str, GroupRecord]:
        return self._store.load_many(groups)

    def save(self, record: GroupRecord) -> GroupRecord:
        run, before = self._ports.run, self._store.load(record.group)
        tells = before is None or essence(before) != essence(record)
        if tells:
            self._ports.moment("before save")
        saved = self._store.save(record)
        if record.rotation is not None:
            run.sentences += 1
            check_told(record.rotation)
            ended = before is not None and before.in_flight is not None and not record.rotation.in_flight
            if ended and not run.excused(self._ports.seen_at):
                run.judge.ended(saved, run.truth())
        if tells:
            self._ports.moment("after save")
        return saved

    def note(self, key: str) -> Note | None:
        return self._store.note(key)

    def save_note(self, note: Note) -> Note:
        return self._store.save_note(note)

    def claim(self, group: str, owner: str, now: datetime, ttl: timedelta, *, force: bool = False) -> Lease:
        lease = self._store.claim(group, owner, now, ttl, force=force)
        self._ports.begin_tick()
        return lease

    def holds(self, lease: Lease) -> bool:
        self._ports.moment("before check")
        return self._store.holds(lease)

    def release(self, lease: Lease, due_at: datetime | None = None) -> None:
        if not self._ports.dead:
            self._store.release(lease, due_at)

    def due(self, now: datetime) -> Sequence[str]:
        return self._store.due(now)

    def lease_of(self, group: str) -> Lease | None:
        return self._store.lease_of(group)

    def history(self, group: str, limit: int = 20) -> Sequence[Rotation]:
        return self._store.history(group, limit)


def check_told(rotation: Rotation) -> None:
    """I10, for what a tick has put into the record."""
    check_sentence(rotation.waiting_for if rotation.in_flight else rotation.events[-1].text)


def essence(record: GroupRecord) -> GroupRecord:
    """The record without what every tick writes anew: to die around such a save is to be late, no more."""
    rotation = record.rotation
    if rotation is None:
        return replace(record, version=0)
    candidate = replace(rotation.candidate, sick={}, first_healthy_at=None)
    quiet = replace(rotation, looked_at=None, verdicts=(), waiting_for=None, candidate=candidate)
    return replace(record, version=0, rotation=quiet)
