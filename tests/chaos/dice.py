"""Runs in which everything that a seed draws goes wrong at once; the same seed goes wrong in the same way.

Must never strike without counting it: a reader of the figures wants to know what was survived.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from phoenix.core.action import SetRole
from phoenix.core.model import Slot
from phoenix.core.terms import Capacity
from phoenix.engine.control import pause, promote, resume
from phoenix.engine.group import Group
from phoenix.engine.lease import claim
from phoenix.engine.once import tick_once
from phoenix.engine.report import Report, Watch
from phoenix.engine.request import RollbackRequest
from phoenix.engine.rollback import abort, rollback
from phoenix.errors import PhoenixError
from tests.chaos.cases import STRATEGIES, Case
from tests.chaos.drivers import Death, Ports, Run
from tests.chaos.invariants import Violated, check_launches
from tests.chaos.model import NOTICED_BY_BALANCER, NOTICED_BY_GROUP, ZONES
from tests.chaos.parts import SCHEDULES, Place
from tests.chaos.runs import Crew, die, freeze

STORM = 900.0
"""Seconds from the start in which things go wrong; after that the world only has to be put in order."""
MOST_LAG, MOST_SKEW = 30.0, 10.0
MOST_RESUMES = 4
FORGOTTEN = timedelta(minutes=20)

Command = Callable[[Group, Watch], object]


@dataclass
class Storm:
    """What one seed does to one run."""

    seed: int
    crew: Crew
    dice: Random
    lag: float = 0.0
    disturbed: bool = False
    meddled_at: datetime | None = None
    kinds: tuple[str, ...] = ()
    strikes: dict[str, Callable[[], None]] = field(init=False)

    def __post_init__(self) -> None:
        self.strikes = {
            "dies": lambda: self._plan(die),
            "stalls": lambda: self._plan(lambda name: freeze(self.crew, self.dice.randint(1, 6))),
            "instance lost": lambda: self._often(self._lose, 3),
            "spot interruption": lambda: self._often(self._interrupt, 1),
            "goes sick": lambda: self._often(self._sicken, 2),
            "autoscaler": lambda: self._often(self._scale, 6),
            "weights by hand": lambda: self._often(self._reweigh, 2),
            "capacity by hand": lambda: self._often(self._resize, 2),
            "capacity by IaC": self._insist,
            "tags by hand": lambda: self._often(self._untag, 4),
            "schedules by hand": lambda: self._often(self._resume_schedules, 4),
            "launches fail": lambda: self._often(self._refuse_launches, 2),
            "zone is full": lambda: self._often(self._fill_zone, 2),
            "operator": lambda: self._often(self._operate, 2),
            "stale reads": self._lag_behind,
            "reads fail": self._throttle,
            "clock skew": self._skew,
        }

    @property
    def run(self) -> Run:
        return self.crew.run

    def brew(self) -> None:
        """Draw which kinds strike, and let them."""
        self.kinds = tuple(self.dice.sample(sorted(self.strikes), self.dice.randint(1, 4)))
        for kind in self.kinds:
            self.strikes[kind]()
        self.crew.on_tick = self._unpause
        noticed = NOTICED_BY_BALANCER if self.run.model.balanced else NOTICED_BY_GROUP
        self.run.unknowable = timedelta(seconds=noticed + self.lag)
        self.run.doubt = timedelta(seconds=self.lag) + abs(self.crew.skew)
        self.run.excused = self._just_meddled
        judge = self.run.judge
        judge.disturbed = lambda: self.disturbed
        judge.lost = lambda slot: self.run.model.killed[slot]
        judge.clock_error = self.run.doubt

    def _unpause(self, tick: int, report: Report) -> None:
        """The person who was to resume it may have died over it; another one remembers."""
        rotation = report.record.in_flight
        if rotation is not None and rotation.paused is not None and report.at - rotation.paused.at > FORGOTTEN:
            self.quietly(COMMANDS["resume"])

    def _just_meddled(self, seen_at: datetime) -> bool:
        limit = timedelta(seconds=self.lag + 1)
        if self.meddled_at is None:
            return False
        return self.run.model.now - self.meddled_at <= limit or self.meddled_at >= seen_at

    def _count(self, kind: str, *, takes_capacity: bool = False, meddles: bool = False) -> None:
        self.run.struck[kind] += 1
        self.disturbed = self.disturbed or takes_capacity
        self.meddled_at = self.run.model.now if meddles else self.meddled_at

    # --- when ---------------------------------------------------------------------------------------------------------

    def _often(self, strike: Callable[[], None], most: int) -> None:
        for _ in range(self.dice.randint(1, most)):
            self.run.model.at(self.dice.uniform(1, STORM), strike)

    def _plan(self, strike: Callable[[str], None]) -> None:
        def struck(name: str) -> None:
            self._count("dies" if strike is die else "stalls")
            strike(name)

        for _ in range(self.dice.randint(1, 4)):
            self.run.fate.plan[self.dice.randint(1, 90)] = struck

    # --- what ---------------------------------------------------------------------------------------------------------

    def _lose(self) -> None:
        staying = [m for p in self.run.model.places.values() for m in p.staying()]
        if staying:
            self._count("instance lost", takes_capacity=True)
            self.run.model.kill(self.dice.choice(staying))

    def _interrupt(self) -> None:
        """A third of one slot at once."""
        staying = self.run.model.places[self.dice.choice(list(Slot))].staying()
        for machine in staying[: -(-len(staying) // 3)]:
            self._count("spot interruption", takes_capacity=True)
            self.run.model.kill(machine)

    def _sicken(self) -> None:
        """It stops answering, and its group never notices: a person does, when the storm is over.

        Without a load balancer no person could tell at all: left out there.
        """
        place, model = self.run.model.places[self.dice.choice(list(Slot))], self.run.model
        if not model.balanced:
            return
        for machine in place.staying()[: self.dice.randint(1, 3)]:
            self._count("goes sick", takes_capacity=True)
            machine.killed_at = machine.killed_at or model.now
            model.killed[place.slot] += 1
        model.at(STORM, lambda: model.replace_dead(place))

    def _scale(self) -> None:
        place = self.run.model.places[self.dice.choice(list(Slot))]
        wanted = place.desired + self.dice.choice((-2, -1, 1, 2, 3))
        lowers = max(place.min, wanted) < min(self.run.judge.floor, place.desired)
        self._count("autoscaler", takes_capacity=lowers and self._is_at_rest(place.slot), meddles=True)
        self.run.model.scale(place.slot, wanted)
        live = self.run.record.live
        if self.run.record.in_flight is None and live is not None and live.slot is place.slot:
            # What a later way back has to hold is what was needed when it began.
            self.run.judge.floor = min(self.run.judge.floor, place.desired)

    def _is_at_rest(self, slot: Slot) -> bool:
        """No pin of ours holds it, not yet or not any more: what the autoscaler takes then, it may."""
        pins = (a for _, a, _ in self.run.model.applied if isinstance(a, SetRole) and a.slot is slot)
        rotation = self.run.rotation
        if rotation.succeeded_at is not None and slot is rotation.new.slot:
            return True
        return not rotation.in_flight or next(pins, None) is None or rotation.clocks.closing_since is not None

    def _reweigh(self) -> None:
        rules, self.run.reweighed_at = self.run.model.rules, self.run.model.now
        green = self.dice.choice((0, 10, 50, 90, 100))
        for rule in rules if self.dice.random() < 0.5 else rules[:1]:
            self._count("weights by hand", takes_capacity=True, meddles=True)
            unseen = rule.since > self.run.looked_at
            self.run.model.reweigh(rule, {Slot.BLUE: 100 - green, Slot.GREEN: green})
            # No driver can wait for what came and went between two looks.
            rule.before = {} if unseen else rule.before

    def _resize(self) -> None:
        place = self.run.model.places[self.dice.choice(list(Slot))]
        place.min = self.dice.randint(0, 4)
        place.max = place.min + self.dice.randint(0, 6)
        place.desired = max(place.min, min(place.max, place.desired))
        self._count("capacity by hand", takes_capacity=True, meddles=True)
        self._is_the_owners_word(place)

    def _is_the_owners_word(self, place: Place) -> None:
        live, judge = self.run.record.live, self.run.judge
        # A person's number is the owner's word, also where it is less than there was.
        desired = [each.desired for each in self.run.model.places.values() if each.desired]
        judge.floor = min([judge.floor, *desired])
        if self.run.record.in_flight is None and live is not None and live.slot is place.slot:
            judge.owner = Capacity(place.min, place.max)
        self.run.model.settle(place)

    def _insist(self) -> None:
        """An owner's pipeline sets the same numbers again every few minutes, whichever slot is live."""
        slot, least, most = self.dice.choice(list(Slot)), self.dice.randint(0, 2), self.dice.randint(3, 9)
        every = self.dice.uniform(60, 240)

        def apply() -> None:
            place = self.run.model.places[slot]
            self._count("capacity by IaC", takes_capacity=True, meddles=True)
            place.min, place.max = least, max(most, least)
            place.desired = max(place.min, min(place.max, place.desired))
            self._is_the_owners_word(place)

        for number in range(int(STORM / every)):
            self.run.model.at(every * (number + 1), apply)

    def _untag(self) -> None:
        place = self.run.model.places[self.dice.choice(list(Slot))]
        gone = [key for key in place.tags if self.dice.random() < 0.5]
        for key in gone:
            self._count("tags by hand")
            del place.tags[key]

    def _resume_schedules(self) -> None:
        """On the candidate: on the live slot they are the owner's, and which slot is live is another question."""
        rotation = self.run.rotation
        place = self.run.model.places[rotation.new.slot]
        if rotation.in_flight and rotation.back is None and rotation.clocks.closing_since is None:
            self._count("schedules by hand", meddles=True)
            place.suspended.discard(SCHEDULES)

    def _refuse_launches(self) -> None:
        self._count("launches fail")
        model = self.run.model
        model.launch_error = "We currently do not have sufficient m7i.large capacity"
        model.timeline.after(self.dice.uniform(10, 200), lambda: setattr(model, "launch_error", None))

    def _fill_zone(self) -> None:
        self._count("zone is full")
        model, zone = self.run.model, self.dice.choice(ZONES)
        model.full_zones.add(zone)
        model.timeline.after(self.dice.uniform(30, 400), lambda: model.full_zones.discard(zone))

    def _operate(self) -> None:
        command = self.dice.choice(("rollback", "rollback", "abort", "pause", "promote"))
        self._count(f"operator: {command}")
        self.run.judge.promoted = self.run.judge.promoted or command == "promote"
        try:
            COMMANDS[command](self.crew.new("ann"), self.crew.watch)
        except (PhoenixError, Death) as end:
            self.run.struck[f"operator's command ended: {type(end).__name__}"] += 1
        if command == "pause":
            later = self.dice.uniform(60, 600)
            self.run.model.timeline.after(later, lambda: self.quietly(COMMANDS["resume"]))

    def quietly(self, command: Command) -> None:
        """Let a person type that; what it says when it fails is counted, and no more."""
        try:
            command(self.crew.new("bob"), self.crew.watch)
        except (PhoenixError, Death) as end:
            self.run.struck[f"operator's command ended: {type(end).__name__}"] += 1

    def _lag_behind(self) -> None:
        self.lag = self.dice.uniform(5, MOST_LAG)

        def lag() -> float:
            if self.run.model.now >= self._over() or self.dice.random() < 0.5:
                return 0.0
            self._count("stale read")
            return self.dice.uniform(0, self.lag)

        self.run.weather.lag = lag

    def _throttle(self) -> None:
        probability = self.dice.uniform(0.02, 0.3)

        def fails() -> bool:
            if self.run.model.now >= self._over() or self.dice.random() >= probability:
                return False
            self._count("failed read")
            return True

        self.run.weather.fails = fails

    def _over(self) -> datetime:
        return self.run.judge.start.at + timedelta(seconds=STORM)

    def _skew(self) -> None:
        self.crew.skew = timedelta(seconds=self.dice.uniform(-MOST_SKEW, MOST_SKEW))
        self._count("clock skew")


