"""A suite is asked once a phase, for as long as it says that it is not done, and not a moment before all are ready."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from phoenix.core.model import Cause, Judgement, Observation, Slot, Verdict
from phoenix.core.rotation import Rotation
from phoenix.gates.acceptance import LONGEST_REASON, AcceptanceKeys, Answer, Question, in_one_line, judge
from tests.builders import a_rotation, a_slot, after, an_observation

PASS, WAIT, FAIL = Judgement.PASS, Judgement.WAIT, Judgement.FAIL
READY = a_slot(Slot.GREEN, version="2")


def keys(**changes: Any) -> AcceptanceKeys:
    return AcceptanceKeys(kind="suite", **changes)


@dataclass
class Suite:
    """Answers in turn; the last answer for ever."""

    answers: list[Answer]
    asked: list[Question] = field(default_factory=list)

    def __call__(self, question: Question) -> Answer:
        self.asked.append(question)
        return self.answers[min(len(self.asked), len(self.answers)) - 1]


@dataclass
class Story:
    """Look after look at one rotation, whose record keeps what the gate leaves, as the engine does."""

    suite: Suite
    keys: AcceptanceKeys = field(default_factory=keys)
    rotation: Rotation = field(default_factory=a_rotation)
    seen: Observation = field(default_factory=lambda: an_observation(green=READY))

    def look(self, *, seconds: float = 0, **changes: Any) -> Verdict:
        self.seen = replace(self.seen, at=after(seconds=seconds), **changes)
        verdict = judge(self.keys, "suite", self.rotation, self.seen, self.suite)
        self.rotation = self.rotation.look(self.seen.at, self.rotation.need, (verdict,))
        return verdict

    def bakes(self, step: int) -> None:
        self.rotation = replace(
            self.rotation,
            step=step,
            weight=50,
            clocks=replace(self.rotation.clocks, baking_since=self.seen.at),
        )


def a_story(*answers: Answer, **changes: Any) -> Story:
    return Story(Suite(list(answers)), keys(**changes))


def test_a_suite_that_has_passed_is_not_asked_again_before_traffic() -> None:
    story = a_story(Answer(PASS, "42 checks"))

    first, second = story.look(), story.look(seconds=5)

    assert first.judgement is second.judgement is PASS
    assert first.reason == "42 checks (12:00:00)" == second.reason
    assert len(story.suite.asked) == 1


def test_it_begins_once_all_are_ready() -> None:
    story = a_story(Answer(PASS, "fine"))
    green = replace(READY, instances=READY.instances[:3])

    verdict = story.look(slots={Slot.BLUE: a_slot(), Slot.GREEN: green})

    assert (verdict.judgement, verdict.reason) == (WAIT, "begins once all are ready: 3 of 4")
    assert story.suite.asked == []


def test_not_yet_is_asked_again_after_the_pause_that_the_policy_names() -> None:
    story = a_story(Answer(WAIT, "3 of 9 done"), Answer(PASS, "9 of 9"), ask_every="30s")

    verdicts = [story.look(seconds=at) for at in (0, 10, 29, 30)]

    assert [verdict.judgement for verdict in verdicts] == [WAIT, WAIT, WAIT, PASS]
    assert [question.number for question in story.suite.asked] == [1, 2]


def test_work_that_was_begun_is_looked_at_at_every_tick_under_its_own_reference() -> None:
    story = a_story(Answer(WAIT, "runs", ref="run-7"), Answer(WAIT, "runs", ref="run-7"), Answer(PASS, "done"))

    for at in (0, 5, 10):
        story.look(seconds=at)

    assert [(question.ref, question.number) for question in story.suite.asked] == [("", 1), ("run-7", 1), ("run-7", 1)]
    assert len({question.id for question in story.suite.asked}) == 1


def test_a_failure_ends_it_with_the_suites_own_words_and_cause() -> None:
    verdict = a_story(Answer(FAIL, "checkout: 500", Cause.ENVIRONMENT)).look()

    assert (verdict.judgement, verdict.reason, verdict.cause) == (FAIL, "checkout: 500", Cause.ENVIRONMENT)


def test_a_retry_is_said_and_the_last_one_counts() -> None:
    story = a_story(Answer(FAIL, "checkout: 500"), retries=1, ask_every="0s")

    first, second = story.look(), story.look(seconds=5)

    assert (first.judgement, first.reason) == (WAIT, "failed, try 1 of 2, and is asked again: checkout: 500")
    assert (second.judgement, second.reason) == (FAIL, "checkout: 500 (try 2 of 2)")
    assert [question.id for question in story.suite.asked] == [
        "web-42-test.suite.before-traffic.1",
        "web-42-test.suite.before-traffic.2",
    ]


def test_one_that_never_passes_has_failed_after_its_time_and_the_image_is_not_blamed() -> None:
    story = a_story(Answer(WAIT, "not approved yet"), timeout="10m", ask_every="0s")

    story.look()
    verdict = story.look(seconds=600)

    assert (verdict.judgement, verdict.cause) == (FAIL, Cause.ENVIRONMENT)
    assert verdict.reason == "has not passed within 10m: not approved yet"


def test_its_time_begins_with_its_first_question_not_with_the_launch() -> None:
    story = a_story(Answer(WAIT, "runs"), timeout="10m", ask_every="0s")
    story.look(slots={Slot.BLUE: a_slot(), Slot.GREEN: a_slot(Slot.GREEN, healthy=0)})

    assert story.look(seconds=900, slots={Slot.BLUE: a_slot(), Slot.GREEN: READY}).judgement is WAIT


def test_a_failure_that_a_person_has_resumed_is_asked_anew_and_one_that_is_held_is_not() -> None:
    story = a_story(Answer(FAIL, "checkout: 500"), Answer(PASS, "fine"))
    story.look()
    story.rotation = story.rotation.hold(after(1), "suite: checkout: 500", Cause.IMAGE)

    held = story.look(seconds=90)
    story.rotation = replace(story.rotation, held=None)
    resumed = story.look(seconds=120)

    assert (held.judgement, held.reason) == (FAIL, "checkout: 500")
    assert resumed.judgement is PASS
    assert story.suite.asked[1].number == 2


@pytest.mark.parametrize(
    ("when", "phases"),
    [
        ("before_traffic", ["before traffic"]),
        ("baking", ["step 1", "step 2"]),
        ("both", ["before traffic", "step 1", "step 2"]),
    ],
)
def test_it_is_asked_in_the_phases_that_the_policy_names_once_each(when: str, phases: list[str]) -> None:
    story = a_story(Answer(PASS, "fine"), when=when)

    story.look()
    for step in (1, 2):
        story.bakes(step)
        story.look(seconds=60 * step)
        story.look(seconds=60 * step + 5)

    assert [question.phase for question in story.suite.asked] == phases


def test_between_a_shift_and_its_bake_it_lets_the_candidate_grow() -> None:
    story = a_story(Answer(FAIL, "not asked"), when="baking")
    story.rotation = replace(story.rotation, weight=5, step=2)

    verdict = story.look()

    assert (verdict.judgement, verdict.reason) == (PASS, "is asked while it bakes")


@pytest.mark.parametrize(("when", "before"), [("before_traffic", True), ("both", True), ("baking", False)])
def test_new_instances_are_held_in_place_for_one_that_precedes_traffic(when: str, before: bool) -> None:
    assert keys(when=when).precedes_traffic is before


@pytest.mark.parametrize(
    "memo", ["", "i-1=10.0.0.1", "[]", "{}", "[1, 2, 3, 4, 5, 6, 7, 8]", '["before traffic", "x"]']
)
def test_a_memo_of_another_form_is_taken_for_none(memo: str) -> None:
    story = a_story(Answer(PASS, "fine"))
    candidate = replace(story.rotation.candidate, memos={"suite": memo})
    story.rotation = replace(story.rotation, candidate=candidate)

    assert story.look().judgement is PASS


@given(text=some.text(max_size=2000))
def test_whatever_a_suite_says_is_one_printable_line_of_bounded_length(text: str) -> None:
    line = in_one_line(text)

    assert len(line) <= LONGEST_REASON
    assert not set(line) & {chr(code) for code in (*range(32), *range(127, 160))}
    assert line == line.strip()


def test_of_a_long_output_the_end_is_shown() -> None:
    assert timedelta() < keys().timeout
    assert in_one_line("x" * 1000 + " the end").endswith("the end")
