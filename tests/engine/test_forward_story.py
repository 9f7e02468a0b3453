"""Going to a generation by its number: what is launched, what is recorded, and what stands in its way."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from phoenix.core.action import MakeTemplateVersion
from phoenix.core.generation import Generation
from phoenix.core.model import Outcome, Step
from phoenix.engine.control import pause
from phoenix.engine.report import Report
from phoenix.engine.request import RollbackRequest
from phoenix.engine.rollback import rollback
from phoenix.errors import Blocked
from tests.engine.builders import BLUE, CANARY, GREEN, Bench, a_bench
from tests.engine.test_forward import TO_2, rolled_back
from tests.fakes import NEW_IMAGE, OLD_IMAGE, an_image

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


def test_whoever_drives_the_group_is_pre_empted() -> None:
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
