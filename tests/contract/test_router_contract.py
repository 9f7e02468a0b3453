"""What every router with weights promises, held against the real one on a sandbox and the fake one in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import pytest

from phoenix.core.action import SetRole, SetWeights
from phoenix.core.model import UNTIMED, Role, Route, Slot, SlotState, TargetState
from phoenix.errors import ForeignWeights
from phoenix.ports import Router
from phoenix.routers import KINDS
from tests.account import Account, Opener
from tests.builders import NOON
from tests.fakes import FakeFleet, FakeRouter

BLUE, GREEN = Slot.BLUE, Slot.GREEN


@dataclass
class Case:
    """A router with several routes, all traffic on blue, and four healthy instances there."""

    router: Router
    slots: Mapping[Slot, SlotState]
    grow_green: Callable[[], None]
    by_zone: bool = False
    """Its load balancer serves each zone by itself unless an attribute says otherwise."""
    sticky_seconds: int = 600
    """A stickiness that it can be given; 0: it has none."""
    now: datetime = NOON

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
    return Case(account.router(), account.slots(), partial(_grow, account), now=account.clock.now())


def _nlb(open_account: Opener) -> Case:
    account = open_account("edge")
    router = account.network_router()
    return Case(
        router, account.slots(), partial(_grow, account), by_zone=True, sticky_seconds=UNTIMED, now=account.clock.now()
    )


def _route53(open_account: Opener) -> Case:
    account = open_account("shop")
    return Case(
        account.record_router(), account.slots(), partial(_grow, account), sticky_seconds=0, now=account.clock.now()
    )


def _grow(account: Account) -> None:
    account.fleet.apply(SetRole(GREEN, Role.CANDIDATE, 2))
    account.clock.advance(300)


CASES: dict[str, Callable[[Opener], Case]] = {"fake": _fake, "alb": _alb, "nlb": _nlb, "route53": _route53}


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
    first, seconds = case.arns()[0], case.sticky_seconds
    case.shift(SetWeights(BLUE, 100, restore_stickiness={first: seconds}))
    assert {r.arn: r.sticky_seconds for r in case.router.find(case.target_groups)}[first] == seconds

    routes = case.shift(SetWeights(GREEN, 50, suspend_stickiness=True))

    assert {route.sticky_seconds for route in routes} == {0}


def test_whether_zones_share_their_traffic_is_what_the_kind_of_load_balancer_does_by_itself(case: Case) -> None:
    assert case.router.serves_by_zone(case.target_groups) is case.by_zone


def test_nothing_stands_in_the_way_of_a_pair_at_rest(case: Case) -> None:
    assert case.router.find_blockers(case.slots, BLUE) == []


def test_it_counts_the_requests_of_each_slot_by_whole_minutes_or_says_why_it_does_not(case: Case) -> None:
    until = (case.now - timedelta(minutes=5)).replace(second=0, microsecond=0)
    since = until - timedelta(minutes=3)

    counts = case.router.count_requests(case.target_groups, case.arns(), since, until)

    minutes = set() if case.router.uncounted else {since + timedelta(minutes=number) for number in range(3)}
    assert set(counts.get(BLUE, {})) == minutes
    assert all(count > 0 for count in counts.get(BLUE, {}).values())
    assert not counts.get(GREEN)
    assert bool(case.router.price_of_looks(case.target_groups, 4)) is not bool(case.router.uncounted)
