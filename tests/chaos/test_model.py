"""A fixed sample of the first level: deaths, pairs of deaths, stalls, operators and seeds on the model.

`make chaos` runs all of them, and as many seeds as one likes; a failure here prints what to type.
"""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from tests.chaos import specs
from tests.chaos.cases import CASES, Case
from tests.chaos.invariants import Violated

WATCHED = [case for case in CASES if case.balanced]
BLIND = [case for case in CASES if not case.balanced and case.image == "good"]
SAMPLED = [*WATCHED, *BLIND]
SEEDS, BATCH = 400, 50


def played(names: Iterable[str]) -> int:
    """Play them all; how many there were."""
    count = 0
    for name in names:
        try:
            specs.play(name)
        except Violated as violated:
            pytest.fail(f"make chaos SEED={name}    # {violated}", pytrace=False)
        count += 1
    return count


def by_name(case: Case) -> str:
    return case.name


@pytest.mark.parametrize("case", SAMPLED, ids=by_name)
def test_a_driver_may_die_at_any_moment(case: Case) -> None:
    assert played(specs.deaths(case, every=2)) > 15


@pytest.mark.parametrize("case", SAMPLED, ids=by_name)
def test_two_drivers_may_die_in_a_row_at_any_two_moments(case: Case) -> None:
    assert played(specs.pairs(case, every=97)) > 5


@pytest.mark.parametrize("case", SAMPLED, ids=by_name)
def test_a_driver_may_freeze_while_another_goes_on(case: Case) -> None:
    assert played(specs.stalls(case, every=5)) > 10


@pytest.mark.parametrize("case", SAMPLED, ids=by_name)
def test_a_driver_may_freeze_between_its_check_of_the_lease_and_the_call(case: Case) -> None:
    assert played(specs.gaps(case, every=4)) >= 9


@pytest.mark.parametrize("case", SAMPLED, ids=by_name)
def test_a_request_that_arrives_late_never_leaves_a_rotation_without_a_serving_instance(case: Case) -> None:
    found = set()
    for name in specs.late(case, every=8):
        try:
            specs.play(name)
        except Violated as violated:
            found.add(violated.invariant)

    assert found <= {"I6"}


@pytest.mark.parametrize("case", [case for case in SAMPLED if case.strategy != "rolling"], ids=by_name)
def test_a_rollback_meets_a_request_that_arrives_late(case: Case) -> None:
    assert played(specs.late_back(case, every=8)) >= 3


@pytest.mark.parametrize("case", SAMPLED, ids=by_name)
def test_an_operator_may_type_any_command_after_any_tick(case: Case) -> None:
    assert played(specs.operators(case, every=6)) > 10


@pytest.mark.parametrize("first", range(0, SEEDS, BATCH))
def test_everything_may_go_wrong_at_once(first: int) -> None:
    assert played(str(seed) for seed in range(first, first + BATCH)) == BATCH


def test_the_same_seed_goes_wrong_in_the_same_way() -> None:
    assert specs.play("1234") == specs.play("1234")


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(ValueError, match="no such run: weather"):
        specs.play("weather:canary-alb-good")
