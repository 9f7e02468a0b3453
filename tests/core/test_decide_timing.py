"""What a decision keeps up, and when it wants to look again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from phoenix.core.action import MakeTemplateVersion, ReplaceInstance, SetWeights
from phoenix.core.decide import decide
from phoenix.core.model import Observation, Phase, TargetState
from phoenix.core.rotation import Rotation
from tests.builders import (
    CANARY,
    NOON,
    a_generation,
    a_record,
    a_rotation,
    a_slot,
    after,
    an_instance,
    an_observation,
    some_instances,
    some_terms,
)
from tests.core.slots import BAKING, DOUBT, GREEN, ONCALL, baking, decided, settled

# --- upkeep -----------------------------------------------------------------------------------------------------------


def sick(*numbers: int, healthy: int = 4) -> Observation:
    ill = tuple(an_instance(100 + n, template_version="2", target=TargetState.UNHEALTHY) for n in numbers)
    green = a_slot(GREEN, instances=some_instances(healthy, template_version="2") + ill)
    return an_observation(green=green, weight=5, at=after(9))


def sick_for(minutes: float, *numbers: int, **changes: Any) -> Rotation:
    since = {an_instance(100 + n).id: after(9 - minutes) for n in numbers}
    return baking(sick=since, **changes)


def replaced(rotation: Rotation, seen: Observation) -> list[str]:
    return [a.instance for a in decide(a_record(rotation), seen).actions if isinstance(a, ReplaceInstance)]


@pytest.mark.edge(18)
def test_an_instance_that_stays_sick_is_handed_to_aws() -> None:
    assert replaced(sick_for(2, 1), sick(1)) == [an_instance(101).id]
    assert replaced(sick_for(0.9, 1), sick(1)) == []


@pytest.mark.edge(10)
def test_at_most_three_a_rotation_are_replaced() -> None:
    decision = decide(a_record(sick_for(2, 1, 2, replaced=2)), sick(1, 2))

    assert replaced(sick_for(2, 1, 2, 3, 4), sick(1, 2, 3, 4)) == [an_instance(100 + n).id for n in (1, 2, 3)]
    assert decided(decision.record).candidate.replaced == 3
    assert replaced(sick_for(2, 1, replaced=3), sick(1)) == []


def test_a_generation_of_which_most_is_sick_is_not_made_to_boot_anew() -> None:
    assert replaced(sick_for(2, 1, 2, 3, weight=0), sick(1, 2, 3, healthy=1)) == []


def test_no_instance_is_replaced_in_a_generation_that_is_on_its_way_out() -> None:
    assert replaced(sick_for(2, 1, back=ONCALL), sick(1)) == []


# --- when to look again -----------------------------------------------------------------------------------------------


def test_after_a_shift_one_looks_again_at_once() -> None:
    rotation = a_rotation(ready_since=NOON)

    decision = decide(a_record(rotation), settled(rotation))

    assert any(isinstance(a, SetWeights) for a in decision.actions)
    assert decision.look_again_at == NOON


def test_after_a_template_version_was_asked_for_one_looks_again_at_once() -> None:
    rotation = a_rotation(new=a_generation(42, template_version=None), step=0)

    decision = decide(a_record(rotation), an_observation())

    assert any(isinstance(a, MakeTemplateVersion) for a in decision.actions)
    assert decision.look_again_at == NOON


def test_a_quiet_bake_sleeps_until_its_end_and_one_with_a_doubt_is_watched() -> None:
    quiet = decide(a_record(baking()), settled(baking(), 5, at=after(2)))
    doubtful = decide(a_record(baking()), settled(baking(), 5, at=after(2), verdicts=(DOUBT,)))

    assert (quiet.look_again_at, quiet.moving) == (after(10), False)
    assert (doubtful.look_again_at, doubtful.moving) == (after(10), True)


def test_the_deadline_is_always_a_reason_to_look() -> None:
    decision = decide(a_record(a_rotation()), an_observation(at=after(2)))

    assert (decision.look_again_at, decision.moving) == (after(120), True)


def test_readiness_is_looked_at_when_it_will_have_lasted() -> None:
    rotation = a_rotation(terms=some_terms(healthy_for=timedelta(seconds=30)), ready_since=NOON)

    assert decide(a_record(rotation), settled(rotation)).look_again_at == after(seconds=30)


PHASES: dict[Phase, dict[str, Any]] = {
    Phase.PREPARING: {"step": 0, "new": a_generation(42, template_version=None)},
    Phase.GROWING: {"verdicts": ()},
    Phase.BAKING: {**BAKING, "weight": 5, "intended_weight": 5},
    Phase.SHIFTING: {"proved_at": NOON, "intended_weight": 5},
    Phase.ROLLING_BACK: {"back": ONCALL, "exposed_at": NOON},
}


@pytest.mark.parametrize(("phase", "changes"), PHASES.items(), ids=list(PHASES))
def test_the_phase_says_what_a_rotation_is_busy_with(phase: Phase, changes: dict[str, Any]) -> None:
    rotation = a_rotation(CANARY, **changes)

    assert decided(decide(a_record(rotation), an_observation(weight=rotation.weight)).record).phase is phase
