"""A plan, whole: every number that `plan` shows, for a group of which all of them are known."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from phoenix.core.blocker import Blocker
from phoenix.core.generation import Generation
from phoenix.core.image import Candidate
from phoenix.core.model import Slot
from phoenix.core.serving import NO_TRAFFIC
from phoenix.core.terms import Step
from phoenix.engine.obstacles import checks_of
from phoenix.engine.plan import describe, make_plan
from phoenix.engine.report import NotStarted, Plan, PlannedStep
from phoenix.engine.request import RotateRequest
from phoenix.engine.survey import survey
from tests.engine.builders import BLUE, CANARY, LIVE_IMAGE, Bench, a_bench
from tests.fakes import NEW_IMAGE, OLD_IMAGE, an_image
from tests.fakes_gate import FakeGate

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
WAVES = (
    Step(25, 100, 10, 10 * MINUTE),
    Step(50, 75, 10, 0 * MINUTE),
    Step(100, 75, 50, None),
    Step(100, 50, 100, 5 * MINUTE),
)


def plan_of(bench: Bench) -> Plan:
    return make_plan(bench.group, RotateRequest())


def test_the_whole_plan_of_a_canary() -> None:
    bench = a_bench(terms={"steps": CANARY, "healthy_for": timedelta(seconds=30), "hot_for": HOUR})

    plan = plan_of(bench)

    live = Generation(1, Slot.BLUE, OLD_IMAGE, LIVE_IMAGE.name, "1")
    assert (plan.group, plan.at, plan.about) == ("web", bench.clock.now(), bench.group.about)
    assert plan.reasons == ("new image (9h46m old)",)
    assert (replace(plan.live, since=None), plan.next) == (live, Generation(2, Slot.GREEN, NEW_IMAGE, an_image().name))
    assert plan.candidates == (Candidate(an_image()), Candidate(LIVE_IMAGE, f"older than {NEW_IMAGE}"))
    assert (plan.steps, plan.blockers, plan.checks) == (CANARY, (), checks_of(bench.group))
    assert (plan.needed, plan.worst_case, plan.peak) == (4, 4, 8)
    assert (plan.ends_after, plan.hot_for) == (17 * MINUTE + timedelta(seconds=30), HOUR)
    assert (plan.extra_instance_hours, plan.instance_type) == (round(4 * (17.5 / 60 + 1), 1), None)
    assert plan.record == survey(bench.group, RotateRequest()).record


def test_each_row_has_what_grows_what_is_left_and_the_earliest_start() -> None:
    gates = (FakeGate("http", before_traffic_only=True), FakeGate("alarm"))

    rows = plan_of(a_bench(terms={"steps": WAVES}, gates=gates)).rows

    assert rows == (
        PlannedStep(1, 1, 4, 10, ("http", "alarm"), 10 * MINUTE, 2 * MINUTE),
        PlannedStep(2, 2, 4, 10, ("alarm",), 0 * MINUTE, 14 * MINUTE),
        PlannedStep(3, 4, 3, 50, ("alarm",), None, 16 * MINUTE),
        PlannedStep(4, 4, 3, 100, ("alarm",), 5 * MINUTE, 16 * MINUTE),
    )


def test_without_a_load_balancer_nothing_stays_hot() -> None:
    bench = a_bench(terms={"serving": NO_TRAFFIC, "hot_for": HOUR})
    bench.router.weights = {}

    plan = plan_of(bench)

    assert plan.hot_for == timedelta(0)
    assert plan.extra_instance_hours == round(4 * 7 / 60, 1)


def test_the_type_of_the_instances_is_the_one_that_runs() -> None:
    bench = a_bench()
    live_instances = bench.fleet.live_instances
    bench.fleet.live_instances = lambda slot: [  # type: ignore[method-assign]
        replace(instance, instance_type="m7g.large") for instance in live_instances(slot)
    ]

    assert plan_of(bench).instance_type == "m7g.large"


def test_an_empty_live_group_has_no_type_of_instance() -> None:
    bench = a_bench()
    bench.fleet.state[BLUE] = replace(bench.fleet.state[BLUE], min=0, desired=0, instances=())

    assert (plan_of(bench).instance_type, plan_of(bench).needed) == (None, 0)


def test_a_plan_in_a_sentence_lists_all_reasons() -> None:
    plan = replace(plan_of(a_bench()), reasons=("new image", "2 tainted"))

    assert describe(plan) == "due: new image; 2 tainted"
    assert describe(replace(plan, reasons=(), record=None)) == f"Nothing to do: web is on generation 1 ({OLD_IMAGE})."


def test_what_was_not_started_names_the_obstacles_and_the_command_that_shows_them() -> None:
    plan = plan_of(a_bench())
    found = [Blocker("freeze", "web", ""), Blocker("drift", "web", "", warning=True), Blocker("window", "web", "")]
    blocked = replace(plan, blockers=tuple(found))

    refusal = NotStarted(blocked)

    assert str(refusal.message) == "web is blocked by freeze, window; nothing was changed"
    assert (refusal.hint, refusal.plan) == ("phoenix plan --group web", blocked)
