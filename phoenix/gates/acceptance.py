"""What all gates have in common that ask a suite of the owner's: a program, a function, a web service, a document.

Such a suite is begun, which a look must never do: only a driver asks these gates. It is asked once a generation, before
traffic, or once a bake; it may take its time, and answer "not yet". Its state is in the memo, so that another
process goes on where this one died. Must never begin a suite that has passed already, nor call silence a pass.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated, Final, Literal

from pydantic import Field

from phoenix.core.explain import ago, clock_time
from phoenix.core.lifecycle import Lifecycle
from phoenix.core.model import Cause, Instance, Judgement, Observation, Verdict
from phoenix.core.ready import candidate_goal, is_enough, is_held
from phoenix.core.rotation import Rotation
from phoenix.core.sides import Sides, sides_of
from phoenix.gates.keys import GateKeys
from phoenix.keys import Duration, Matching, Whole

BEFORE: Final = "before traffic"
LONGEST_REASON: Final = 400
"""Letters of a reason: it is shown on one screen, and kept in the record at every look."""


class AcceptanceKeys(GateKeys):
    """The keys that these gates share."""

    name: (
        Annotated[str, Matching(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,39}", "up to 40 letters, digits, spaces, . _ -")] | None
    ) = Field(default=None, description="Name on screens; needed where two gates would have the same one.")
    when: Literal["before_traffic", "baking", "both"] = Field(
        default="before_traffic", description="Asked once before the candidate has traffic, once in each bake, or both."
    )
    timeout: Duration = Field(
        default=timedelta(minutes=10), description="How long one try may take until it has passed; then it has failed."
    )
    retries: Annotated[int, Whole(0, 10)] = Field(
        default=0, description="How often it is asked again after it has failed, before that counts."
    )
    ask_every: Duration = Field(
        default=timedelta(seconds=30), description="How long to wait before asking again, after a 'not yet' or a retry."
    )

    @property
    def precedes_traffic(self) -> bool:
        """Those that are asked while it bakes only let it have traffic."""
        return self.when != "baking"


@dataclass(frozen=True, slots=True)
class Question:
    """One question to the suite. `number` counts the questions of one gate in one phase from 1, retries included; `ref`
    is what the suite's own answer to an earlier look called the work that it has begun, empty to begin."""

    rotation: Rotation
    seen: Observation
    phase: str
    gate: str
    number: int
    ref: str = ""

    @property
    def id(self) -> str:
        """The same for the same question from any driver: a suite that hears it twice can tell."""
        words = (self.rotation.id, self.gate, self.phase, str(self.number))
        return ".".join(re.sub(r"[^A-Za-z0-9-]+", "-", word).strip("-") for word in words)

    @property
    def instances(self) -> tuple[Instance, ...]:
        """The candidate's instances that run, in service or held before it."""
        new = self.rotation.new
        return tuple(i for i in new.of(self.seen.slots[new.slot]) if i.in_service or i.lifecycle is Lifecycle.HELD)


@dataclass(frozen=True, slots=True)
class Answer:
    """The suite's answer. `ref` names work that goes on, for the next look; empty when there is none."""

    judgement: Judgement
    reason: str
    cause: Cause = Cause.IMAGE
    ref: str = ""


Ask = Callable[[Question], Answer]


@dataclass(frozen=True, slots=True)
class Trial:
    """What the memo keeps of one phase."""

    phase: str
    began: datetime
    number: int = 0
    failures: int = 0
    asked: datetime | None = None
    ref: str = ""
    judgement: Judgement = Judgement.WAIT
    reason: str = ""

    def memo(self) -> str:
        """One line for the record."""
        kept = (self.phase, self.began.isoformat(), self.number, self.failures)
        asked = self.asked.isoformat() if self.asked else ""
        return json.dumps([*kept, asked, self.ref, self.judgement.value, self.reason], ensure_ascii=False)


