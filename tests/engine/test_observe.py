"""Everything AWS says at one instant: whole or not at all, and no question that need not be asked."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from phoenix.core.launch_failure import LaunchFailure
from phoenix.core.model import Judgement, Observation, Route, Slot, TargetState, Verdict
from phoenix.core.record import GroupRecord
from phoenix.core.rotation import Rotation
from phoenix.core.serving import NO_TRAFFIC
from phoenix.core.story import Ask
from phoenix.engine.observe import ask_gates, observe
from phoenix.errors import Throttled
from phoenix.ports import Traffic
from tests.builders import NOON, a_record, a_rotation, an_observation
from tests.engine.builders import BLUE, GREEN, CountingRouter, a_bench
from tests.engine.test_apply import Spans
from tests.fakes_gate import FakeGate

KNOWN = a_record(routes={"arn:rule/443": ":443", "arn:rule/api": "rule /api"})


def test_the_first_look_searches_and_remembers_where_it_looked() -> None:
    bench = a_bench()

    sight = observe(bench.group, GroupRecord("web"))

    assert bench.router.searches == 1
    assert sight.record.routes == KNOWN.routes
    assert sight.record.target_groups[BLUE] == ("arn:tg/web-blue",)
    assert len(sight.seen.routes) == 2


def test_later_looks_do_not_search_unless_they_are_told_to() -> None:
    bench = a_bench()

    observe(bench.group, KNOWN)
    assert bench.router.searches == 0
    observe(bench.group, KNOWN, search=True)
    assert bench.router.searches == 1


def test_routes_that_are_read_again_keep_the_names_and_the_order_they_were_found_in() -> None:
    names = {"arn:rule/api": "api.example.com", "arn:rule/443": ":8443"}

    seen = observe(a_bench().group, replace(KNOWN, routes=names)).seen

    assert [(route.arn, route.name) for route in seen.routes] == list(names.items())


@pytest.mark.edge(15)
@pytest.mark.edge(20)
def test_health_is_joined_to_instances_by_their_id() -> None:
    bench = a_bench()
    sick = bench.fleet.state[BLUE].instances[2].id
    bench.router.sick.add(sick)

    seen = observe(bench.group, KNOWN).seen

    unhealthy = [i.id for i in seen.slots[BLUE].instances if i.target is TargetState.UNHEALTHY]
    assert unhealthy == [sick]


def test_an_instance_that_no_target_group_lists_has_no_health() -> None:
    bench = a_bench()

    seen = observe(bench.group, KNOWN, health_of=frozenset({GREEN})).seen

    assert {i.target for i in seen.slots[BLUE].instances} == {None}


def test_an_empty_candidate_is_not_asked_about_until_an_instance_is_in_service() -> None:
    bench = a_bench()
    record = replace(KNOWN, rotation=a_rotation())

    observe(bench.group, record)
    assert bench.router.asked == [frozenset({BLUE})]

    bench.fleet.state[GREEN] = replace(bench.fleet.state[GREEN], instances=bench.fleet.state[BLUE].instances)
    seen = observe(bench.group, record).seen
    assert bench.router.asked[1:] == [frozenset({BLUE}), frozenset({GREEN})]
    assert {i.target for i in seen.slots[GREEN].instances} == {TargetState.HEALTHY}


@pytest.mark.edge(33)
@pytest.mark.parametrize("search", [True, False])
@pytest.mark.parametrize("broken", ["fleet", "router"])
def test_one_answer_that_is_missing_spoils_the_whole_observation(broken: str, search: bool) -> None:
    bench = a_bench()
    getattr(bench, broken).error = Throttled("slow down")

    with pytest.raises(Throttled):
        observe(bench.group, KNOWN, search=search)


def test_without_a_load_balancer_weights_are_not_asked_for() -> None:
    bench = a_bench(terms={"serving": NO_TRAFFIC})

    seen = observe(bench.group, replace(KNOWN, routes={})).seen

    assert bench.router.asked == []
    assert seen.routes == ()


def test_gates_are_asked_in_a_rotation_only() -> None:
    bench = a_bench()
    observe(bench.group, KNOWN)
    assert bench.gate.asked == 0

    seen = observe(bench.group, replace(KNOWN, rotation=a_rotation())).seen
    assert [v.gate for v in seen.verdicts] == ["target_health"]


@pytest.mark.parametrize("changes", [{"back": Ask(NOON, "oncall")}, {"step": 0}, {"closing_since": NOON}])
def test_only_a_candidate_is_judged(changes: dict[str, Any]) -> None:
    bench = a_bench()

    assert ask_gates(bench.group, a_rotation(**changes), an_observation()) == ()
    assert bench.gate.asked == 0


def test_before_traffic_the_first_doubt_is_enough_and_afterwards_all_are_asked() -> None:
    doubtful, other = FakeGate("first", judgement=Judgement.WAIT), FakeGate("second")
    bench = a_bench(gates=(doubtful, other))

    before = ask_gates(bench.group, a_rotation(), an_observation())
    afterwards = ask_gates(bench.group, a_rotation(weight=5), an_observation())

    assert [v.gate for v in before] == ["first"]
    assert [v.gate for v in afterwards] == ["first", "second"]


def test_a_check_that_is_made_before_traffic_is_not_made_again_with_traffic() -> None:
    bench = a_bench(gates=(FakeGate("http", before_traffic_only=True),))

    assert len(ask_gates(bench.group, a_rotation(), an_observation())) == 1
    assert ask_gates(bench.group, a_rotation(weight=5), an_observation()) == ()


def test_a_slot_is_known_by_its_name_whatever_the_order_of_the_answer() -> None:
    bench = a_bench()
    bench.fleet.state = dict(reversed(bench.fleet.state.items()))

    assert observe(bench.group, KNOWN).seen.slots[Slot.BLUE].desired == 4


TARGET_GROUPS = {BLUE: ("arn:tg/web-blue",), GREEN: ("arn:tg/web-green",)}


class Curious:
    """A gate that remembers what it was shown."""

    name, before_traffic_only, judges_alone, begins_something, checks = "curious", False, False, False, ()

    def __init__(self) -> None:
        self.shown: list[tuple[Rotation, Observation]] = []

    def check(self, rotation: Rotation, seen: Observation) -> Verdict:
        self.shown.append((rotation, seen))
        return Verdict(self.name, Judgement.PASS, "fine")

    def find_blockers(self, *_: Any) -> tuple[()]:
        return ()


def growing() -> GroupRecord:
    return replace(KNOWN, rotation=a_rotation(id="web-2-test", new=replace(a_rotation().new, template_version=None)))


def test_the_first_look_finds_slots_target_groups_and_routes_and_writes_them_down() -> None:
    bench = a_bench()

    sight = observe(bench.group, GroupRecord("web"))

    assert sight.record == GroupRecord(
        "web", slots={BLUE: "web-blue", GREEN: "web-green"}, target_groups=TARGET_GROUPS, routes=KNOWN.routes
    )
    assert [(r.arn, r.name, r.weights) for r in sight.seen.routes] == [
        ("arn:rule/443", ":443", {BLUE: 100, GREEN: 0}),
        ("arn:rule/api", "rule /api", {BLUE: 100, GREEN: 0}),
    ]
    assert bench.router.asked == [frozenset({BLUE, GREEN})]


def test_a_group_whose_routes_were_never_found_is_searched_again() -> None:
    bench = a_bench()

    observe(bench.group, replace(KNOWN, routes={}))

    assert bench.router.searches == 1


def test_a_group_without_a_load_balancer_is_searched_once_for_its_target_groups() -> None:
    bench = a_bench(terms={"serving": NO_TRAFFIC})

    observe(bench.group, replace(KNOWN, routes={}))
    assert bench.router.searches == 0
    observe(bench.group, GroupRecord("web"))
    assert bench.router.searches == 1


def test_the_observation_carries_the_time_the_failures_and_the_template_version_that_was_made() -> None:
    bench = a_bench()
    failure = LaunchFailure(NOON + timedelta(seconds=1), False, False, "no capacity")
    bench.fleet.failures.append(failure)
    bench.fleet.versions[2] = ("phoenix web-2-test generation 42", "ami-new")
    bench.clock.at += timedelta(minutes=3)

    seen = observe(bench.group, growing()).seen

    assert (seen.at, seen.failures, seen.prepared_version) == (bench.clock.at, (failure,), "2")


def test_an_observation_is_as_old_as_its_first_answer() -> None:
    bench = a_bench()
    answer = CountingRouter.observe

    def slowly(*asked: Any) -> Traffic:
        bench.clock.sleep(12)
        return answer(bench.router, *asked)

    bench.router.observe = slowly  # type: ignore[assignment,method-assign]

    assert observe(bench.group, KNOWN).seen.at == NOON


@pytest.mark.parametrize("search", [True, False])
def test_only_the_slots_that_matter_are_asked_for_their_health(search: bool) -> None:
    bench = a_bench()

    observe(bench.group, KNOWN, search=search, health_of=frozenset({BLUE}))

    assert bench.router.asked == [frozenset({BLUE})]


def test_a_candidate_that_has_had_instances_and_the_way_back_are_asked_about_at_once() -> None:
    bench = a_bench()
    for rotation in (a_rotation(in_service_high=1), a_rotation(back=Ask(NOON, "oncall"))):
        observe(bench.group, replace(KNOWN, rotation=rotation))

    assert bench.router.asked == [frozenset({BLUE, GREEN})] * 2


def test_what_is_asked_later_is_added_to_what_was_known() -> None:
    bench = a_bench()
    launched = bench.fleet.state[BLUE].instances
    bench.fleet.state[GREEN] = replace(bench.fleet.state[GREEN], instances=launched)

    seen = observe(bench.group, replace(KNOWN, rotation=a_rotation())).seen

    assert all(i.target is not None for state in seen.slots.values() for i in state.instances)
    assert len(seen.routes) == 2


def test_a_route_that_was_not_known_keeps_its_own_name_and_comes_last() -> None:
    bench = a_bench()
    stranger = Route("arn:rule/new", "rule /new", {BLUE: 100})
    answer = CountingRouter.observe

    def observed(*asked: Any) -> Traffic:
        found = answer(bench.router, *asked)
        return replace(found, routes=(stranger, *found.routes))

    bench.router.observe = observed  # type: ignore[assignment,method-assign]

    seen = observe(bench.group, KNOWN).seen

    assert [route.name for route in seen.routes] == [":443", "rule /api", "rule /new"]


def test_the_gates_judge_what_was_just_seen() -> None:
    gate = Curious()
    bench = a_bench(gates=(gate,))
    record = replace(KNOWN, rotation=a_rotation(in_service_high=1))

    seen = observe(bench.group, record).seen

    assert gate.shown == [(record.rotation, replace(seen, verdicts=()))]
    assert seen.verdicts == (Verdict("curious", Judgement.PASS, "fine"),)


def test_a_gate_for_before_traffic_is_passed_over_and_those_after_it_are_asked() -> None:
    gates = (FakeGate("http", before_traffic_only=True), FakeGate("alarm"))

    verdicts = ask_gates(a_bench(gates=gates).group, a_rotation(weight=5), an_observation())

    assert [verdict.gate for verdict in verdicts] == ["alarm"]


def test_a_rotation_that_has_ended_is_not_judged() -> None:
    bench = a_bench()

    seen = observe(bench.group, replace(KNOWN, rotation=a_rotation(ended_at=NOON))).seen

    assert (seen.verdicts, bench.gate.asked) == ((), 0)


def test_the_look_is_a_span() -> None:
    spans = Spans()
    observe(a_bench(tracer=spans).group, a_record(target_groups=TARGET_GROUPS, routes=KNOWN.routes))

    assert spans.opened == [("observe", {"group": "web"})]
