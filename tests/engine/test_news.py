"""What is worth telling is told once, and a notifier that fails stops nothing."""

from __future__ import annotations

from dataclasses import replace

from phoenix.core.model import Outcome
from phoenix.engine.news import tell
from phoenix.engine.request import RollbackRequest
from phoenix.engine.rollback import rollback
from phoenix.engine.tick import tick
from tests.builders import a_record
from tests.engine.builders import CANARY, Inbox, a_bench


def test_a_rotation_is_told_when_it_starts_and_when_it_ends() -> None:
    bench = a_bench()

    bench.rotated()

    assert bench.inbox.subjects == ["phoenix web: generation 2 is on its way", "phoenix web: generation 2 is live"]


def test_a_rollback_is_told_when_it_begins_and_when_it_is_done_with_its_reason() -> None:
    bench = a_bench()
    bench.rotated()

    rollback(bench.group, RollbackRequest(reason="INC-1"))

    assert bench.inbox.subjects[2:] == [
        "phoenix web: rolling back to generation 1",
        "phoenix web: rolled back to generation 1",
    ]
    assert bench.inbox.texts[2:] == ["INC-1", "INC-1"]


def test_a_hold_is_told_once_however_many_ticks_see_it() -> None:
    bench = a_bench(terms={"steps": CANARY})
    bench.baking()
    bench.send(70)

    tick(bench.group)
    tick(bench.group)

    assert [s for s in bench.inbox.subjects if "held" in s] == ["phoenix web: held, a person must look"]


def test_a_notifier_that_fails_stops_neither_the_rotation_nor_the_other_notifiers() -> None:
    bench = a_bench()
    bench.group = replace(bench.group, notifiers=(Inbox(broken=True), bench.inbox))

    assert bench.rotated().outcome is Outcome.SUCCEEDED
    assert len(bench.inbox.subjects) == 2


def test_a_record_without_a_rotation_is_no_news() -> None:
    bench = a_bench()

    tell(bench.group, None, a_record())
    tell(bench.group, a_record(), a_record())

    assert bench.inbox.subjects == []


def test_an_outcome_without_words_of_its_own_is_named_as_it_is() -> None:
    bench = a_bench()
    before = bench.baking()
    assert before.rotation is not None
    failed = replace(before.rotation, outcome=Outcome.FAILED, ended_at=bench.clock.now())

    tell(bench.group, before, replace(before, rotation=failed))

    assert bench.inbox.subjects[-1] == "phoenix web: failed"
