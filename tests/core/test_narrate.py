"""Every decision says in one sentence: what, since when, until when at most, then what."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from phoenix.core.launch_failure import LaunchFailure
from phoenix.core.model import Cause, Judgement, Outcome, Slot, Verdict
from phoenix.core.narrate import ended, waiting_for
from phoenix.core.story import Ask
from phoenix.core.terms import Step
from tests.builders import (
    ALL_AT_ONCE,
    CANARY,
    NOON,
    ROLLING,
    a_generation,
    a_rotation,
    a_slot,
    after,
    an_observation,
    changed,
    some_instances,
    some_terms,
)

ONCALL = Ask(NOON, "oncall", "INC-1")
BAKING: dict[str, Any] = {"proved_at": NOON, "shifted_at": NOON, "baking_since": NOON}
DOUBT = Verdict("alarm", Judgement.WAIT, "no data yet")
MANUAL = (Step(100, 100, 100, None),)
UNMADE = a_generation(42, template_version=None)

STAGES: dict[str, tuple[tuple[Step, ...], dict[str, Any]]] = {
    "held: weights moved; waiting for a person (resume, abort)": (CANARY, {"held": "weights moved"}),
    "paused by oncall since 12:00:00; waiting for `resume`": (CANARY, {"paused": ONCALL}),
    "closing: generation 42 becomes live at rest, 41 is retained": (CANARY, {"closing_since": NOON}),
    "preparing: the template version of generation 42 is being made": (CANARY, {"step": 0, "new": UNMADE}),
    "preparing: slot green is being emptied for generation 42": (CANARY, {"step": 0}),
    "step 1 of 3: waiting for generation 42, 0 of 4 ready, at most until 12:15:00, then back": (CANARY, {}),
    "step 1 of 3: moving 5 % to generation 42": (CANARY, {"proved_at": NOON}),
    "step 2 of 2: settling until 12:01:00, then generation 41 shrinks": (
        ROLLING,
        {"step": 2, "proved_at": NOON, "shifted_at": NOON},
    ),
    "step 1 of 3: baking at 5 % until 12:10:00, then 50 % to generation 42": (CANARY, BAKING),
    "step 3 of 3: baking at 100 % until 12:05:00, then generation 41 is let go": (CANARY, {**BAKING, "step": 3}),
    "step 1 of 1: baking at 100 % until promoted, then generation 41 is let go": (MANUAL, BAKING),
    "rolling back to 41: 4 of 4 ready to take the traffic, at most until 12:15:00": (CANARY, {"back": ONCALL}),
    "rolling back to 41: traffic is back, settling until 12:01:00": (CANARY, {"back": ONCALL, "shifted_at": NOON}),
    "rolling back to 41: traffic is back, generation 42 is being removed": (
        CANARY,
        {"back": ONCALL, "shifted_at": NOON, "closing_since": NOON},
    ),
}


@pytest.mark.parametrize(("sentence", "case"), STAGES.items(), ids=list(STAGES))
def test_each_stage_explains_itself(sentence: str, case: tuple[tuple[Step, ...], dict[str, Any]]) -> None:
    steps, changes = case

    assert waiting_for(a_rotation(steps, **changes), an_observation()) == sentence


def test_who_does_not_leave_is_named_while_a_slot_is_emptied() -> None:
    stays = a_slot(Slot.GREEN, healthy=0, instances=some_instances(5, protected=True))

    said = waiting_for(a_rotation(CANARY, step=0), an_observation(green=stays))

    assert said.startswith("preparing: slot green is being emptied for generation 42, but i-00000000000000000, ")
    assert said.endswith(" and 2 more are protected from scale-in")


def test_a_shrink_that_waits_for_protected_instances_says_until_when() -> None:
    rotation = a_rotation(ROLLING, step=1, proved_at=NOON, shifted_at=NOON, shrunk_at=NOON)
    stays = a_slot(instances=some_instances(1, protected=True))

    said = waiting_for(rotation, an_observation(stays))

    assert said.endswith(
        "to leave, but i-00000000000000000 is protected from scale-in, at most until 14:00:00, then back"
    )


@pytest.mark.edge(9)
def test_a_failed_launch_is_named_while_it_is_waited_for() -> None:
    failure = LaunchFailure(NOON, permanent=False, blames_image=False, words="no m7g.large in eu-west-1a")

    assert "0 of 4 ready; no m7g.large in eu-west-1a, at most" in waiting_for(
        a_rotation(), an_observation(failures=(failure,))
    )


def test_the_gate_that_hesitates_is_named() -> None:
    seen = an_observation(green=a_slot(Slot.GREEN, 4, "2"), verdicts=(DOUBT,))

    assert "generation 42, alarm: no data yet, at most" in waiting_for(a_rotation(), seen)


def test_a_bake_that_is_over_but_for_a_gate_says_which_and_until_when() -> None:
    baking = a_rotation(ALL_AT_ONCE, **BAKING)

    early = waiting_for(baking, an_observation(verdicts=(DOUBT,)))
    late = waiting_for(baking, an_observation(at=after(6), verdicts=(DOUBT,)))

    assert early.endswith("until 12:05:00, then generation 41 is let go")
    assert late.endswith("waiting for alarm: no data yet, at most until 14:00:00, then back")


def test_the_end_says_who_is_live_how_long_it_took_and_why_it_went_back() -> None:
    done = a_rotation(ended_at=after(17), outcome=Outcome.SUCCEEDED)
    back = a_rotation(ended_at=after(2), outcome=Outcome.ROLLED_BACK, cause=Cause.IMAGE, reason="alarm: 5xx")

    assert ended(done) == "generation 42 is live after 17m"
    assert ended(back) == "rolled back to generation 41 after 2m: alarm: 5xx"


def test_what_all_instances_say_ends_the_wait_sooner_and_the_sentence_says_when() -> None:
    said = changed(a_rotation(), said="Health checks failed, 503 on /healthz:8080", said_since=NOON, said_looks=3)

    assert "at most until 12:05:00 if they go on saying so, then back" in waiting_for(said, an_observation())
    slow = changed(said, terms=some_terms(launch_timeout=timedelta(minutes=4)))
    assert "at most until 12:04:00, then back" in waiting_for(slow, an_observation())
