"""Work that has to leave before its instance does, with deaths around every save, every call and every drain.

Whatever happens, no instance that serves is let go with work on it, and the generation that is live in the
end takes work.
"""

from __future__ import annotations

import pytest

from tests.chaos.cases import Case
from tests.chaos.drivers import Run
from tests.chaos.runs import calm, with_deaths, with_operator, with_stall

CASES = [
    Case(strategy, balanced, "good", drains=True)
    for strategy in ("blue_green", "canary", "rolling")
    for balanced in (True, False)
]
BACK = [Case("canary", True, "bad", drains=True), Case("rolling", True, "good", drains=True)]


def by_name(case: Case) -> str:
    return case.name


def assert_nothing_was_cut_off(run: Run) -> None:
    live = run.record.live
    assert live is not None
    assert run.model.cut_off == []
    staying = run.model.places[live.slot].staying()
    assert staying
    assert [m.id for m in staying if m.drained_since is not None] == []


def drains_of(case: Case) -> list[int]:
    """The moments right before and right after each call of an orchestrator."""
    passed = calm(case).fate.passed
    return [number for number, name in enumerate(passed, start=1) if name.endswith(("Drain", "Undrain"))]


@pytest.mark.parametrize("case", CASES, ids=by_name)
def test_an_undisturbed_rotation_drains_whatever_leaves(case: Case) -> None:
    run = calm(case)

    assert_nothing_was_cut_off(run)
    assert run.rotation.outcome is case.outcome
    kept_hot = case.strategy == "blue_green" and case.balanced
    assert kept_hot or drains_of(case)


@pytest.mark.parametrize("case", [*CASES, *BACK], ids=by_name)
def test_a_driver_may_die_around_every_drain_and_twice(case: Case) -> None:
    moments = drains_of(case)

    for moment in moments:
        assert_nothing_was_cut_off(with_deaths(case, (moment,)))
        assert_nothing_was_cut_off(with_deaths(case, (moment, moment + 3)))


@pytest.mark.parametrize("case", [*CASES, *BACK], ids=by_name)
def test_a_driver_may_die_at_any_moment(case: Case) -> None:
    for moment in range(1, len(calm(case).fate.passed), 7):
        assert_nothing_was_cut_off(with_deaths(case, (moment,)))


@pytest.mark.parametrize("command", ["rollback", "rollback_now", "pause_resume"])
@pytest.mark.parametrize("case", CASES, ids=by_name)
def test_a_person_may_turn_it_round_after_any_tick(case: Case, command: str) -> None:
    for tick in range(1, 40, 4):
        assert_nothing_was_cut_off(with_operator(case, command, tick))


@pytest.mark.parametrize("case", [CASES[1], CASES[4]], ids=by_name)
def test_a_driver_may_freeze_around_a_drain_while_another_goes_on(case: Case) -> None:
    for moment in drains_of(case)[::2]:
        assert_nothing_was_cut_off(with_stall(case, moment, 6))
