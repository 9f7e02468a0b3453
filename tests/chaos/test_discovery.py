"""A registry in which clients look, with deaths around every save, every call and every registration.

Whatever happens, clients find an instance that answers, and no instance that serves is let go while they still know it.
"""

from __future__ import annotations

import pytest

from tests.chaos.cases import Case
from tests.chaos.drivers import Run
from tests.chaos.runs import calm, with_deaths, with_operator

CASES = [
    Case(strategy, balanced, "good", announces=True)
    for strategy in ("blue_green", "canary", "rolling")
    for balanced in (True, False)
]
BACK = [Case("canary", True, "bad", announces=True), Case("rolling", True, "bad", announces=True)]


def by_name(case: Case) -> str:
    return case.name


def assert_clients_were_served(run: Run) -> None:
    live = run.record.live
    assert live is not None
    assert run.model.unfound == []
    assert run.model.cut_off == []
    staying = run.model.places[live.slot].staying()
    assert staying
    assert [m.id for m in staying if m.drained_since is not None] == []


@pytest.mark.parametrize("case", [*CASES, *BACK], ids=by_name)
def test_an_undisturbed_rotation_always_leaves_an_instance_to_be_found(case: Case) -> None:
    run = calm(case)

    assert_clients_were_served(run)
    assert run.rotation.outcome is case.outcome


@pytest.mark.parametrize("case", [*CASES, *BACK], ids=by_name)
def test_a_driver_may_die_at_any_moment(case: Case) -> None:
    for moment in range(1, len(calm(case).fate.passed), 5):
        assert_clients_were_served(with_deaths(case, (moment,)))


@pytest.mark.parametrize("command", ["rollback", "rollback_now", "pause_resume"])
@pytest.mark.parametrize("case", CASES, ids=by_name)
def test_a_person_may_turn_it_round_after_any_tick(case: Case, command: str) -> None:
    for tick in range(1, 40, 5):
        assert_clients_were_served(with_operator(case, command, tick))
