"""A wired group for tests of the engine: fakes all round, a store that remembers, a clock that only they move."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from phoenix.core.blocker import UNKNOWN_AHEAD
from phoenix.core.model import Instance, Judgement, Observation, Slot, TargetState, Verdict
from phoenix.core.notice import Notice
from phoenix.core.ready import capacity_verdict
from phoenix.core.record import GroupRecord
from phoenix.core.rotation import Rotation
from phoenix.core.terms import Step, Terms
from phoenix.engine.group import Group
from phoenix.engine.report import Report, watch_nothing
from phoenix.engine.request import RotateRequest
from phoenix.engine.rotate import rotate
from phoenix.errors import PhoenixError, Unreachable
from phoenix.ports import Lease, Traffic
from phoenix.telemetry.spans import NoTracer
from tests.builders import NOON
from tests.fakes import OLD_IMAGE, FakeFleet, FakeImages, FakeRouter, an_image
from tests.fakes_gate import FakeGate
from tests.fakes_store import MemoryStore

ALL_AT_ONCE = (Step(100, 100, 100, timedelta(minutes=5)),)
CANARY = (Step(100, 100, 5, timedelta(minutes=10)), Step(100, 100, 100, timedelta(minutes=5)))
LIVE_IMAGE = an_image(OLD_IMAGE, "web-2026.11.11-41aa07", created_at=NOON - timedelta(days=7))
BLUE, GREEN = Slot.BLUE, Slot.GREEN


class VirtualClock:
    """Time passes when a driver sleeps; `alarms` are what happens meanwhile, each once, when its time has come."""

    def __init__(self) -> None:
        self.at = NOON
        self.stopping = False
        self.slept: list[float] = []
        self.alarms: list[tuple[datetime, Callable[[], object]]] = []

    def now(self) -> datetime:
        return self.at

    def elapsed(self) -> float:
        return self.at.timestamp()

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += timedelta(seconds=seconds)
        due = [alarm for alarm in self.alarms if alarm[0] <= self.at]
        self.alarms = [alarm for alarm in self.alarms if alarm not in due]
        for _, happen in due:
            happen()

    def when(self, after: timedelta, happen: Callable[[], object]) -> None:
        self.alarms.append((self.at + after, happen))


class CapacityGate(FakeGate):
    """Counts healthy instances as the real one does, after having said what it is told to say."""

    def check(self, rotation: Rotation, seen: Observation) -> Verdict:
        told = super().check(rotation, seen)
        return told if self.judgement is not Judgement.PASS else capacity_verdict(rotation, seen, self.name)

    def find_blockers(self, slots: Mapping[Slot, Any], live: Slot) -> Any:
        assert slots[live].slot is live
        return super().find_blockers(slots, live)


class ScriptedFleet(FakeFleet):
    """Runs `before_write` with each action before it is carried out; `fail_once` breaks the next look."""

    def __init__(self, **options: Any) -> None:
        self.before_write: Callable[[object], object] = lambda action: None
        self.fail_once: Exception | None = None
        super().__init__(**options)

    def observe(self, rotation: Rotation | None) -> Any:
        error, self.fail_once = self.fail_once, None
        if error is not None:
            raise error
        return super().observe(rotation)

    def apply(self, action: Any) -> None:
        self.before_write(action)
        super().apply(action)

    def has_scaling_policies(self, slot: Slot) -> bool:
        return self.state[slot].desired >= 0 and super().has_scaling_policies(slot)

    def template_changes(self, live: Slot) -> tuple[str, ...]:
        assert self.state[live].desired > 0, "only what the live slot was launched from can have changed"
        return super().template_changes(live)

    def find_blockers(self, live: Slot, image: Any, need: int, ahead: Any = UNKNOWN_AHEAD) -> Any:
        assert need == self.state[live].desired, "what is to be launched is what the live slot has"
        assert image.id.startswith("ami-")
        return super().find_blockers(live, image, need, ahead)


class CountingRouter(FakeRouter):
    """Remembers which questions it was asked, and is asked about both slots or not at all; instances in
    `all_sick_in` are unhealthy.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        self.searches = 0
        self.all_sick_in: Slot | None = None
        self.asked: list[frozenset[Slot]] = []
        super().__init__(*args, **options)

    def _health(self, instance: Instance) -> TargetState:
        bad = self.all_sick_in is not None and instance in self.fleet.state[self.all_sick_in].instances
        return TargetState.UNHEALTHY if bad else super()._health(instance)

    def _recognize(self, target_groups: Mapping[Slot, Any]) -> None:
        assert set(target_groups) == set(Slot), "the pair has two slots, and each has its target groups"

    def find(self, target_groups: Mapping[Slot, Any]) -> Any:
        self._recognize(target_groups)
        self.searches += 1
        return super().find(target_groups)

    def serves_by_zone(self, target_groups: Mapping[Slot, Any]) -> bool:
        self._recognize(target_groups)
        return super().serves_by_zone(target_groups)

    def shift(self, action: Any, target_groups: Mapping[Slot, Any], routes: Any) -> Any:
        self._recognize(target_groups)
        return super().shift(action, target_groups, routes)

    def find_blockers(self, slots: Mapping[Slot, Any], live: Slot, ahead: Any = UNKNOWN_AHEAD) -> Any:
        assert slots[live].slot is live
        return super().find_blockers(slots, live, ahead)

    def observe(self, target_groups: Any, routes: Any, want_health: frozenset[Slot]) -> Traffic:
        self._recognize(target_groups)
        self.asked.append(want_health)
        return super().observe(target_groups, routes, want_health)


