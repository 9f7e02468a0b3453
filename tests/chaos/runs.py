"""Whole rotations with something in their way: deaths, stalls, operators. Each returns how the run ended, or raises.

Must never leave a run undecided: after the strikes the last driver goes on until the rotation has ended, and what it
has left behind is judged.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count

from phoenix.core.fence import SIGNED_FOR
from phoenix.core.model import Outcome
from phoenix.engine.control import pause, promote, resume
from phoenix.engine.drive import drive
from phoenix.engine.group import Group
from phoenix.engine.lease import claim
from phoenix.engine.once import tick_once
from phoenix.engine.report import Report, Watch
from phoenix.engine.request import RollbackRequest
from phoenix.engine.rollback import abort, rollback
from phoenix.errors import Blocked, LeaseHeld, LeaseLost, PhoenixError, TransientError
from phoenix.ports import Lease
from tests.chaos.cases import Case
from tests.chaos.drivers import Death, Ports, Run
from tests.chaos.invariants import Violated, check_launches, check_sentence
from tests.chaos.wired import driver

MOST_TICKS = 1500
FOR_EVER = timedelta(days=1000)
ONE_SECOND = timedelta(seconds=1)
MOST_DRIVERS = 60

Drive = Callable[[Group, Lease, Watch], object]


@dataclass
class Crew:
    """The drivers of one run: when one is gone, the next takes over."""

    run: Run
    ports: type[Ports] = Ports
    drive: Drive = drive
    on_tick: Callable[[int, Report], None] = lambda tick, report: None
    skew: timedelta = timedelta(0)
    ticks: int = 0
    numbers: count[int] = field(default_factory=lambda: count(1))

    def new(self, by: str = "driver") -> Group:
        """Another driver, at another machine; every second one's clock is wrong."""
        number = next(self.numbers)
        ports = self.ports(self.run, f"{by}-{number}", skew=self.skew if number % 2 == 0 else timedelta(0))
        return driver(ports)

    def finish(self) -> None:
        """Drive until the rotation has ended or is held, however many drivers that takes."""
        for _ in range(MOST_DRIVERS):
            rotation = self.run.rotation
            if not rotation.in_flight or rotation.held is not None:
                return
            self.live_once()
        raise Violated("I6", f"not ended after {MOST_DRIVERS} drivers: {self.run.rotation.waiting_for}")

    def live_once(self) -> None:
        """One driver, until it has ended the rotation, died, lost the lease, or found it taken."""
        group = self.new()
        try:
            lease = claim(group)
            self.drive(group, lease, self.watch)
            group.store.release(lease)
        except (Death, LeaseHeld, LeaseLost, TransientError):
            self.run.model.pass_time(20)

    def watch(self, report: Report) -> None:
        """Every driver, and every person who waits, is heard and counted here."""
        self.ticks += 1
        check_sentence(report.sentence)
        if self.ticks > MOST_TICKS:
            raise Violated("I6", f"not ended after {MOST_TICKS} ticks: {report.sentence}")
        self.on_tick(self.ticks, report)


def die(name: str) -> None:
    """What a plan does to a driver that is to be killed."""
    raise Death(name)


def settle(crew: Crew, case: Case) -> None:
    """Nothing is due any more: further ticks change nothing (I9), and no more was launched than needed (I3)."""
    run = crew.run
    run.fate.plan.clear()
    applied = len(run.model.applied)
    group = crew.new("later")
    for _ in range(3):
        run.model.pass_time(60)
        lease = claim(group)
        decision = tick_once(group, lease, run.record).decision
        check_sentence(decision.reason)
        if decision.actions or len(run.model.applied) != applied:
            raise Violated("I9", f"with nothing to do: {decision.actions}")
    check_launches(run.model.made, run.model.launched, case.size)


def end_state(run: Run) -> tuple[object, ...]:
    """What two runs have to have in common to have ended alike; when they ended is their own business."""
    record = run.record
    images = tuple(sorted(q.image for q in record.quarantine))
    numbers = (record.live and record.live.number, record.retained and record.retained.number)
    return (run.model.fingerprint(), run.rotation.outcome, run.rotation.cause, *numbers, images)


def calm(case: Case) -> Run:
    """Undisturbed, from beginning to end."""
    crew = Crew(case.run())
    crew.finish()
    if crew.run.rotation.outcome is not case.outcome:
        raise Violated("I6", f"ended {crew.run.rotation.outcome}: {crew.run.rotation.reason}")
    settle(crew, case)
    return crew.run


