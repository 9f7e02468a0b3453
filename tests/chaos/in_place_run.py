"""A rotation of one Auto Scaling group on its pure model, whose drivers die, and the invariants that it has to keep.

Every call is held against I1 in the words of instances, every end against I3 to I6 and I9: sizes, version, reserve.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

from phoenix.core import tags
from phoenix.core.action import Action
from phoenix.core.back import reopen, turn_back
from phoenix.core.decide import decide
from phoenix.core.model import Cause, Outcome, Slot
from phoenix.core.record import GroupRecord
from phoenix.core.story import Ask
from phoenix.core.terms import Capacity, Step
from phoenix.core.work import Station
from phoenix.fleets.in_place_calls import Call
from phoenix.strategies.blue_green import blue_green
from phoenix.strategies.canary import Stage, canary
from phoenix.strategies.rolling import Room, rolling
from tests.builders import a_generation, a_record, a_rotation, some_terms
from tests.chaos.invariants import Violated, check_sentence
from tests.chaos.orchestrated import Orchestrated
from tests.one_group import SERVING, OneGroup, Refused, Server

_BAKE = timedelta(minutes=2)
STRATEGIES: dict[str, tuple[Step, ...]] = {
    "blue_green": blue_green(_BAKE, gives_way=True),
    "canary": canary([Stage(5, _BAKE, 5), Stage(50, _BAKE, 50)], _BAKE, gives_way=True),
    "rolling": rolling(25, _BAKE, Room(100, 125)),
}
SIZES = (1, 2, 4, 7, 30)
IMAGES = ("good", "bad")
POLL = 10.0
MOST_TICKS = 3000
MOST_RESUMES = 4


class Death(Exception):
    """The driver is gone right after a call, or right before it."""


@dataclass
class Run:
    """One group, its record, and the drivers that take turns."""

    world: OneGroup
    record: GroupRecord
    size: int
    deaths: set[int] = field(default_factory=set)
    struck: Counter[str] = field(default_factory=Counter)
    resized: bool = False
    """Another writer or an autoscaler has moved the size: the group may end with another one."""
    taken_out: set[str] = field(default_factory=set)
    """Instances that a person has moved to Standby."""
    ticks: int = 0
    calls: int = 0

    def __post_init__(self) -> None:
        self._make = self.world.make
        self.world.make = self.make  # type: ignore[method-assign]
        self.world.check = self.check  # type: ignore[method-assign]
        self._serving = self.world.serving()

    def make(self, call: Call) -> None:
        """A call to AWS; odd numbers of death are before one, even ones after."""
        self.calls += 1
        if 2 * self.calls - 1 in self.deaths:
            raise Death
        self._serving = self.world.serving()
        self._make(call)
        if 2 * self.calls in self.deaths:
            raise Death

    def check(self) -> None:
        """I1: what phoenix does never leaves fewer than the floor, nor fewer than there were where they were less."""
        found, needed = self.world.serving(), min(self.world.floor, self._serving)
        if found < needed:
            raise Violated("I1", f"{found} serve, {needed} are needed, after {self.world.calls[-1:]}")

    def tick(self) -> tuple[Action, ...]:
        """One look, one decision, its actions."""
        self.ticks += 1
        if self.ticks > MOST_TICKS:
            raise Violated("I6", f"never ended: {self.record.rotation and self.record.rotation.waiting_for}")
        self._serving = self.world.serving()
        made = len(self.world.calls)
        decision = decide(self.record, self.world.look(self.record))
        check_sentence(decision.reason)
        self.record = decision.record
        try:
            for action in decision.actions:
                self._serving = self.world.serving()
                self.world.apply(action)
        except Refused:
            if not self.world.lag:
                raise
            # What was seen is over: the fleet says so, and the next look tells what has become of it.
            self.struck["refused"] += 1
            self.world.pass_time(POLL)
            return decision.actions
        except Death:
            self.struck["dies"] += 1
            self.world.pass_time(60)
            return decision.actions
        waits = decision.look_again_at is None or decision.look_again_at > self.world.now
        if waits or (decision.actions and made == len(self.world.calls)):
            # AWS may still be busy with what an action needs: then the driver waits as well.
            self.world.pass_time(POLL)
        elif self.world.lag:
            # However soon the next look comes, answers do not stay old for ever.
            self.world.pass_time(1)
        return decision.actions

    def turn(self) -> None:
        """An operator rolls back."""
        rotation, seen = self.record.rotation, self.world.look(self.record)
        assert rotation is not None
        if rotation.back is not None:
            return
        forward = rotation if rotation.in_flight else reopen(self.record, rotation, seen)
        turned = turn_back(forward, seen, Ask(self.world.now, "oncall", "INC-1"), Cause.OPERATOR)
        self.record = replace(self.record, rotation=turned)

    def drive(self, between: Callable[[], None] = lambda: None) -> None:
        """To a terminal outcome: a person resumes a held rotation, and in the end gives up and rolls back."""
        resumes = 0
        while (rotation := self.record.in_flight) is not None:
            if rotation.held is not None:
                self.struck["held"] += 1
                resumes += 1
                ask = Ask(self.world.now, "bob", "looked at it")
                resumed = rotation.resume(ask).resume_from(rotation.weight, self.world.now)
                self.record = replace(self.record, rotation=replace(resumed, ledger=resumed.ledger.forget()))
                if resumes > MOST_RESUMES:
                    self.turn()
            between()
            self.tick()


def begin(strategy: str, image: str, size: int, *, drains: bool = False) -> Run:
    """A rotation that has been decided, and nothing else. `drains`: work has to leave an instance before it does."""
    world = Orchestrated(size) if drains else OneGroup(size)
    world.bad_versions = {"2"} if image == "bad" else set()
    terms = some_terms(
        STRATEGIES[strategy],
        healthy_for=timedelta(seconds=20),
        serving=SERVING,
        launch_timeout=timedelta(minutes=5),
        rotation_timeout=timedelta(hours=6),
        before_leaving=(Station("ecs", "ecs shop", timedelta(hours=1)),) if drains else (),
    )
    rotation = a_rotation(
        terms=terms,
        new=a_generation(42, template_version=None),
        need=size,
        capacity=Capacity(world.min, world.max),
        step=0,
        grown_since=None,
        deadline=world.now + timedelta(hours=6),
    )
    record = a_record(rotation, slots=dict.fromkeys(Slot, "web"), target_groups={}, routes={})
    return Run(world, record, size)


def conclude(run: Run) -> None:
    """Check the leftovers after the end, while hot, and once cold."""
    run.world.launch_error = None
    run.world._settle()
    run.world.pass_time(120)
    _rest(run)
    rotation = run.record.rotation
    assert rotation is not None
    back = rotation.outcome is Outcome.ROLLED_BACK
    _settled(run, back=back)
    reserve = {s.version for s in _standing(run)}
    if back and reserve:
        raise Violated("I4", f"version {reserve} is left in Standby after a rollback")
    if not back and len(reserve) > 1:
        raise Violated("I4", f"versions {reserve} are in Standby")
    run.world.pass_time(3700)
    _rest(run)
    if _standing(run):
        raise Violated("I4", f"{len(_standing(run))} are in Standby once the generation before is cold")
    if isinstance(run.world, Orchestrated):
        _worked(run.world)
    left = [key for key in run.world.tags if key.startswith((tags.CAPACITY, tags.LEDGER))]
    if left:
        raise Violated("I5", f"{left} are left")


def _worked(world: Orchestrated) -> None:
    if world.cut_off:
        raise Violated("leaving", f"{world.cut_off} went with work on them")
    if world.idle():
        raise Violated("leaving", f"{world.idle()} serve, and are given no work")


def _standing(run: Run) -> list[Server]:
    return [s for s in run.world.servers if s.standby_at is not None and s.id not in run.taken_out]


def _rest(run: Run) -> None:
    """A few ticks at most to follow what others did, then nothing (I9)."""
    actions: tuple[Action, ...] = ()
    for _ in range(6):
        actions = run.tick()
    if actions:
        raise Violated("I9", f"with nothing to do: {actions}")


def _settled(run: Run, *, back: bool) -> None:
    world, rotation = run.world, run.record.rotation
    assert rotation is not None
    winner = rotation.old.template_version if back else rotation.new.template_version
    owner = rotation.capacity
    if not run.resized and (world.min, world.max, world.desired) != (owner.min, owner.max, run.size):
        raise Violated(
            "I5", f"the group has {(world.min, world.max, world.desired)}, the owner set {owner}, {run.size}"
        )
    if world.version != winner or {s.version for s in world.servers if s.standby_at is None} != {winner}:
        raise Violated("I3", f"{winner} should live, {world.version} is launched, {[s.version for s in world.servers]}")
    if world.suspended:
        raise Violated("I5", f"{world.suspended} are still suspended")
    kept = {key for key in world.tags if key.startswith((tags.CAPACITY, tags.LEDGER))}
    if kept - (set() if back else {f"{tags.CAPACITY}:blue"}):
        raise Violated("I5", f"{kept} are left")
    if rotation.ledger:
        raise Violated("I5", f"the ledger still has {rotation.ledger}")