class Inbox:
    """A notifier that keeps what it is told, or fails."""

    def __init__(self, *, broken: bool = False, name: str = "inbox") -> None:
        self.name = name
        self.notices: list[Notice] = []
        self.ids: list[str] = []
        self.subjects: list[str] = []
        self.texts: list[str] = []
        self.broken = broken

    def notify(self, notice: Notice) -> None:
        if self.broken:
            raise Unreachable("the topic does not answer")
        self.notices.append(notice)
        self.ids.append(notice.id)
        self.subjects.append(notice.subject)
        self.texts.append(notice.text)


@dataclass
class Bench:
    """One group `web` with four live instances in blue, a newer image, and every fake within reach."""

    clock: VirtualClock = field(default_factory=VirtualClock)
    fleet: ScriptedFleet = field(default_factory=ScriptedFleet)
    store: MemoryStore = field(default_factory=MemoryStore)
    gate: CapacityGate = field(default_factory=lambda: CapacityGate("target_health"))
    images: FakeImages = field(default_factory=lambda: FakeImages(an_image(), LIVE_IMAGE))
    inbox: Inbox = field(default_factory=Inbox)
    router: CountingRouter = field(init=False)
    group: Group = field(init=False)

    def __post_init__(self) -> None:
        self.router = CountingRouter(self.fleet)
        self.group = Group(
            name="web",
            terms=Terms(ALL_AT_ONCE, healthy_for=timedelta(0)),
            slots={slot: f"web-{slot.value}" for slot in Slot},
            fleet=self.fleet,
            router=self.router,
            gates=(self.gate,),
            images=self.images,
            store=self.store,
            clock=self.clock,
            tracer=NoTracer(),
            driver="here/1",
            by="tester",
            notifiers=(self.inbox,),
        )

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

    @property
    def writes(self) -> list[str]:
        """Names of all actions that reached AWS, fleet's and router's apart."""
        return [type(action).__name__ for action in (*self.fleet.applied, *self.router.shifts)]

    @property
    def percent(self) -> set[int]:
        """What the routes send to green."""
        return {weights[GREEN] for weights in self.router.weights.values()}

    def send(self, percent: int) -> None:
        """Another writer changes the weights: so much goes to green."""
        self.router.weights = {arn: {BLUE: 100 - percent, GREEN: percent} for arn in self.router.weights}

    def forget_writes(self) -> None:
        """Begin to count anew."""
        self.fleet.applied.clear()
        self.router.shifts.clear()

    def rotated(self) -> Report:
        """After a whole rotation to the newer image."""
        return rotate(self.group, RotateRequest())

    def baking(self, minutes: float = 1) -> GroupRecord:
        """In the first bake, and without a driver: the driver was stopped so long after it began."""
        self.clock.when(timedelta(minutes=minutes), lambda: setattr(self.clock, "stopping", True))
        try:
            rotate(self.group, RotateRequest(), watch_nothing)
        except PhoenixError:
            self.clock.stopping = False
        assert self.rotation.clocks.baking_since is not None
        return self.record

    def is_outrun(self, **changes: Any) -> None:
        """Another driver saves the record, with these changes, right before our next save."""

        def interfere(_: GroupRecord) -> None:
            self.store.save(replace(self.record, **changes))

        self.store.before_save = interfere

    def seized_by(self, driver: str = "elsewhere/7", *, minutes: float = 10) -> Lease:
        """Another driver has the group."""
        return self.store.claim("web", driver, self.clock.now(), timedelta(minutes=minutes), force=True)


def a_bench(**changes: Any) -> Bench:
    """A bench whose group differs in some fields; `terms` may be a mapping of changes to the standard terms."""
    bench = Bench()
    terms = changes.pop("terms", {})
    bench.images = changes.get("images") or bench.images
    bench.group = replace(bench.group, terms=replace(bench.group.terms, **terms), **changes)
    return bench
