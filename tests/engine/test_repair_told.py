"""What `repair` says it has found and done, and how it ends."""

from __future__ import annotations

from dataclasses import replace

import pytest

from phoenix.core.model import Outcome
from phoenix.engine.repair import find_repairs, repair
from phoenix.engine.report import Report
from phoenix.errors import PermanentError
from tests.engine.builders import a_bench
from tests.engine.test_repair import interrupted, with_store


def test_a_lost_rotation_is_told_with_its_weight_and_where_it_goes_back_to() -> None:
    bench = interrupted()

    text = find_repairs(with_store(bench, "memory:test")).texts[0]

    assert text == (
        f"rotation {bench.rotation.id} was in flight and its record is lost: generation 2 has 5 %; "
        "it is rolled back to generation 1"
    )


def test_the_way_back_of_a_lost_rotation_says_who_asked_and_why() -> None:
    bench = interrupted()
    forgetful = replace(with_store(bench, "memory:test"), by="oncall")

    report = repair(forgetful, find_repairs(forgetful))

    rotation = report.record.rotation
    assert rotation is not None
    assert rotation.back is not None
    assert (rotation.back.ask.by, rotation.back.reason, rotation.reason) == (
        "oncall",
        "its record was lost",
        "its record was lost",
    )


def test_all_that_was_repaired_is_in_the_sentence() -> None:
    bench = interrupted()
    forgetful = with_store(bench, "memory:test")
    found = find_repairs(forgetful)

    report = repair(forgetful, found)

    assert report.sentence == f"repaired: {'; '.join(found.texts)}"
    assert (report.exit_status, report.seen is not None) == (0, True)


def test_what_needs_no_repair_still_shows_how_the_group_stands() -> None:
    bench = a_bench()

    report = repair(bench.group, find_repairs(bench.group))

    assert (report.seen is not None, report.outcome, report.exit_status) == (True, Outcome.NONE, 0)


def test_a_rotation_in_flight_has_nothing_to_repair_and_the_outcome_says_so() -> None:
    bench = interrupted()
    found = find_repairs(bench.group)

    report = repair(bench.group, found)

    assert (found.texts, report.outcome) == ((), Outcome.NONE)
    assert report.sentence == f"nothing to repair: {bench.rotation.id} is in flight, and the next tick goes on with it"


@pytest.mark.parametrize("wait", [True, False])
def test_whoever_watches_a_repair_is_told_unless_nobody_waits(wait: bool) -> None:
    bench = interrupted()
    forgetful = with_store(bench, "memory:test")
    seen: list[Report] = []

    report = repair(forgetful, find_repairs(forgetful), seen.append, wait=wait)

    assert bool(seen) is wait
    assert (report.outcome, report.seen is not None) == (
        Outcome.ROLLED_BACK if wait else Outcome.IN_PROGRESS,
        True,
    )


def test_a_repair_that_aws_refuses_is_held_and_ends_with_1() -> None:
    bench = interrupted()
    forgetful = with_store(bench, "memory:test")
    found = find_repairs(forgetful)

    def refuse(*_: object) -> None:
        raise PermanentError("no right to do that")

    bench.router.shift = refuse  # type: ignore[assignment,method-assign]

    report = repair(forgetful, found)

    assert (report.outcome, report.exit_status) == (Outcome.HELD, 1)
    assert forgetful.store.lease_of("web") is None
