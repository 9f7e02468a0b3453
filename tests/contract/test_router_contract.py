"""What every router with weights promises, held against the real one on a sandbox and the fake one in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pytest

from phoenix.core.action import SetRole, SetWeights
from phoenix.core.model import Role, Route, Slot, SlotState, TargetState
from phoenix.errors import ForeignWeights
from phoenix.ports import Router
from phoenix.routers import KINDS
from tests.account import Opener
from tests.fakes import FakeFleet, FakeRouter

BLUE, GREEN = Slot.BLUE, Slot.GREEN


@dataclass
class Case:
    """A router with several routes, all traffic on blue, and four healthy instances there."""

    router: Router
    slots: Mapping[Slot, SlotState]
    grow_green: Callable[[], None]

    @property
    def target_groups(self) -> Mapping[Slot, Sequence[str]]:
        return {slot: state.target_groups for slot, state in self.slots.items()}

    def arns(self) -> list[str]:
        return [route.arn for route in self.router.find(self.target_groups)]

    def shift(self, action: SetWeights) -> tuple[Route, ...]:
        return self.router.shift(action, self.target_groups, self.arns())

    def percents(self) -> set[int]:
        seen = self.router.observe(self.target_groups, self.arns(), frozenset())
        return {route.percent(GREEN) for route in seen.routes}


def _fake(_open: Opener) -> Case:
    fleet = FakeFleet()
    return Case(FakeRouter(fleet), fleet.state, lambda: fleet.apply(SetRole(GREEN, Role.CANDIDATE, 2)))


def _alb(open_account: Opener) -> Case:
    account = open_account()

    def grow() -> None:
        account.fleet.apply(SetRole(GREEN, Role.CANDIDATE, 2))
        account.clock.advance(300)

    return Case(account.router(), account.slots(), grow)


CASES: dict[str, Callable[[Opener], Case]] = {"fake": _fake, "alb": _alb}


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest, open_account: Opener) -> Case:
    return CASES[request.param](open_account)


def test_every_router_with_weights_is_held_to_this() -> None:
    assert {kind for kind, made in KINDS.items() if made.WEIGHTS} <= set(CASES)


def test_it_finds_every_route_of_the_pair(case: Case) -> None:
    routes = case.router.find(case.target_groups)

    assert len(routes) > 1
    assert all(route.weights == {BLUE: 100, GREEN: 0} and route.name for route in routes)


def test_it_observes_what_it_has_found(case: Case) -> None:
    found = case.router.find(case.target_groups)

    seen = case.router.observe(case.target_groups, case.arns(), frozenset())

    assert (seen.routes, seen.health) == (found, {})


def test_health_is_told_for_the_slots_asked_for(case: Case) -> None:
    seen = case.router.observe(case.target_groups, case.arns(), frozenset({BLUE}))

    assert set(seen.health) == {BLUE}
    assert list(seen.health[BLUE].values()) == [TargetState.HEALTHY] * 4


def test_a_new_generation_becomes_healthy_before_it_has_any_traffic(case: Case) -> None:
    case.grow_green()

    health = case.router.observe(case.target_groups, case.arns(), frozenset({GREEN})).health
    assert list(health[GREEN].values()) == [TargetState.HEALTHY] * 2


def test_all_routes_are_shifted_together_and_read_back(case: Case) -> None:
    routes = case.shift(SetWeights(GREEN, 5, only_from=frozenset({0, 5})))

    assert {route.percent(GREEN) for route in routes} == case.percents() == {5}


def test_the_way_back_starts_from_anywhere(case: Case) -> None:
    case.shift(SetWeights(GREEN, 50))
    case.shift(SetWeights(GREEN, 0))

    assert case.percents() == {0}


def test_a_shift_may_be_repeated(case: Case) -> None:
    for _ in range(2):
        case.shift(SetWeights(GREEN, 50, only_from=frozenset({0, 50})))

    assert case.percents() == {50}


def test_a_raise_from_weights_that_another_writer_set_is_refused(case: Case) -> None:
    case.shift(SetWeights(GREEN, 30))

    with pytest.raises(ForeignWeights) as refused:
        case.shift(SetWeights(GREEN, 50, only_from=frozenset({5})))

    assert (refused.value.found, case.percents()) == (30, {30})


def test_stickiness_is_given_back(case: Case) -> None:
    first = case.arns()[0]
    case.shift(SetWeights(BLUE, 100, restore_stickiness={first: 600}))
    assert {r.arn: r.sticky_seconds for r in case.router.find(case.target_groups)}[first] == 600

    routes = case.shift(SetWeights(GREEN, 50, suspend_stickiness=True))

    assert {route.sticky_seconds for route in routes} == {0}


def test_traffic_is_shared_out_over_all_zones_unless_an_attribute_says_otherwise(case: Case) -> None:
    assert not case.router.serves_by_zone(case.target_groups)


def test_nothing_stands_in_the_way_of_a_pair_at_rest(case: Case) -> None:
    assert case.router.find_blockers(case.slots, BLUE) == []
