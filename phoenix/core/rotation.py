"""A rotation as it is remembered, in groups that begin anew together, and the transitions from one state to the next.

Pure: frozen values only. Every transition is a method that returns the next value. Nothing sleeps for a boot, a bake or
a drain: the clocks are times in here, all aware and UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from phoenix.core.chronicle import Chronicle
from phoenix.core.clocks import CandidateFacts, Growth, StepClocks
from phoenix.core.generation import Generation
from phoenix.core.model import Cause, Outcome, Phase, Verdict
from phoenix.core.story import Ask, Event, Hold, Origin, WayBack
from phoenix.core.temporary import Ledger
from phoenix.core.terms import Capacity, Step, Terms

MOST_EVENTS = 200
"""Lines that a rotation's story keeps; two hundred of 80 letters take some 28 KB."""


@dataclass(frozen=True, slots=True)
class Rotation:
    """Replacing the live generation with the next one; all that a tick needs to go on after a crash.

    `step` is 1-based, 0 before the first. `back` set means: the target is the old generation. `need` never falls on the
    way forward. `capacity` is what the live slot is to have at rest, `ledger` what is changed for as long as the
    rotation lasts: empty before the first change and after the end.

    `weight` is the last one that was verified, `intended_weight` the one that may be on its way, both in per cent for
    the new generation. `exposed_at` is when the new generation was first meant to get any traffic. `succeeded_at`
    survives a rollback that comes after a success. `phase_since` None: since the start.
    """

    id: str
    group: str
    old: Generation
    new: Generation
    terms: Terms
    started_at: datetime
    deadline: datetime
    origin: Origin
    need: int
    capacity: Capacity
    ledger: Ledger = Ledger()
    step: int = 0
    candidate: CandidateFacts = CandidateFacts()
    growth: Growth = Growth()
    clocks: StepClocks = StepClocks()
    looked_at: datetime | None = None
    weight: int = 0
    intended_weight: int = 0
    exposed_at: datetime | None = None
    promoted_to_end: bool = False
    paused: Ask | None = None
    held: Hold | None = None
    back: WayBack | None = None
    succeeded_at: datetime | None = None
    phase_since: datetime | None = None
    outcome: Outcome = Outcome.IN_PROGRESS
    ended_at: datetime | None = None
    waiting_for: str | None = None
    verdicts: tuple[Verdict, ...] = ()
    events: tuple[Event, ...] = ()
    chronicle: Chronicle = Chronicle()

    # --- what it is ---------------------------------------------------------------------------------------------------

    @property
    def in_flight(self) -> bool:
        """True until a terminal outcome has been recorded."""
        return self.ended_at is None

    @property
    def has_run(self) -> bool:
        """True once an instance of the new generation was seen. Until then nothing is known of its image."""
        candidate = self.candidate
        known = (candidate.launched_at, candidate.first_healthy_at, self.succeeded_at)
        return candidate.in_service_high > 0 or any(at is not None for at in known)

    @property
    def fair_cause(self) -> Cause | None:
        """The cause of a way back: who goes back from an image that never ran blames something else than the image."""
        return Cause.ENVIRONMENT if self.cause is Cause.OPERATOR and not self.has_run else self.cause

    @property
    def known_end(self) -> datetime | None:
        """The end; None also for a rotation that was found on the tags after its end, which no person is known to have
        started."""
        return None if not self.origin.by and self.ended_at == self.started_at else self.ended_at

    @property
    def current(self) -> Step:
        """The step that the engine brings the world to; the way back is a step like any other."""
        if self.back is not None:
            return Step(new_capacity=0, old_capacity=100, new_weight=0)
        return self.terms.steps[max(self.step, 1) - 1]

    @property
    def is_holding(self) -> bool:
        """True while new instances are kept from traffic until the gates before it have passed."""
        return self.terms.holds and self.back is None and self.growth.released_at is None

    @property
    def is_last_step(self) -> bool:
        """True once no further step follows."""
        return self.step >= len(self.terms.steps)

    @property
    def cause(self) -> Cause | None:
        """The cause of its rollback, or of one that did not happen because the policy says to wait for a person."""
        if self.back is not None:
            return self.back.cause
        return self.held.cause if self.held is not None else None

    @property
    def reason(self) -> str | None:
        """The reason for its rollback, in one sentence."""
        return self.back.reason if self.back is not None else None

    @property
    def phase(self) -> Phase:
        """The work that it is busy with."""
        if not self.in_flight:
            return Phase.DONE
        if self.back is not None:
            return Phase.ROLLING_BACK
        clocks = self.clocks
        checks = (
            (clocks.closing_since is not None, Phase.CLOSING),
            (self.step == 0, Phase.PREPARING),
            (clocks.baking_since is not None, Phase.BAKING),
            (clocks.shifted_at is not None, Phase.SHRINKING),
            (clocks.proved_at is not None, Phase.SHIFTING),
            (self.growth.ready_since is not None, Phase.PROVING),
        )
        return next((phase for applies, phase in checks if applies), Phase.GROWING)

    # --- how it goes on -----------------------------------------------------------------------------------------------

    def note(self, at: datetime, name: str, text: str, ask: Ask | None = None) -> Rotation:
        """With one more line in its story; `ask` where it is a person's act. Of a long story the first line and the
        newest are kept: a record has to fit into its store, and a rotation that waits for a person may be told of for
        weeks."""
        left_out = max(len(self.events) + 1 - MOST_EVENTS, 0)
        event = Event(at, name, text, *((ask.by, ask.reason) if ask is not None else ()))
        return replace(self, events=(*self.events[:1], *self.events[1 + left_out :], event))

    def look(self, at: datetime, need: int, verdicts: tuple[Verdict, ...]) -> Rotation:
        """As it stands when AWS was looked at."""
        memos = {**self.candidate.memos, **{verdict.gate: verdict.memo for verdict in verdicts}}
        candidate = replace(self.candidate, memos={gate: memo for gate, memo in memos.items() if memo})
        return replace(self, looked_at=at, need=need, verdicts=verdicts, candidate=candidate)

    def memo_of(self, gate: str) -> str:
        """The memo that the gates of that name have left; empty at first. Looks that do not ask them keep it."""
        return self.candidate.memos.get(gate, "")

    def wait_for(self, what: str) -> Rotation:
        """In flight or held, and waiting for that."""
        outcome = Outcome.HELD if self.held is not None else Outcome.IN_PROGRESS
        return replace(self, outcome=outcome, waiting_for=what)

    def hold(self, at: datetime, why: str, cause: Cause | None = None) -> Rotation:
        """Standing still until a person acts."""
        return replace(self, held=Hold(why, cause)).note(at, "held", why)

    def expose(self, at: datetime) -> Rotation:
        """With traffic on the new generation since then, unless it had some before."""
        return self if self.exposed_at is not None else replace(self, exposed_at=at)

    def begin(self, at: datetime) -> Rotation:
        """At its first step."""
        return replace(self, step=1, growth=Growth(since=at, progress_at=at))

    def release(self, at: datetime) -> Rotation:
        """The gates before traffic have passed: held instances, and those of later launches, may go on."""
        released = replace(self, growth=replace(self.growth, released_at=at))
        return released.note(at, f"step {self.step}", "gates before traffic passed; instances go into service")

    def prove(self, at: datetime, ready_since: datetime) -> Rotation:
        """The step's gates have passed: its weight may be on its way from now on."""
        weight, since = self.current.new_weight, self.growth.since
        grew_in = self.candidate.grew_in or (ready_since - since if since else None)
        proved = replace(
            self,
            clocks=replace(self.clocks, proved_at=at),
            growth=replace(self.growth, ready_since=ready_since),
            candidate=replace(self.candidate, grew_in=grew_in),
            intended_weight=weight,
        )
        return proved.expose(at) if weight or self.terms.opt_ins else proved

    def verify_shift(self, at: datetime) -> Rotation:
        """The step's weight was read back."""
        return replace(self, weight=self.current.new_weight, clocks=replace(self.clocks, shifted_at=at))

    def doubt_shift(self, at: datetime) -> Rotation:
        """On the way back: weight is on the new generation again, so nothing is settled."""
        return replace(self, clocks=replace(self.clocks, shifted_at=None, closing_since=None)).expose(at)

    def shrink(self, at: datetime) -> Rotation:
        """It is decided that the old generation may shrink."""
        return replace(self, clocks=replace(self.clocks, shrunk_at=at))

    def bake(self, at: datetime) -> Rotation:
        """The step rests."""
        return replace(self, clocks=replace(self.clocks, baking_since=at))

    def close(self, at: datetime) -> Rotation:
        """Only the clean-up is left. A way back is given its cause: by now it is known whether the image has run."""
        closing = replace(self, clocks=replace(self.clocks, closing_since=at))
        return closing if self.back is None else replace(closing, back=replace(self.back, cause=self.fair_cause))

    def go_on(self) -> Rotation:
        """At the next step; its clocks begin anew."""
        promoted = self.clocks.promoted if self.promoted_to_end else None
        return replace(self, step=self.step + 1, clocks=StepClocks(promoted=promoted))

    def grow(self, at: datetime, target: int) -> Rotation:
        """The candidate begins to grow to `target`."""
        growth = Growth(since=at, progress_at=at, short_since=self.growth.short_since)
        return replace(self, growth=growth, candidate=replace(self.candidate, target=target))

    def turn_back(self, back: WayBack) -> Rotation:
        """With the old generation as its target. All clocks begin anew; what it was held or paused for is over."""
        return replace(
            self,
            back=back,
            growth=Growth(),
            clocks=StepClocks(),
            succeeded_at=self.succeeded_at or self.clocks.closing_since,
            paused=None,
            held=None,
        )

    def reopen(self, *, old: Generation, need: int, capacity: Capacity) -> Rotation:
        """One that has succeeded, in flight again, so that it can be turned back."""
        return replace(
            self,
            outcome=Outcome.IN_PROGRESS,
            ended_at=None,
            clocks=replace(self.clocks, closing_since=None),
            old=old,
            need=need,
            capacity=capacity,
            weight=100,
            intended_weight=100,
            exposed_at=self.exposed_at or self.ended_at,
        )

    def end(self, at: datetime, outcome: Outcome) -> Rotation:
        """Over, with nothing temporary left."""
        succeeded_at = at if outcome is Outcome.SUCCEEDED else None
        return replace(
            self,
            outcome=outcome,
            ended_at=at,
            waiting_for=None,
            ledger=Ledger(),
            succeeded_at=self.succeeded_at or succeeded_at,
        )

    # --- what a person asks of it -------------------------------------------------------------------------------------

    def pause(self, ask: Ask) -> Rotation:
        """Its steps and their clocks stand still."""
        return replace(self, paused=ask, waiting_for=f"paused by {ask.by}").note(ask.at, "paused", ask.text, ask)

    def resume(self, ask: Ask) -> Rotation:
        """Neither paused nor held."""
        going = replace(self, paused=None, held=None, outcome=Outcome.IN_PROGRESS)
        return replace(going, waiting_for="resumed; the next tick goes on").note(ask.at, "resumed", ask.text, ask)

    def resume_from(self, weight: int, at: datetime) -> Rotation:
        """The step begins again from the weight that is there: what ran out of time gets that time once more, or it
        would be held at once for the same reason. Closing may have changed who runs scheduled actions."""
        is_growing = self.clocks.proved_at is None and self.growth.since is not None
        growth = replace(self.growth, since=at, progress_at=at) if is_growing else self.growth
        return replace(
            self,
            growth=growth,
            ledger=self.ledger.begin_anew(at),
            weight=weight,
            clocks=replace(self.clocks, shifted_at=None, baking_since=None, closing_since=None),
            succeeded_at=self.succeeded_at or self.clocks.closing_since,
        )

    def promote(self, ask: Ask, *, to_end: bool) -> Rotation:
        """Its bake is over, or with `to_end` all that are left. A bake that waits for this has taken no time."""
        going = self
        if self.current.bake is None and self.clocks.baking_since is not None:
            going = replace(self, deadline=self.deadline + (ask.at - self.clocks.baking_since))
        clocks = replace(going.clocks, promoted=ask)
        going = replace(going, clocks=clocks, promoted_to_end=to_end, paused=None)
        return replace(going, waiting_for="promoted; the next tick goes on").note(ask.at, "promoted", ask.text, ask)

    def stand_still(self, span: timedelta) -> Rotation:
        """Standing still does not count: every running clock starts that much later."""

        def later(at: datetime | None) -> datetime | None:
            return None if at is None else at + span

        growth, clocks = self.growth, self.clocks
        return replace(
            self,
            deadline=self.deadline + span,
            growth=replace(
                growth,
                since=later(growth.since),
                progress_at=later(growth.progress_at),
                short_since=None,
                said_since=later(growth.said_since),
            ),
            clocks=replace(clocks, baking_since=later(clocks.baking_since)),
        )