def judge(keys: AcceptanceKeys, gate: str, rotation: Rotation, seen: Observation, ask: Ask) -> Verdict:
    """The verdict on the candidate, with at most one question to the suite."""
    phase = _phase(keys, rotation)
    if phase is None:
        return Verdict(gate, Judgement.PASS, "is asked while it bakes", memo=rotation.memo_of(gate))
    trial = _kept(rotation.memo_of(gate)) or Trial(phase, seen.at)
    if trial.phase != phase:
        trial = Trial(phase, seen.at)
    if trial.judgement is Judgement.FAIL and rotation.held is None:
        # A person has resumed a rotation that was held for this failure: the suite is asked anew.
        trial = Trial(phase, seen.at, number=trial.number)
    if trial.judgement is not Judgement.WAIT:
        return Verdict(gate, trial.judgement, trial.reason, memo=trial.memo())
    waits = _waits(keys, trial, rotation, seen)
    if waits is not None:
        return Verdict(gate, Judgement.WAIT, waits, Cause.ENVIRONMENT, trial.memo())
    number = trial.number if trial.ref else trial.number + 1
    answer = ask(Question(rotation, seen, phase, gate, number, trial.ref))
    began = trial.began if trial.asked else seen.at
    asked = replace(trial, began=began, number=number, asked=seen.at, ref=answer.ref, reason=in_one_line(answer.reason))
    return _concluded(keys, gate, asked, answer, seen.at)


def _phase(keys: AcceptanceKeys, rotation: Rotation) -> str | None:
    """Before traffic, or the step that bakes; None while it is not to be asked."""
    if rotation.weight == 0 or rotation.is_holding:
        return BEFORE if keys.when != "baking" else None
    is_asked = keys.when != "before_traffic" and rotation.clocks.baking_since is not None
    return f"step {rotation.step}" if is_asked else None


def _waits(keys: AcceptanceKeys, trial: Trial, rotation: Rotation, seen: Observation) -> str | None:
    """Why the suite is not asked at this look; None: it is."""
    if trial.ref:
        return None
    if trial.asked is not None and seen.at - trial.asked < keys.ask_every:
        return trial.reason
    sides = sides_of(rotation, seen)
    if trial.phase == BEFORE and not (is_enough(rotation, sides) or is_held(rotation, sides)):
        return _begins_later(rotation, sides)
    return None


def _begins_later(rotation: Rotation, sides: Sides) -> str:
    there = sides.new.ready_count + (sides.new.held_count if rotation.is_holding else 0)
    return f"begins once all are ready: {there} of {candidate_goal(rotation)}"


def _concluded(keys: AcceptanceKeys, gate: str, trial: Trial, answer: Answer, at: datetime) -> Verdict:
    """What the answer means after the questions before it."""
    if answer.judgement is Judgement.PASS:
        passed = replace(trial, judgement=Judgement.PASS, ref="", reason=f"{trial.reason} ({clock_time(at)})")
        return Verdict(gate, Judgement.PASS, passed.reason, memo=passed.memo())
    if answer.judgement is Judgement.FAIL:
        return _failed(keys.retries, gate, trial, answer.cause, at)
    if at - trial.began >= keys.timeout:
        late = replace(trial, reason=in_one_line(f"has not passed within {ago(keys.timeout)}: {trial.reason}"))
        return _failed(keys.retries, gate, late, Cause.ENVIRONMENT, at)
    return Verdict(gate, Judgement.WAIT, trial.reason, Cause.ENVIRONMENT, trial.memo())


def _failed(retries: int, gate: str, trial: Trial, cause: Cause, at: datetime) -> Verdict:
    failures = trial.failures + 1
    if failures <= retries:
        told = in_one_line(f"failed, try {failures} of {retries + 1}, and is asked again: {trial.reason}")
        again = replace(trial, began=at, failures=failures, ref="", reason=told)
        return Verdict(gate, Judgement.WAIT, told, Cause.ENVIRONMENT, again.memo())
    tries = f" (try {failures} of {failures})" if failures > 1 else ""
    over = replace(trial, failures=failures, ref="", judgement=Judgement.FAIL, reason=f"{trial.reason}{tries}")
    return Verdict(gate, Judgement.FAIL, over.reason, cause, over.memo())


def _kept(memo: str) -> Trial | None:
    """What an earlier look has left; None for none, and for one that is not of this form."""
    try:
        phase, began, number, failures, asked, ref, judgement, reason = json.loads(memo)
        at = datetime.fromisoformat(asked) if asked else None
        since = datetime.fromisoformat(began)
        return Trial(str(phase), since, int(number), int(failures), at, str(ref), Judgement(judgement), str(reason))
    except (ValueError, TypeError):
        return None


def in_one_line(text: str, most: int = LONGEST_REASON) -> str:
    """Another's words as a reason: one line, printable, its end rather than its beginning where it is long."""
    line = " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f]+", " ", text).split())
    return line if len(line) <= most else f"...{line[3 - most :]}"


def first_of(instances: Sequence[Instance], most: int | None) -> tuple[Instance, ...]:
    """The first `most` by id, all for None: the same ones at each look, so that a suite is not spread over all."""
    return tuple(sorted(instances, key=lambda each: each.id)[:most])
