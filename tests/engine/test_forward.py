"""Going to a generation by its number: a rotation like any other, to a template version that exists."""

from __future__ import annotations

from dataclasses import replace

import pytest

from phoenix.core.blocker import Blocker
from phoenix.core.model import Outcome
from phoenix.core.window import Calendar, Freeze
from phoenix.engine.report import NotStarted
from phoenix.engine.request import RollbackRequest
from phoenix.engine.rollback import rollback
from phoenix.errors import Blocked
from tests.builders import NOON
from tests.engine.builders import CANARY, GREEN, Bench, a_bench
from tests.fakes import NEW_IMAGE

TO_2 = RollbackRequest(to=2, reason="it was not the image")


def rolled_back() -> Bench:
    """Generation 1 is live again; 2 is gone, its template version is not."""
    bench = a_bench(terms={"steps": CANARY})
    bench.rotated()
    rollback(bench.group, RollbackRequest())
    bench.forget_writes()
    return bench


def test_forward_again_is_one_step_to_the_version_that_exists_behind_all_gates() -> None:
    bench = rolled_back()
    asked = bench.gate.asked

    report = rollback(bench.group, TO_2)

    assert report.outcome is Outcome.SUCCEEDED
    assert "MakeTemplateVersion" not in bench.writes
    assert {i.template_version for i in bench.fleet.state[GREEN].instances} == {"2"}
    assert len(bench.rotation.terms.steps) == 1
    assert bench.gate.asked > asked


def test_naming_a_quarantined_generation_releases_its_image() -> None:
    bench = rolled_back()
    assert [q.image for q in bench.record.quarantine] == [NEW_IMAGE]

    rollback(bench.group, TO_2)

    assert bench.record.quarantine == ()


def test_it_ignores_freezes_but_not_what_is_wrong_with_the_groups() -> None:
    bench = rolled_back()
    bench.group = replace(bench.group, calendar=Calendar((), (Freeze(NOON.date(), NOON.date(), "peak"),)))
    assert rollback(bench.group, replace(TO_2, wait=False)).outcome is Outcome.IN_PROGRESS

    broken = rolled_back()
    broken.fleet.blockers.append(Blocker("instance-refresh", "web-blue", "One is running."))
    with pytest.raises(NotStarted):
        rollback(broken.group, TO_2)
    assert broken.writes == []


def test_the_generation_that_is_live_already_needs_nothing() -> None:
    bench = rolled_back()

    report = rollback(bench.group, RollbackRequest(to=1))

    assert (report.outcome, report.exit_status, bench.writes) == (Outcome.NONE, 0, [])
    assert report.sentence == "Nothing to do: web is on 1."


def test_a_number_that_nobody_knows_is_5_and_names_those_that_are_known() -> None:
    bench = rolled_back()

    with pytest.raises(Blocked, match="generation 7 of web is not known; known: 1, 2") as blocked:
        rollback(bench.group, RollbackRequest(to=7))

    assert blocked.value.exit_status == 5


def test_another_generation_waits_for_the_end_of_the_rotation_in_flight() -> None:
    bench = a_bench(terms={"steps": CANARY})
    record = bench.baking()
    bench.store.save(replace(record, known=(replace(bench.rotation.old, number=7),)))

    with pytest.raises(Blocked, match="has to wait"):
        rollback(bench.group, RollbackRequest(to=7))


def test_a_number_that_nobody_knows_is_said_so_also_while_a_rotation_is_in_flight() -> None:
    bench = a_bench(terms={"steps": CANARY})
    bench.baking()

    with pytest.raises(Blocked, match="not known"):
        rollback(bench.group, RollbackRequest(to=7))


@pytest.mark.parametrize("in_flight", [True, False])
def test_the_number_of_the_generation_before_is_a_plain_rollback(in_flight: bool) -> None:
    bench = a_bench(terms={"steps": CANARY})
    bench.baking() if in_flight else bench.rotated()

    assert rollback(bench.group, RollbackRequest(to=1)).outcome is Outcome.ROLLED_BACK


def test_without_a_policy_only_the_generation_before_can_be_gone_back_to() -> None:
    bench = rolled_back()

    with pytest.raises(Blocked, match="without a policy file"):
        rollback(replace(bench.group, images=None), TO_2)
