"""A store whose rotation another store has rolled back, and has followed with one of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from phoenix.core.model import Outcome
from phoenix.engine.control import pause, promote, resume
from phoenix.engine.group import Group
from phoenix.engine.report import Report
from phoenix.engine.request import RollbackRequest, RotateRequest
from phoenix.engine.rollback import abort, rollback
from phoenix.engine.rotate import rotate
from phoenix.engine.tick import tick
from phoenix.errors import ForeignStore, TransientError
from tests.engine.builders import CANARY, Bench, a_bench
from tests.fakes_store import MemoryStore

SAY: dict[str, Callable[[Group], Report]] = {
    "abort": lambda group: abort(group, None),
    "pause": lambda group: pause(group, "lunch"),
    "promote": promote,
    "resume": resume,
}
SAID = {
    "abort": "nothing to abort: no rotation of web is in flight",
    "pause": "web is paused: no rotation will start until it is resumed",
    "promote": "nothing to promote: no rotation of web is going forward",
    "resume": "nothing to resume: web is neither paused nor held",
}
words = pytest.mark.parametrize("word", SAY)


def elsewhere(bench: Bench) -> Bench:
    """The same group, as another store knows it: nothing of it."""
    other = replace(bench, store=MemoryStore("memory:other"))
    other.group = replace(bench.group, store=other.store)
    return other


def rolled_back_elsewhere() -> tuple[Bench, Bench]:
    """The first bench's store believes in a rotation that the second's store has ended."""
    bench = a_bench(terms={"steps": CANARY})
    bench.baking()
    other = elsewhere(bench)
    assert rollback(other.group, RollbackRequest()).outcome is Outcome.ROLLED_BACK
    return bench, other


def a_stale_store() -> Bench:
    """And that store's own rotation has succeeded since."""
    bench, other = rolled_back_elsewhere()
    assert rotate(other.group, RotateRequest(force=True, ignore=frozenset({"quarantine"}))).exit_status == 0
    bench.forget_writes()
    return bench


def a_stale_store_in_the_way() -> Bench:
    """And that store's own rotation is in its first bake."""
    bench, other = rolled_back_elsewhere()
    request = RotateRequest(force=True, ignore=frozenset({"quarantine"}), wait=False)
    rotate(other.group, request)
    tick(other.group)
    bench.forget_writes()
    return bench


@words
def test_no_word_reaches_a_rotation_that_another_store_has_ended(word: str) -> None:
    bench = a_stale_store()
    live = bench.percent

    report = SAY[word](bench.group)

    assert (report.sentence, report.outcome, report.exit_status) == (SAID[word], Outcome.NONE, 0)
    assert (bench.writes, bench.percent) == ([], live)


@words
def test_a_word_about_the_rotation_of_another_store_is_refused(word: str) -> None:
    bench = a_stale_store_in_the_way()
    before = bench.record

    with pytest.raises(ForeignStore) as foreign:
        SAY[word](bench.group)

    assert (foreign.value.exit_status, foreign.value.other) == (4, "memory:other")
    assert (bench.writes, bench.record) == ([], before)


def test_a_pause_forgets_the_rotation_that_another_store_has_ended() -> None:
    bench = a_stale_store()

    pause(bench.group, "lunch")

    assert (bench.record.in_flight, bench.record.paused is not None) == (None, True)


def test_a_rollback_still_works_without_the_store() -> None:
    bench = a_stale_store()

    assert rollback(bench.group, RollbackRequest()).outcome is Outcome.ROLLED_BACK
    assert bench.percent == {0}


@words
def test_a_word_is_repeated_to_an_aws_that_is_slow_to_answer(word: str) -> None:
    bench = a_stale_store()
    bench.fleet.fail_once = TransientError("throttled")

    assert SAY[word](bench.group).sentence == SAID[word]
