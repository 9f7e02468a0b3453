"""From a record and an observation to a report: how a group stands, in one sentence and one number."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from phoenix.core.model import Outcome
from phoenix.core.readiness import NOTHING_RETAINED, rollback_readiness
from phoenix.core.story import Event
from phoenix.engine.group import About
from phoenix.engine.report import report_on
from tests.builders import NOON, a_record, a_rotation, after, an_observation
from tests.engine.builders import a_bench

STORY = (Event(NOON, "start", "image web-42"), Event(after(9), "succeeded", "generation 42 has all traffic"))
ENDED: dict[str, Any] = {"ended_at": after(9), "outcome": Outcome.SUCCEEDED}


@pytest.mark.parametrize(
    ("rotation", "sentence", "outcome", "status"),
    [
        (None, "web has not been rotated yet", Outcome.NONE, 0),
        (a_rotation(), "starting", Outcome.IN_PROGRESS, 0),
        (a_rotation(waiting_for="step 1 of 1"), "step 1 of 1", Outcome.IN_PROGRESS, 0),
        (a_rotation(outcome=Outcome.HELD, waiting_for="held: 70 %"), "held: 70 %", Outcome.HELD, 1),
        (a_rotation(**ENDED, events=STORY), "generation 42 has all traffic", Outcome.SUCCEEDED, 0),
        (a_rotation(**{**ENDED, "outcome": Outcome.ROLLED_BACK}), "rolled_back", Outcome.ROLLED_BACK, 3),
        (a_rotation(**{**ENDED, "outcome": Outcome.FAILED}), "failed", Outcome.FAILED, 1),
    ],
)
def test_the_record_says_how_it_stands(rotation: Any, sentence: str, outcome: Outcome, status: int) -> None:
    report = report_on(a_bench().group, a_record(rotation))

    assert (report.sentence, report.outcome, report.exit_status) == (sentence, outcome, status)


def test_a_command_may_say_it_in_its_own_words_or_not_at_all() -> None:
    group, record = a_bench().group, a_record(a_rotation())

    report = report_on(group, record, sentence="", outcome=Outcome.NONE)

    assert (report.sentence, report.outcome, report.exit_status) == ("", Outcome.NONE, 0)


def test_who_has_looked_reports_what_was_seen_then_and_whether_a_rollback_would_work() -> None:
    bench = a_bench(about=About(owner="team-web"))
    record, seen = a_record(a_rotation()), replace(an_observation(), at=after(3))

    report = report_on(bench.group, record, seen)

    assert (report.group, report.at, report.seen, report.record) == ("web", after(3), seen, record)
    assert report.rollback_ready == rollback_readiness(record, seen)
    assert report.about == About(owner="team-web")


def test_who_has_not_looked_knows_nothing_of_a_rollback() -> None:
    bench = a_bench()

    report = report_on(bench.group, a_record(a_rotation()))

    assert (report.at, report.seen, report.rollback_ready) == (bench.clock.now(), None, NOTHING_RETAINED)
    assert NOTHING_RETAINED.why == "nothing is retained"