COMMANDS: dict[str, Command] = {
    "rollback": lambda group, watch: rollback(group, RollbackRequest(reason="checkout is slow"), watch),
    "abort": lambda group, watch: abort(group, "wrong day", watch),
    "pause": lambda group, watch: pause(group, "looking at a graph"),
    "promote": lambda group, watch: promote(group),
    "resume": lambda group, watch: resume(group),
}


def case_of(seed: int) -> Case:
    """Which case a seed is about."""
    dice = Random(seed)
    strategy = dice.choice(sorted(STRATEGIES))
    image = dice.choice(("good", "good", "good", "bad", "slow"))
    return Case(strategy, dice.random() < 0.75, image, dice.choice((1, 2, 3, 4, 4, 7)))


def with_dice(seed: int, ports: type[Ports] = Ports) -> Storm:
    """One run through everything that this seed draws, to a terminal outcome and to rest."""
    case = case_of(seed)
    storm = Storm(seed, Crew(case.run(), ports=ports), Random(f"storm {seed}"))
    storm.brew()
    _conclude(storm)
    _rest(storm)
    return storm


def _conclude(storm: Storm) -> None:
    """To a terminal outcome: a person resumes what is held, and in the end gives up and rolls back."""
    crew, run = storm.crew, storm.run
    for attempt in range(2 * MOST_RESUMES):
        crew.finish()
        if not run.rotation.in_flight:
            return
        run.model.pass_time(30)
        storm.quietly(COMMANDS["resume" if attempt < MOST_RESUMES else "rollback"])
    raise Violated("I6", f"never ended: {run.rotation.waiting_for}")


def _rest(storm: Storm) -> None:
    """When the storm is over: a few ticks at most to follow what others did, then nothing (I9); one version (I3)."""
    run = storm.run
    run.model.pass_time(2 * STORM)
    run.fate.plan.clear()
    _conclude(storm)
    group = storm.crew.new("later")
    actions = 0
    for number in range(6):
        run.model.pass_time(60)
        actions = len(tick_once(group, claim(group), run.record).decision.actions)
        if number >= 4 and actions:
            raise Violated("I9", f"with nothing to do: {run.model.applied[-1]}")
    check_launches(run.model.made, {}, 0)
