"""Everything AWS says at one instant: whole or not at all, and no question that need not be asked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from phoenix.core.model import NO_TRAFFIC, Judgement, Slot, TargetState
from phoenix.core.record import GroupRecord
from phoenix.core.story import Ask
from phoenix.engine.observe import ask_gates, observe
from phoenix.errors import Throttled
from tests.builders import NOON, a_record, a_rotation, an_observation
from tests.engine.builders import BLUE, GREEN, a_bench
from tests.fakes import FakeGate

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


def test_an_instance_that_nobody_lists_has_no_health() -> None:
    bench = a_bench()

    seen = observe(bench.group, KNOWN, health_of=frozenset({GREEN})).seen

    assert {i.target for i in seen.slots[BLUE].instances} == {None}


def test_an_empty_candidate_is_not_asked_about_until_somebody_is_in_service() -> None:
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


def test_without_a_load_balancer_nobody_asks_for_weights() -> None:
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
def test_nobody_is_judged_who_is_not_a_candidate(changes: dict[str, Any]) -> None:
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