def with_deaths(case: Case, deaths: tuple[int, ...], **crew_options: object) -> Run:
    """Killed at these moments, counted over all drivers; then to the end."""
    crew = Crew(case.run(), **crew_options)  # type: ignore[arg-type]
    crew.run.fate.plan.update(dict.fromkeys(deaths, die))
    crew.finish()
    settle(crew, case)
    return crew.run


def with_stall(case: Case, moment: int, ticks: int, **crew_options: object) -> Run:
    """The driver freezes at that moment until its lease is over; another does that many ticks; then it wakes up.

    That moment may be the one between its own check of the lease and the call: there its permit ends.
    """
    crew = Crew(case.run(), **crew_options)  # type: ignore[arg-type]
    crew.run.fate.plan[moment] = lambda name: freeze(crew, ticks)
    crew.finish()
    settle(crew, case)
    return crew.run


def with_late_request(case: Case, moment: int, ticks: int, **crew_options: object) -> Run:
    """The machine freezes when the request that follows on that moment has left the process, after every check of ours.

    Another driver does that many ticks. Then the request arrives, unless AWS takes its signature no more.
    """
    crew = Crew(case.run(), **crew_options)  # type: ignore[arg-type]
    crew.run.fate.wire[moment] = lambda name: freeze(crew, ticks, at_most=SIGNED_FOR - ONE_SECOND)
    crew.finish()
    settle(crew, case)
    return crew.run


def with_late_request_at_a_rollback(case: Case, moment: int, ticks: int) -> Run:
    """The same, but an operator rolls back right then, and the ticks are those of the way back."""
    crew = Crew(case.run())

    def turn(_: str) -> None:
        ann = crew.new("ann")
        try:
            rollback(ann, RollbackRequest(wait=False))
        except Blocked:
            crew.run.struck["nothing to go back to"] += 1
        freeze(crew, ticks, at_most=SIGNED_FOR - ONE_SECOND, lease_is_over=False)

    crew.run.fate.wire[moment] = turn
    crew.finish()
    settle(crew, case)
    return crew.run


def freeze(crew: Crew, ticks: int, at_most: timedelta = FOR_EVER, *, lease_is_over: bool = True) -> None:
    """What a plan does to a driver that stalls: until another has done its ticks, or `at_most` has passed."""
    model = crew.run.model
    wakes_at = model.now + at_most
    model.pass_time(61 if lease_is_over else 0)
    other = crew.new("other")
    try:
        for _ in range(ticks):
            lease = claim(other)
            moves = crew.run.record.in_flight is not None
            if at_most == FOR_EVER and not moves:
                break
            acts = moves and tick_once(other, lease, crew.run.record).decision.actions
            model.pass_time(0 if acts else min(15, (wakes_at - model.now).total_seconds()))
            if model.now >= wakes_at:
                break
    except (PhoenixError, Death):
        crew.run.struck["the other driver failed too"] += 1


def is_gap(name: str) -> bool:
    """True for the moment between an action's check of the lease and the call itself."""
    return " before " in name and not name.endswith(("save", "check"))


# --- operators --------------------------------------------------------------------------------------------------------


def pause_and_resume(group: Group) -> None:
    """Half an hour of standing still."""
    pause(group, "looking at a graph")
    group.clock.sleep(1800)
    resume(group)


OPERATORS: dict[str, Callable[[Group], object]] = {
    "rollback": lambda group: rollback(group, RollbackRequest(reason="checkout is slow")),
    "rollback_no_wait": lambda group: rollback(group, RollbackRequest(wait=False)),
    "rollback_now": lambda group: rollback(group, RollbackRequest(now=True)),
    "abort": lambda group: abort(group, "wrong day"),
    "pause_resume": pause_and_resume,
    "promote": promote,
    "promote_full": lambda group: promote(group, full=True),
}


def with_operator(case: Case, command: str, at_tick: int) -> Run:
    """An operator types that command right after that tick of the driver."""
    run = case.run()
    in_flight: list[bool] = []

    def act(tick: int, report: Report) -> None:
        if tick != at_tick:
            return
        in_flight.append(report.record.in_flight is not None)
        run.judge.promoted = command.startswith("promote")
        run.judge.floor = 1 if command == "rollback_now" else run.judge.floor
        try:
            OPERATORS[command](crew.new("ann"))
        except Blocked:
            if report.record.in_flight is not None:
                raise

    crew = Crew(run, on_tick=act)
    crew.finish()
    goes_back = command.startswith(("rollback", "abort")) and in_flight == [True]
    if goes_back and run.rotation.outcome is not Outcome.ROLLED_BACK:
        raise Violated("I6", f"{command} ended {run.rotation.outcome}")
    settle(crew, case)
    return run
