"""Going to a generation by its number: a rotation like any other, to a template version that exists."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from phoenix.core.action import MakeTemplateVersion
from phoenix.core.blocker import Blocker
from phoenix.core.generation import Generation
from phoenix.core.model import Outcome
from phoenix.core.terms import Step
from phoenix.core.window import Calendar, Freeze
from phoenix.engine.control import pause
from phoenix.engine.report import NotStarted, Report
from phoenix.engine.request import RollbackRequest
from phoenix.engine.rollback import rollback
from phoenix.errors import Blocked
from tests.builders import NOON
from tests.engine.builders import BLUE, CANARY, GREEN, Bench, a_bench
from tests.fakes import NEW_IMAGE, OLD_IMAGE, an_image

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


def test_an_unknown_number_is_5_and_names_the_known_ones() -> None:
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


def test_an_unknown_number_is_said_so_also_while_a_rotation_is_in_flight() -> None:
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


NOW = replace(TO_2, wait=False)


def with_known(bench: Bench, generation: Generation) -> Bench:
    bench.store.save(replace(bench.record, known=(*bench.record.known, generation)))
    return bench


def test_the_number_that_is_on_its_way_already_is_gone_on_with() -> None:
    bench = a_bench(terms={"steps": CANARY})
    bench.baking()
    seen: list[Report] = []

    report = rollback(bench.group, RollbackRequest(to=2), seen.append)

    assert (report.outcome, len(bench.record.known), bool(seen)) == (Outcome.SUCCEEDED, 2, True)


def test_going_on_with_it_does_not_wait_when_told_not_to() -> None:
    bench = a_bench(terms={"steps": CANARY})
    bench.baking()
    slept = len(bench.clock.slept)

    report = rollback(bench.group, RollbackRequest(to=2, wait=False))

    assert (report.outcome, len(bench.clock.slept)) == (Outcome.IN_PROGRESS, slept)


def test_the_number_that_is_being_rolled_back_from_has_to_wait() -> None:
    bench = a_bench(terms={"steps": CANARY})
    bench.baking()
    rollback(bench.group, RollbackRequest(wait=False))

    with pytest.raises(Blocked, match=r"generation 2 (of web )?(is not known|has to wait)"):
        rollback(bench.group, RollbackRequest(to=2))


def test_another_generation_that_has_to_wait_says_how_to_go_back_now() -> None:
    bench = a_bench(terms={"steps": CANARY})
    bench.baking()
    with_known(bench, replace(bench.rotation.old, number=7))

    with pytest.raises(Blocked) as blocked:
        rollback(bench.group, RollbackRequest(to=7))

    assert blocked.value.hint == "phoenix rollback --group web"


def test_where_nothing_is_known_that_is_what_it_says() -> None:
    bench = rolled_back()
    bench.store.save(replace(bench.record, known=()))

    with pytest.raises(Blocked, match=r"generation 2 of web is not known; known: none$"):
        rollback(bench.group, TO_2)


def test_what_needs_nothing_still_shows_how_the_group_stands() -> None:
    report = rollback(rolled_back().group, RollbackRequest(to=1))

    assert report.seen is not None


def test_the_intent_is_recorded_with_the_reason_and_goes_to_the_free_slot() -> None:
    bench = rolled_back()

    report = rollback(bench.group, NOW)

    assert bench.rotation.origin.trigger == "generation 2 asked for by tester: it was not the image"
    assert (bench.rotation.new.number, bench.rotation.new.slot, bench.rotation.old.slot) == (2, GREEN, BLUE)
    assert bench.rotation.terms.steps == (Step(100, 100, 100, CANARY[-1].bake),)
    assert (report.seen is not None, bench.store.lease_of("web")) == (True, None)


def test_without_a_reason_the_record_says_that_none_was_given() -> None:
    bench = rolled_back()

    rollback(bench.group, replace(NOW, reason=None))

    assert bench.rotation.origin.trigger.endswith("asked for by tester: no reason given")


def test_a_quarantined_image_is_released_at_the_start_and_the_others_are_not() -> None:
    bench = rolled_back()
    (entry,) = bench.record.quarantine
    other = replace(entry, image="ami-other")
    bench.store.save(replace(bench.record, quarantine=(entry, other)))

    rollback(bench.group, NOW)

    assert bench.record.quarantine == (other,)


def test_the_image_of_the_generation_is_launched_also_when_a_newer_one_exists() -> None:
    bench = rolled_back()
    bench.images.images.append(an_image("ami-newest", created_at=bench.clock.now()))

    rollback(bench.group, NOW)

    assert bench.rotation.new.image == NEW_IMAGE


def test_a_generation_that_is_older_than_the_live_one_may_be_named() -> None:
    bench = rolled_back()
    live = next(i for i in bench.images.images if i.id != NEW_IMAGE)
    bench.images.images[:] = [an_image(created_at=live.created_at - timedelta(days=9)), live]

    assert rollback(bench.group, NOW).outcome is Outcome.IN_PROGRESS


def test_a_pause_is_no_obstacle_to_an_operator_who_names_a_generation() -> None:
    bench = rolled_back()
    pause(bench.group, "lunch")

    rollback(bench.group, NOW)

    assert bench.rotation.new.number == 2


def test_a_driver_of_the_group_is_pre_empted() -> None:
    bench = rolled_back()
    bench.seized_by("elsewhere/7")

    assert rollback(bench.group, NOW).outcome is Outcome.IN_PROGRESS


@pytest.mark.parametrize("same", [True, False])
def test_a_version_that_does_not_have_the_image_is_not_launched_and_one_is_made(same: bool) -> None:
    bench = rolled_back()
    with_known(bench, Generation(3, BLUE, NEW_IMAGE, template_version="2", template="1"))
    if not same:
        bench.fleet.state[GREEN] = replace(bench.fleet.state[GREEN], template="another")
        bench.fleet.versions[2] = ("of another template", OLD_IMAGE)

    assert rollback(bench.group, RollbackRequest(to=3, wait=False)).outcome is Outcome.IN_PROGRESS

    made = [a for a in bench.fleet.applied if isinstance(a, MakeTemplateVersion) and a.generation == 3]
    assert [a.image for a in made] == ([] if same else [NEW_IMAGE])


def test_a_template_of_its_own_does_not_matter_to_the_slot_it_was_made_in() -> None:
    bench = rolled_back()
    bench.fleet.state[GREEN] = replace(bench.fleet.state[GREEN], template="another")

    assert rollback(bench.group, NOW).outcome is Outcome.IN_PROGRESS
