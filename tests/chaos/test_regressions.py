"""What the chaos runs have found, each as small as it could be made; where that is not small, the run itself."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from phoenix.core.action import SetRole, SetWeights
from phoenix.core.back import turn_back
from phoenix.core.converge import converge
from phoenix.core.decide import decide
from phoenix.core.model import Cause, Judgement, Outcome, Role, Slot, SlotState, TargetState
from phoenix.core.progress import advance, advance_clocks
from phoenix.core.ready import capacity_verdict
from phoenix.core.rotation import Rotation
from phoenix.core.serving import NO_TRAFFIC
from phoenix.core.story import Ask
from phoenix.engine.apply import apply
from phoenix.engine.drive import PATIENCE, patiently
from phoenix.engine.lease import claim
from phoenix.engine.request import RollbackRequest
from phoenix.engine.rollback import rollback
from phoenix.errors import StateConflict, TransientError
from tests.account import account, open_account
from tests.builders import (
    NOON,
    OWNER,
    ROLLING,
    a_generation,
    a_record,
    a_rotation,
    a_route,
    a_slot,
    after,
    an_instance,
    an_observation,
    changed,
    some_instances,
    some_terms,
)
from tests.chaos import specs
from tests.core.slots import goes_back
from tests.engine.builders import a_bench

__all__ = ["account", "open_account"]
BLUE, GREEN = Slot.BLUE, Slot.GREEN
ASKED = Ask(NOON, "oncall", "INC-1")


def sick(slot: Slot, healthy: int, of: int, version: str = "1") -> SlotState:
    """A slot in which only some are healthy."""
    up = some_instances(healthy, template_version=version)
    down = [an_instance(n, template_version=version, target=TargetState.UNHEALTHY) for n in range(healthy, of)]
    return a_slot(slot, healthy=of, version=version, instances=(*up, *down))


def turned(**changes: Any) -> Rotation:
    return turn_back(a_rotation(**changes), an_observation(), ASKED, Cause.OPERATOR)


def sized(actions: object, slot: Slot) -> list[SetRole]:
    """Which sizes a slot was given."""
    assert isinstance(actions, tuple)
    return [action for action in actions if isinstance(action, SetRole) and action.slot is slot]


def test_a_driver_that_slept_for_longer_than_its_patience_tries_once_more() -> None:
    bench, tries = a_bench(), iter([True, False])

    def attempt() -> str:
        if next(tries):
            bench.clock.sleep(PATIENCE.total_seconds() + 1)
            raise StateConflict("web", 2)
        return "went on"

    assert patiently(bench.group, attempt) == "went on"


def test_patience_ends_all_the_same() -> None:
    bench = a_bench()

    def attempt() -> None:
        raise TransientError("no answer")

    with pytest.raises(TransientError):
        patiently(bench.group, attempt)

    assert bench.clock.now() >= NOON + PATIENCE


def test_traffic_that_two_and_two_carry_does_not_go_back_to_two() -> None:
    back = turned(exposed_at=NOON, weight=50)
    old, new = sick(BLUE, 2, of=4), a_slot(GREEN, healthy=2, version="2")
    shared, alone = an_observation(old, new, weight=50), an_observation(old, new, weight=100)

    assert not goes_back(back, shared)
    assert goes_back(back, alone)


def test_a_slot_that_another_writer_gave_traffic_before_the_first_step_is_not_emptied() -> None:
    rotation = a_rotation(step=0, grown_since=None, weight=100, intended_weight=0)
    seen = an_observation(green=a_slot(GREEN, version="0"), weight=100)

    decision = decide(a_record(rotation), seen)

    assert "another writer has changed the weights" in decision.reason
    assert not sized(decision.actions, GREEN)


def test_a_slot_that_had_traffic_a_moment_ago_is_not_emptied_yet() -> None:
    rotation = a_rotation(step=0, grown_since=None)
    full = a_slot(GREEN, version="0")
    healed = decide(a_record(rotation), an_observation(green=full, weight=100))

    soon = decide(healed.record, an_observation(green=full, at=after(seconds=5)))
    later = decide(healed.record, an_observation(green=full, at=after(seconds=60)))

    assert any(isinstance(action, SetWeights) for action in healed.actions)
    assert (sized(soon.actions, GREEN), len(sized(later.actions, GREEN))) == ([], 1)


def test_a_way_back_from_weights_of_another_writer_waits_for_the_data_plane() -> None:
    seen = an_observation(green=a_slot(GREEN, version="2"), weight=100)

    back = turn_back(a_rotation(), seen, ASKED, Cause.OPERATOR)

    assert back.exposed_at == NOON


def test_traffic_that_comes_back_while_settling_is_waited_for_once_more() -> None:
    back = changed(turned(exposed_at=NOON), shifted_at=NOON, closing_since=after(1))

    again = advance(back, an_observation(green=a_slot(GREEN, version="2"), weight=100, at=after(2)))

    assert (again.clocks.shifted_at, again.clocks.closing_since) == (None, None)


def test_without_a_load_balancer_no_instance_is_let_go_while_the_others_are_not_whole() -> None:
    terms = some_terms(serving=NO_TRAFFIC, hot_for=timedelta(0))
    closing = a_rotation(terms=terms, closing_since=NOON)
    up = [an_instance(n, template_version="2", target=None) for n in range(3)]
    short = a_slot(GREEN, version="2", instances=(*up, an_instance(9, template_version="2", lifecycle="Pending")))

    actions = converge(closing.current, closing, an_observation(green=short, routes=()))

    assert not sized(actions, BLUE)


@pytest.mark.parametrize(("healthy", "sizes"), [(2, []), (4, [SetRole(BLUE, Role.PINNED, 2)])])
def test_a_generation_with_sick_instances_does_not_shrink(healthy: int, sizes: list[SetRole]) -> None:
    facts: dict[str, Any] = {
        "weight": 50,
        "intended_weight": 50,
        "proved_at": NOON,
        "shifted_at": NOON,
        "exposed_at": NOON,
    }
    rotation = a_rotation(ROLLING, shrunk_at=after(1), **facts)
    seen = an_observation(sick(BLUE, healthy, of=4), a_slot(GREEN, healthy=2, version="2"), weight=50, at=after(2))

    assert sized(converge(rotation.current, rotation, seen), BLUE) == sizes


def test_a_candidate_that_grows_for_its_next_step_is_not_short_of_what_it_carries() -> None:
    facts: dict[str, Any] = {"step": 2, "weight": 50, "intended_weight": 50, "grown_since": NOON, "exposed_at": NOON}
    rotation = a_rotation(ROLLING, in_service_high=2, grew_in=timedelta(minutes=4), **facts)
    carrying = an_observation(sick(BLUE, 2, of=2), sick(GREEN, 2, of=4, version="2"), weight=50, at=after(9))

    noted = advance_clocks(rotation, carrying)

    assert noted.growth.short_since is None
    assert capacity_verdict(noted, carrying, "target_health").judgement is Judgement.WAIT


def test_a_share_is_not_moved_back_onto_an_unhealthy_slot() -> None:
    facts: dict[str, Any] = {"weight": 100, "intended_weight": 50, "proved_at": NOON, "exposed_at": NOON}
    rotation = a_rotation(ROLLING, **facts)
    seen = an_observation(sick(BLUE, 0, of=4), a_slot(GREEN, healthy=2, version="2"), routes=(a_route(100),))

    actions = converge(rotation.current, rotation, seen)

    assert not any(isinstance(action, SetWeights) for action in actions)


def test_a_second_rollback_goes_no_further_back_than_the_first() -> None:
    bench = a_bench()
    ended = turned(ended_at=NOON, outcome=Outcome.ROLLED_BACK)
    bench.store.begin_with(a_record(ended, version=1, routes=(), retained=a_generation(40, slot=GREEN)))

    report = rollback(bench.group, RollbackRequest())

    assert "already back on 41" in report.sentence
    assert bench.writes == []


@pytest.mark.parametrize("seed", [3520, 4232, 21663, 22480, 23338, 24631, 32176])
def test_a_seed_that_has_found_something_finds_nothing_any_more(seed: int) -> None:
    specs.play(str(seed))


def test_a_driver_that_slept_between_the_look_and_the_call_looks_again() -> None:
    bench = a_bench()
    record = a_record(a_rotation(looked_at=bench.clock.at))
    lease = claim(bench.group)
    bench.clock.at += timedelta(seconds=31)

    with pytest.raises(TransientError, match="what was seen of web is 31s old by now; the next tick looks again"):
        apply(bench.group, lease, record, (SetRole(GREEN, Role.PINNED, 4, OWNER),), NOON)

    assert bench.writes == []


@pytest.mark.parametrize("seed", [169, 1752, 17775, 18577, 18675])
def test_these_seeds_went_wrong_once(seed: int) -> None:
    specs.play(str(seed))


def test_a_shrink_that_waited_for_the_fence_is_weighed_again_when_it_comes() -> None:
    terms = some_terms(ROLLING, serving=NO_TRAFFIC, hot_for=timedelta(0))
    rotation = a_rotation(ROLLING, terms=terms, step=2, proved_at=NOON, shifted_at=NOON, shrunk_at=NOON)
    live = a_slot(BLUE, healthy=2)
    whole, short = (a_slot(GREEN, healthy=count, version="2", desired=4, min=4, max=8) for count in (4, 3))

    def shrunk(candidate: SlotState) -> list[SetRole]:
        seen = an_observation(live, candidate, routes=(), at=after(9))
        return sized(converge(rotation.current, rotation, seen), BLUE)

    assert shrunk(whole) == [SetRole(BLUE, Role.PINNED, 0)]
    assert shrunk(short) == []


def test_without_a_load_balancer_a_winner_that_was_emptied_is_filled_before_the_other_is_let_go() -> None:
    terms = some_terms(serving=NO_TRAFFIC, hot_for=timedelta(0))
    closing = a_rotation(terms=terms, closing_since=NOON)
    emptied = a_slot(GREEN, healthy=0, version="2")

    decision = decide(a_record(closing), an_observation(green=emptied, routes=(), at=after(1)))

    assert sized(decision.actions, BLUE) == []
    assert sized(decision.actions, GREEN) == [SetRole(GREEN, Role.PINNED, 4, OWNER)]
