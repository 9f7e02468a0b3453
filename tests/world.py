"""A model of AWS for the pure core: two groups, some routes, and time. No library, no I/O, thousands of runs a second.

Launches take `boot` seconds to be in service and `warm` more to be healthy; scale-in leaves at once. It judges nothing
but the invariants that can be seen from outside, after every single action.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Protocol

from phoenix.core.action import (
    Action,
    Announce,
    Decision,
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
from phoenix.core.back import reopen, turn_back
from phoenix.core.capacity import share
from phoenix.core.decide import decide
from phoenix.core.launch_failure import LaunchFailure
from phoenix.core.model import (
    Cause,
    Instance,
    Judgement,
    Observation,
    Route,
    Slot,
    SlotState,
    TargetState,
)
from phoenix.core.ready import capacity_verdict
from phoenix.core.record import GroupRecord
from phoenix.core.roles import numbers
from phoenix.core.routine import Routine
from phoenix.core.story import Ask
from phoenix.fleets.group_shapes import lifecycle_of
from tests.builders import NOON


@dataclass
class Server:
    """One instance of the model."""

    id: str
    zone: str
    version: str
    born_at: datetime
    bad: bool = False


@dataclass
class Place:
    """One Auto Scaling group of the model."""

    slot: Slot
    min: int = 0
    max: int = 0
    desired: int = 0
    version: str = "1"
    servers: list[Server] = field(default_factory=list)
    suspended: set[Routine] = field(default_factory=set)
    tags: dict[str, str] = field(default_factory=dict)


class World:
    """Blue is live with `size` servers of version 1 behind all traffic; green is empty."""

    def __init__(
        self, size: int = 4, *, balanced: bool = True, boot: int = 20, warm: int = 5, floor: int = 100
    ) -> None:
        self.now = NOON
        self.boot, self.warm, self.balanced = boot, warm, balanced
        self.places = {slot: Place(slot) for slot in Slot}
        self.weight = 0
        self.named = set(Slot)
        self.failover = dict.fromkeys(Slot, "1/off")
        self.versions: dict[str, str] = {}
        self.bad_versions: set[str] = set()
        self.launch_error: LaunchFailure | None = None
        self.actions: list[Action] = []
        self._born = 0
        blue = self.places[Slot.BLUE]
        blue.min, blue.max, blue.desired = min(2, size), size * 2, size
        self._settle(blue, ready=True)
        self.floor = share(size, floor)

    def pass_time(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)

    def look(self, record: GroupRecord) -> Observation:
        """What an engine with perfect adapters would see, the capacity gate's verdict included."""
        rotation = record.in_flight
        routes: tuple[Route, ...] = ()
        if self.balanced:
            weights = {Slot.BLUE: 100 - self.weight, Slot.GREEN: self.weight}
            routes = (Route("arn:rule/:443", ":443", {s: w for s, w in weights.items() if s in self.named}),)
        seen = Observation(
            at=self.now,
            slots={slot: self._state(place) for slot, place in self.places.items()},
            routes=routes,
            failures=(self.launch_error,) if self.launch_error else (),
            prepared_version=self.versions.get(rotation.id) if rotation else None,
        )
        if (
            rotation is None
            or rotation.back is not None
            or rotation.step == 0
            or rotation.clocks.closing_since is not None
        ):
            return seen
        return replace(seen, verdicts=(capacity_verdict(rotation, seen, "target_health"),))

    def apply(self, action: Action) -> None:
        """Carry out one action, then hold the world against the invariants."""
        self.actions.append(action)
        match action:
            case SetRole():
                self._set_role(action)
            case SetWeights():
                self.weight = action.percent if action.slot is Slot.GREEN else 100 - action.percent
                self.named = set(Slot) - ({action.slot} if action.unrefer and not action.percent else set())
            case MakeTemplateVersion():
                self.versions.setdefault(action.rotation, str(len(self.versions) + 2))
            case SetSchedules():
                change = self.places[action.slot].suspended
                (change.discard if action.running else change.add)(Routine.SCHEDULES)
            case SetFailover():
                self.failover[action.slot] = action.thresholds
            case ReplaceInstance() | EndInstance():
                place = self.places[action.slot]
                place.servers = [s for s in place.servers if s.id != action.instance]
                self._settle(place)
            case SetOptIns():
                raise AssertionError("this world has no rules of ours")
            case Release() | Drain() | Undrain() | Announce():
                raise AssertionError(f"nothing is held in this pair, and nothing drained: {action}")
            case WriteTags() | RemoveTags():
                self._change_tags(action)
        self.check()

    def scale(self, slot: Slot, desired: int) -> None:
        """What an autoscaler does: move desired within the bounds."""
        place = self.places[slot]
        place.desired = max(place.min, min(place.max, desired))
        self._settle(place)

    def serving(self) -> int:
        """How many servers' worth of traffic can be carried: each weighted group by its share."""
        if not self.balanced:
            return sum(len(self._healthy(place)) for place in self.places.values())
        shares = {Slot.BLUE: 100 - self.weight, Slot.GREEN: self.weight}
        return min(len(self._healthy(self.places[s])) * 100 // share_ for s, share_ in shares.items() if share_)

    def check(self) -> None:
        """I1 and I2."""
        assert self.serving() >= self.floor, f"I1: {self.serving()} serve, {self.floor} needed"
        weights = {Slot.BLUE: 100 - self.weight, Slot.GREEN: self.weight} if self.balanced else {}
        for slot, weight in weights.items():
            assert not weight or self._healthy(self.places[slot]), f"I2: {weight} % on {slot}, which has none healthy"

    def _change_tags(self, action: WriteTags | RemoveTags) -> None:
        if isinstance(action, WriteTags):
            for slot, tags in action.tags.items():
                self.places[slot].tags.update(tags)
            return
        for slot, keys in action.keys.items():
            self.places[slot].tags = {k: v for k, v in self.places[slot].tags.items() if k not in keys}

    def _set_role(self, action: SetRole) -> None:
        place = self.places[action.slot]
        then = numbers(action.role, action.count, action.owner)
        place.min, place.max = then.min, then.max
        if action.version is not None:
            place.version = action.version
        wanted = place.desired if then.desired is None else then.desired
        place.desired = max(place.min, min(place.max, wanted))
        self._settle(place)

    def _settle(self, place: Place, *, ready: bool = False) -> None:
        while len(place.servers) < place.desired and self.launch_error is None:
            self._born += 1
            born_at = self.now - timedelta(hours=1) if ready else self.now
            bad = place.version in self.bad_versions
            zone = f"eu-west-1{'abc'[self._born % 3]}"
            place.servers.append(Server(f"i-{self._born}", zone, place.version, born_at, bad))
        while len(place.servers) > place.desired:
            sick_first = sorted(place.servers, key=lambda s: not s.bad)
            place.servers.remove(sick_first[0])

    def _state(self, place: Place) -> SlotState:
        return SlotState(
            slot=place.slot,
            auto_scaling_group=f"web-{place.slot.value}",
            min=place.min,
            max=place.max,
            desired=place.desired,
            template_version=place.version,
            instances=tuple(self._instance(server) for server in place.servers),
            suspended=frozenset(place.suspended),
            tags=dict(place.tags),
            target_groups=(f"arn:tg/web-{place.slot.value}",),
            failover=self.failover[place.slot],
        )

    def _instance(self, server: Server) -> Instance:
        age = (self.now - server.born_at).total_seconds()
        running = age >= self.boot
        target = TargetState.INITIAL
        if age >= self.boot + self.warm:
            target = TargetState.UNHEALTHY if server.bad else TargetState.HEALTHY
        words = "InService" if running else "Pending"
        seen_by = target if running and self.balanced else None
        return Instance(
            server.id, server.zone, lifecycle_of(words), True, server.version, seen_by, lifecycle_words=words
        )

    def _healthy(self, place: Place) -> list[Server]:
        def serves(server: Server) -> bool:
            age = (self.now - server.born_at).total_seconds()
            return age >= self.boot + (self.warm if self.balanced else 0) and not server.bad

        return [server for server in place.servers if serves(server)]


class Modelled(Protocol):
    """A model of a group with time, on which decisions are carried out."""

    now: datetime

    def look(self, record: GroupRecord) -> Observation: ...

    def apply(self, action: Action) -> None: ...

    def pass_time(self, seconds: float) -> None: ...


def run(world: Modelled, record: GroupRecord, *, poll: float = 5, at_most: int = 3000) -> GroupRecord:
    """Tick until the rotation has ended or is held; the record as it then is."""
    for _ in range(at_most):
        decision = tick(world, record)
        record = decision.record
        if record.in_flight is None or record.in_flight.held is not None:
            return record
        if decision.look_again_at is None or decision.look_again_at > world.now:
            world.pass_time(poll)
    raise AssertionError(f"never ended: {record.rotation}")


def tick(world: Modelled, record: GroupRecord) -> Decision:
    """One tick."""
    decision = decide(record, world.look(record))
    for action in decision.actions:
        world.apply(action)
    return decision


def until(world: Modelled, record: GroupRecord, condition: str) -> GroupRecord:
    """Tick until a fact of the rotation (a field's name) has come true."""
    for _ in range(1000):
        record = tick(world, record).record
        if record.rotation is not None and attrgetter(condition)(record.rotation):
            return record
        world.pass_time(5)
    raise AssertionError(f"{condition} never came true")


def turned(world: Modelled, record: GroupRecord, *, now: bool = False) -> GroupRecord:
    """The record after an operator's rollback."""
    seen = world.look(record)
    rotation = record.rotation
    assert rotation is not None
    forward = rotation if rotation.in_flight else reopen(record, rotation, seen)
    back = turn_back(forward, seen, Ask(world.now, "oncall", "INC-1"), Cause.OPERATOR, now=now)
    return replace(record, rotation=back)


def all_pass(record: GroupRecord) -> bool:
    """True when the last verdicts recorded were all good."""
    rotation = record.rotation
    return rotation is not None and all(v.judgement is Judgement.PASS for v in rotation.verdicts)
