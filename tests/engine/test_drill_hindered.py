"""A scheduled drill that cannot begin: told once, and kept where an operator looks."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from phoenix.engine.drill import DrillRequest, run_drill
from phoenix.engine.look import look
from phoenix.engine.tick import tick
from phoenix.views.status import render
from tests.engine.test_drill import AT_NOON, TERMS, drilling


def test_a_scheduled_drill_that_cannot_begin_is_told_once_in_each_opening_and_by_status_until_one_begins() -> None:
    bench = drilling()
    allows, everything = bench.group, replace(TERMS, floor=100, calendar=AT_NOON, scheduled=True)
    bench.group = replace(bench.group, drill=everything)

    for _ in range(4):
        tick(bench.group)
        bench.clock.at += timedelta(minutes=6)

    told = [subject for subject in bench.inbox.subjects if "drill" in subject]
    assert told == ["phoenix web: a drill is due and cannot begin"]
    assert "drill     due since 2026-" in render(look(bench.group))

    run_drill(allows, DrillRequest())
    assert "and has not begun" not in render(look(allows))
