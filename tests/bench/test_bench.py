"""The arithmetic of the benchmarks; what they measure is not asserted anywhere, for machines differ."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from phoenix.core.model import Phase
from phoenix.sandbox import Call
from tests.bench.account import Bucket
from tests.bench.arena import Case
from tests.bench.cold import first_call
from tests.bench.cost import PerRotation, Prices, Sweeping, bill
from tests.bench.figures import Figure, interleaved, middle, number
from tests.bench.idle import Idle
from tests.bench.in_flight import Span, measure, percentile
from tests.bench.leftovers import Side, Standing, leftovers
from tests.bench.rotations import Course, Tick
from tests.bench.sweeps import swept
from tests.bench.turns import Turns
from tests.bench.units import Meter

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


def test_programs_take_turns_in_the_order_in_which_they_wake() -> None:
    turns, heard = Turns(), list[tuple[str, float]]()
    began = turns.now()

    def program(name: str, *naps: float) -> None:
        for nap in naps:
            turns.sleep(nap)
            heard.append((name, (turns.now() - began).total_seconds()))

    turns.start(lambda: program("a", 1, 3))
    turns.start(lambda: program("b", 2, 1))
    turns.run(began + timedelta(minutes=1))

    assert heard == [("a", 1), ("b", 2), ("b", 3), ("a", 4)]
    assert turns.now() == began + timedelta(minutes=1)


def test_a_program_waits_for_what_its_thread_aside_has_slept() -> None:
    turns, ended = Turns(), list[float]()
    began = turns.now()

    def program() -> None:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(copy_context().run, turns.sleep, 5).result()
        turns.sleep(1)
        ended.append((turns.now() - began).total_seconds())

    turns.start(program)
    turns.run(began + timedelta(minutes=1))

    assert ended == [5]


def test_a_bucket_that_is_empty_refuses_until_it_is_refilled() -> None:
    bucket = Bucket(size=2, refill=1)

    at_once = [bucket.take(BEGAN) for _ in range(3)]

    assert at_once == [True, True, False]
    assert bucket.take(BEGAN + timedelta(seconds=1))
    assert not bucket.take(BEGAN + timedelta(seconds=1))


def test_a_lease_that_is_due_at_another_time_is_two_entries_of_the_index() -> None:
    meter = Meter()
    lease = {"group": {"S": "web"}, "item": {"S": "lease"}, "owner": {"S": "ann"}, "due_at": {"S": "1"}}

    meter.note("put_item", {"Item": lease}, {})
    meter.note("put_item", {"Item": lease | {"due_at": {"S": "2"}}}, {})
    meter.note("get_item", {}, {"Item": {"group": {"S": "web"}, "body": {"S": "x" * 5000}}})

    assert (meter.written, meter.read, meter.claims) == (1 + 1 + 1 + 2, 2, 2)


def test_rates_count_the_seconds_in_which_nothing_is_asked() -> None:
    span = Span(BEGAN, BEGAN + timedelta(seconds=4))
    times = [BEGAN + timedelta(seconds=each) for each in (0, 0.5, 3, 9)]

    assert span.rates(times, 1) == [2, 0, 0, 1]
    assert span.rates(times, 2) == [1, 0.5]
    assert percentile([1, 2, 3, 4], 0.5) == 3


def test_a_bill_adds_what_all_need_to_what_each_way_needs() -> None:
    one = PerRotation(invocations=10, stays_s=60, busy_s=5, reads=100, writes=100, looks=20, lasts_s=1800)
    prices = Prices(invocation=1, gb_second=0, read_unit=0, write_unit=0, scheduled=0, transition=0.5)

    lines = {name: dollars for name, dollars, _ in bill(one, Sweeping(7, 0, 0, 0), 2, prices)}

    assert lines["phoenix, in all"] == 7 + 2 * 10
    assert lines["busy waiting, in all"] == 7 + 2 * 2
    assert lines["Step Functions, in all"] == 7 + 2 * 20 * (3 * 0.5 + 1)


def test_a_sweep_over_a_canned_account_looks_at_all_its_groups() -> None:
    found = swept(Idle(2))

    assert (found.cold.answer["groups"], found.cold.answer["looked_at"], found.minute.answer["looked_at"]) == (2, 2, 0)
    assert (found.asked["dynamodb.BatchGetItem"], found.asked["elbv2.DescribeRules"]) == (1, 1)
    assert found.warm.cpu_s < found.cold.cpu_s


def test_one_group_in_virtual_time_is_rotated_without_being_throttled() -> None:
    figures = {figure.name: figure.value for figure in measure(groups=1, minutes=1)}

    assert figures["in flight at the end"] == 1
    assert figures["calls that were throttled"] == 0


def test_a_function_gets_as_far_as_its_first_call() -> None:
    assert first_call("advance") > 0
