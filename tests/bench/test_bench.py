"""The arithmetic of the benchmarks; what they measure is not asserted anywhere, for machines differ."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from phoenix.core.model import Phase
from phoenix.sandbox import Call
from tests.bench.arena import Case
from tests.bench.figures import Figure, interleaved, middle, number
from tests.bench.leftovers import Side, Standing, leftovers
from tests.bench.rotations import Course, Tick

BEGAN = datetime(2026, 11, 18, 2, 0, tzinfo=UTC)
EMPTY = Side(share=0, image=None, instances=0, bounds=(0, 0), desired=0, suspended=frozenset(), tags=frozenset())
LIVE = Side(share=1, image="old", instances=4, bounds=(2, 12), desired=4, suspended=frozenset(), tags=frozenset())
BEFORE = Standing({"blue": LIVE, "green": EMPTY}, template_versions=1, newest_image="new")
ENDED_WELL = Standing({"blue": EMPTY, "green": replace(LIVE, image="new")}, template_versions=2, newest_image="new")


def a_call(*, mutating: bool) -> Call:
    return Call(BEGAN, "ec2", "RunInstances" if mutating else "DescribeImages", mutating)


def test_a_figure_at_its_target_meets_it() -> None:
    figure = Figure("calls", "writes", 12, target=12)

    assert figure.met
    assert figure.ratio == 1


def test_a_figure_that_was_not_measured_neither_meets_nor_misses() -> None:
    assert Figure("calls", "writes", None, target=12).met is None


def test_a_target_of_nothing_has_no_ratio_but_can_be_missed() -> None:
    figure = Figure("start-up", "packages", 1, target=0)

    assert figure.ratio is None
    assert figure.met is False


def test_numbers_show_what_they_are_worth() -> None:
    assert [number(12, ""), number(1.0421, "×"), number(151.27, "ms")] == ["12", "1.04 ×", "151.3 ms"]


def test_contenders_take_turns() -> None:
    turns: list[str] = []

    def take(name: str) -> float:
        turns.append(name)
        return len(turns)

    found = interleaved(2, {"a": lambda: take("a"), "b": lambda: take("b")})

    assert turns == ["a", "b", "a", "b"]
    assert found == {"a": [1, 3], "b": [2, 4]}


def test_one_slow_run_does_not_move_the_middle() -> None:
    assert middle([10, 11, 900]) == 11


def test_a_tick_that_writes_is_no_poll() -> None:
    look, act = a_call(mutating=False), a_call(mutating=True)
    course = Course(BEGAN, BEGAN, BEGAN, BEGAN, [Tick(calls, Phase.GROWING) for calls in ([act], [look], [look, act])])

    assert [tick.reads for tick in course.polls] == [1]
    assert course.writes == 2


def test_the_bound_counts_physics_proof_rests_and_one_poll() -> None:
    asked, healthy = BEGAN + timedelta(seconds=50), BEGAN + timedelta(seconds=90)
    course = Course(BEGAN, BEGAN + timedelta(seconds=500), asked, healthy)

    assert course.bound(Case(bake=300, healthy_for=30)) == 40 + 30 + 300 + 5
    assert course.took == 500


def test_a_rest_is_at_least_what_the_load_balancer_is_granted() -> None:
    assert Case(bake=0, steps={5: 600}, propagation=60).rests == [600, 60]


def test_nothing_is_left_of_a_rotation_that_ended_well() -> None:
    assert leftovers(BEFORE, ENDED_WELL) == ()


def test_a_pin_and_a_second_set_of_instances_are_left_of_one_that_was_killed() -> None:
    pinned = replace(LIVE, bounds=(4, 12))
    now = Standing({"blue": pinned, "green": replace(EMPTY, instances=4)}, template_versions=3, newest_image="new")

    assert leftovers(BEFORE, now) == (
        "1 template version too many",
        "8 instances running where 4 are needed",
        "the old image is live",
        "blue is pinned to (4, 12), its owner wants (2, 12)",
    )


def test_split_traffic_is_said_by_side() -> None:
    sides = {"blue": replace(LIVE, share=0.5), "green": replace(EMPTY, share=0.5)}

    assert leftovers(BEFORE, replace(ENDED_WELL, sides=sides)) == ("the traffic is split: blue 50%, green 50%",)
