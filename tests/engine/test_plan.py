"""What a rotation would do, and everything in its way at once; nothing is written."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from phoenix.core.blocker import Blocker
from phoenix.core.story import Ask
from phoenix.core.terms import Capacity, Step
from phoenix.core.window import Calendar, Freeze, Window
from phoenix.engine.group import About
from phoenix.engine.plan import describe, make_plan
from phoenix.engine.report import Plan
from phoenix.engine.request import RotateRequest
from tests.builders import NOON, ROLLING, changed
from tests.engine.builders import BLUE, CANARY, GREEN, Bench, a_bench
from tests.fakes import OLD_IMAGE, FakeImages, an_image
from tests.fakes_gate import FakeGate

CLOSED = Calendar((Window("0 2 * * *", timedelta(hours=1), "Europe/Berlin"),))
FROZEN = Calendar((), (Freeze(date(2026, 11, 10), date(2026, 11, 20), "peak"),))


def plan_of(bench: Bench, **asked: object) -> Plan:
    return make_plan(bench.group, RotateRequest(**asked))  # type: ignore[arg-type]


def names(plan: Plan) -> list[str]:
    return [blocker.name for blocker in plan.in_the_way]


@pytest.mark.edge(24)
def test_a_plan_writes_neither_aws_nor_store_nor_lease() -> None:
    bench = a_bench()

    plan = plan_of(bench)

    assert plan.due
    assert (bench.writes, bench.store.saved, bench.store.lease_of("web")) == ([], [], None)


def test_a_plan_tells_each_step_in_instances_and_when_it_starts() -> None:
    plan = plan_of(a_bench(terms={"steps": CANARY}))

    assert [(row.number, row.new, row.old, row.weight) for row in plan.rows] == [(1, 4, 4, 5), (2, 4, 4, 100)]
    assert [row.starts_after for row in plan.rows] == [timedelta(minutes=2), timedelta(minutes=12)]
    assert (plan.worst_case, plan.peak, plan.needed) == (4, 8, 4)
    assert plan.ends_after == timedelta(minutes=17)
    assert describe(plan).startswith("due: new image")


def test_a_rolling_plan_shows_what_the_old_generation_has_left() -> None:
    plan = plan_of(a_bench(terms={"steps": ROLLING}))

    assert [(row.new, row.old) for row in plan.rows] == [(2, 4), (4, 2)]
    assert (plan.worst_case, plan.peak) == (4, 6)


def test_checks_that_are_made_before_traffic_stand_at_the_first_step_only() -> None:
    bench = a_bench(gates=(FakeGate("http", before_traffic_only=True), FakeGate("alarm")), terms={"steps": CANARY})

    assert [row.gates for row in plan_of(bench).rows] == [("http", "alarm"), ("alarm",)]


def test_a_step_that_waits_for_a_person_has_no_known_end() -> None:
    assert plan_of(a_bench(terms={"steps": (Step(100, 100, 100, None),)})).ends_after is None


def test_the_time_that_the_last_launch_took_is_the_best_guess_for_the_next() -> None:
    bench = a_bench()
    bench.rotated()
    slow = changed(bench.rotation, grew_in=timedelta(minutes=7))
    bench.store.save(replace(bench.record, rotation=slow))

    assert plan_of(bench, force=True).ends_after == timedelta(minutes=12)


def test_where_nothing_is_due_no_blockers_are_looked_for() -> None:
    bench = a_bench(images=FakeImages(an_image(OLD_IMAGE)), calendar=CLOSED)

    plan = plan_of(bench)

    assert (plan.due, plan.blockers, plan.writes, plan.next) == (False, (), 0, None)
    assert describe(plan) == f"Nothing to do: web is on generation 1 ({OLD_IMAGE})."


def test_weights_that_were_moved_at_rest_are_told_of_where_nothing_is_due() -> None:
    bench = a_bench()
    bench.rotated()
    bench.send(70)

    plan = plan_of(bench)

    assert [(b.name, b.warning, b.remedy) for b in plan.blockers] == [
        ("weights-moved", True, "phoenix repair --group web")
    ]
    assert (plan.due, plan.in_the_way) == (False, ())


def test_nothing_to_do_says_since_when_it_lives() -> None:
    bench = a_bench()
    bench.rotated()
    bench.clock.at += timedelta(hours=3)

    assert describe(plan_of(bench)).endswith(", live for 3h).")


# --- everything in the way --------------------------------------------------------------------------------------------


@pytest.mark.edge(49)
def test_all_blockers_are_told_at_once() -> None:
    bench = a_bench(calendar=replace(CLOSED, freezes=FROZEN.freezes))
    bench.fleet.blockers.append(Blocker("instance-refresh", "web-blue", "One is running."))
    bench.router.blockers.append(Blocker("uncovered-rule", ":443", "It names the pair."))
    bench.gate.blockers.append(Blocker("alarm", "web-5xx", "It is in ALARM already."))

    assert names(plan_of(bench)) == ["freeze", "window", "instance-refresh", "uncovered-rule", "alarm"]


def test_a_closed_window_names_its_next_opening_in_both_times() -> None:
    closed = plan_of(a_bench(calendar=CLOSED)).in_the_way[0]

    assert closed.text == "Closed. Opens Thu 2026-11-19 01:00 UTC (02:00 Europe/Berlin)."
    assert closed.ignorable
    assert "--ignore window" in (closed.remedy or "")


def test_a_freeze_is_looked_for_in_the_file_that_it_is_in() -> None:
    ours = replace(FROZEN.freezes[0], file="policies/phoenix.yaml")
    bench = a_bench(calendar=Calendar((), (ours,)), about=About(policy_file="policies/web.yaml"))

    assert [blocker.where for blocker in plan_of(bench).blockers] == ["policies/phoenix.yaml"]


def test_a_freeze_says_why_and_until_when() -> None:
    frozen = plan_of(a_bench(calendar=FROZEN)).in_the_way[0]

    assert "2026-11-10 to 2026-11-20, both included: peak" in frozen.text
    assert "Opens Sat 2026-11-21 00:00 UTC" in frozen.text


def test_a_window_that_never_opens_again_says_so() -> None:
    never = Calendar((Window("0 2 30 2 *", timedelta(hours=1)),))

    assert "No opening is in sight." in plan_of(a_bench(calendar=never)).in_the_way[0].text


@pytest.mark.parametrize(("calendar", "name"), [(CLOSED, "window"), (FROZEN, "freeze")], ids=["window", "freeze"])
def test_what_is_to_be_ignored_is_not_in_the_way(calendar: Calendar, name: str) -> None:
    bench = a_bench(calendar=calendar)

    assert names(plan_of(bench)) == [name]
    assert names(plan_of(bench, ignore=frozenset({name}))) == []


@pytest.mark.parametrize(("scheduled", "expected"), [(True, ["window"]), (False, [])])
def test_only_a_scheduled_start_has_to_end_before_the_window_closes(scheduled: bool, expected: list[str]) -> None:
    bench = a_bench(calendar=Calendar((Window("0 12 * * *", timedelta(minutes=6)),)))

    plan = plan_of(bench, scheduled=scheduled)

    assert names(plan) == expected
    assert not expected or plan.in_the_way[0].text == "Closes in 6m; the rotation needs 7m at the least."


def test_a_pause_stands_in_the_way_of_everything() -> None:
    bench = a_bench()
    bench.rotated()
    bench.store.save(replace(bench.record, paused=Ask(NOON, "oncall")))

    blocker = plan_of(bench, force=True).in_the_way[0]

    assert (blocker.name, blocker.text) == ("paused", "Paused by oncall at 2026-11-18 12:00 UTC.")


def test_where_no_slot_is_live_the_weights_are_shown() -> None:
    bench = a_bench()
    bench.send(50)

    plan = plan_of(bench)

    assert names(plan) == ["no-live-slot"]
    assert ":443: blue 50 %, green 50 %" in plan.in_the_way[0].text


def test_without_an_image_there_is_nothing_to_launch() -> None:
    bench = a_bench(images=FakeImages(an_image(state="pending")))

    assert names(plan_of(bench, force=True)) == ["no-image"]


def test_a_policy_whose_maximum_is_below_what_runs_is_not_started() -> None:
    assert names(plan_of(a_bench(terms={"capacity": Capacity(1, 3)}))) == ["capacity"]


@pytest.mark.edge(5)
@pytest.mark.parametrize(("least", "most"), [(4, 12), (2, 4), (4, 4)])
def test_desired_at_its_minimum_or_maximum_is_a_normal_state(least: int, most: int) -> None:
    bench = a_bench()
    bench.fleet.state[BLUE] = replace(bench.fleet.state[BLUE], min=least, max=most)

    assert names(plan_of(bench)) == []
    bench.rotated()
    green = bench.fleet.state[GREEN]
    assert (green.min, green.max, green.desired) == (least, most, 4)


def test_an_empty_live_group_has_nothing_to_replace() -> None:
    bench = a_bench()
    bench.fleet.state[BLUE] = replace(bench.fleet.state[BLUE], min=0, desired=0, instances=())

    assert "empty" in names(plan_of(bench))


def test_a_rotation_in_flight_is_what_a_plan_tells_of() -> None:
    bench = a_bench(terms={"steps": CANARY})
    bench.baking()

    plan = make_plan(bench.group, RotateRequest())

    assert [b.name for b in plan.in_the_way] == ["in-flight"]
    assert "baking at 5 %" in plan.blockers[0].text


def test_a_search_that_finds_no_image_is_no_reason_to_be_content() -> None:
    bench = a_bench(images=FakeImages(an_image(architecture="arm64")))

    plan = make_plan(bench.group, RotateRequest())

    assert "no-image" in [b.name for b in plan.in_the_way]


def test_a_window_that_closes_too_early_for_the_schedule_is_shown_to_a_person() -> None:
    bench = a_bench(calendar=Calendar((Window("0 12 * * *", timedelta(minutes=1)),)))

    plan = make_plan(bench.group, RotateRequest())

    assert plan.in_the_way == ()
    assert [b.name for b in plan.blockers if b.warning] == ["window"]
