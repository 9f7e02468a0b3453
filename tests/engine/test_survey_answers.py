"""What a survey answers at its edges: who is asked, what is refused with which words, and what is launched instead."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from phoenix.core.lifecycle import Lifecycle
from phoenix.core.model import Cause, Slot
from phoenix.core.record import Quarantined
from phoenix.core.terms import Step
from phoenix.core.trigger import RotateWhen
from phoenix.engine.request import RotateRequest
from phoenix.engine.survey import NO_LIVE, survey
from phoenix.errors import Blocked, ForeignStore, LostRecord, NotFound
from tests.builders import NOON
from tests.engine.builders import BLUE, CANARY, LIVE_IMAGE, Bench, a_bench
from tests.fakes import NEW_IMAGE, OLD_IMAGE, FakeImages, an_image
from tests.fakes_store import MemoryStore

DUE = RotateRequest()
AGED = RotateWhen(max_instance_lifetime=timedelta(hours=1))


def with_quarantine(bench: Bench, *images: str) -> Bench:
    bench.rotated()
    entries = tuple(Quarantined(image, NOON, Cause.IMAGE, "web-2", "bad") for image in images)
    bench.store.save(replace(bench.record, quarantine=entries))
    bench.images.images.append(an_image("ami-newest", created_at=bench.clock.now()))
    return bench


def test_the_whole_survey_of_a_group_with_a_newer_image() -> None:
    found = survey(a_bench().group, DUE)

    assert (found.reasons, found.image) == (("new image (9h46m old)",), an_image())
    assert found.live.image_name == LIVE_IMAGE.name
    assert [c.image for c in found.candidates] == [an_image(), LIVE_IMAGE]
    assert len(found.instances) == 4
    assert found.live_state is found.seen.slots[BLUE]
    assert found.terms == a_bench().group.terms


def test_a_rotation_in_flight_is_surveyed_as_what_it_is() -> None:
    bench = a_bench(terms={"steps": CANARY})
    bench.baking()

    found = survey(bench.group, DUE)

    assert found.reasons == (f"rotation {bench.rotation.id} is in flight",)
    assert (found.live, found.terms, found.candidates) == (bench.rotation.old, bench.rotation.terms, ())


def test_where_no_slot_is_live_that_is_the_reason() -> None:
    bench = a_bench()
    bench.send(50)

    found = survey(bench.group, DUE)

    assert (found.reasons, found.live, found.terms) == (("not known: no slot is live",), NO_LIVE, bench.group.terms)
    assert (NO_LIVE.number, NO_LIVE.slot, NO_LIVE.image) == (0, Slot.BLUE, "unknown")


def test_a_lost_record_is_told_by_group_and_rotation() -> None:
    bench = a_bench(terms={"steps": CANARY})
    bench.baking()
    forgetful = replace(bench.group, store=MemoryStore(bench.store.location))

    with pytest.raises(LostRecord) as lost:
        survey(forgetful, DUE)

    assert "web" in lost.value.message
    assert bench.rotation.id in lost.value.message


def test_another_stores_rotation_is_told_by_group_and_both_stores() -> None:
    bench = a_bench(terms={"steps": CANARY})
    bench.baking()

    with pytest.raises(ForeignStore) as foreign:
        survey(replace(bench.group, store=MemoryStore("memory:other")), DUE)

    assert all(word in foreign.value.message for word in ("web", "memory:test", "memory:other"))


def test_what_aws_does_not_know_is_refused_in_its_words_with_its_hint() -> None:
    bench = a_bench()
    bench.fleet.error = NotFound("there is no Auto Scaling group web-blue", hint="look at fleet.blue")

    with pytest.raises(Blocked) as blocked:
        survey(bench.group, DUE)

    assert (blocked.value.message, blocked.value.hint) == (
        "there is no Auto Scaling group web-blue",
        "look at fleet.blue",
    )


def test_a_template_that_cannot_be_compared_is_refused_with_its_hint() -> None:
    bench = a_bench(rotate_when=RotateWhen(template=True))

    def unknown(live: Slot) -> tuple[str, ...]:
        raise NotFound("there is no launch template lt-1", hint="look at its tags")

    bench.fleet.template_changes = unknown  # type: ignore[method-assign]

    with pytest.raises(Blocked, match="lt-1") as blocked:
        survey(bench.group, DUE)
    assert blocked.value.hint == "look at its tags"


def test_an_image_that_does_not_exist_is_refused_with_the_command_that_lists_them() -> None:
    with pytest.raises(Blocked, match="there is no image ami-nope") as blocked:
        survey(a_bench().group, RotateRequest(image="ami-nope"))

    assert blocked.value.hint == "phoenix images --group web"


def test_an_image_that_cannot_be_launched_is_refused_with_the_reason() -> None:
    bench = a_bench(images=FakeImages(an_image("ami-bad", state="pending"), LIVE_IMAGE))

    with pytest.raises(Blocked) as blocked:
        survey(bench.group, RotateRequest(image="ami-bad"))

    assert blocked.value.message == "ami-bad cannot be launched for web: state is pending"


def test_an_older_image_by_name_is_refused_with_the_command_that_insists() -> None:
    older = an_image("ami-older", created_at=NOON - timedelta(days=30))
    bench = a_bench(images=FakeImages(older, LIVE_IMAGE))

    with pytest.raises(Blocked) as blocked:
        survey(bench.group, RotateRequest(image="ami-older"))

    assert blocked.value.message == f"ami-older is older than the live image {OLD_IMAGE}"
    assert blocked.value.hint == "phoenix rotate --group web --image ami-older --force"


def test_the_live_image_is_asked_for_by_name_where_the_search_does_not_list_it() -> None:
    """A live image that no longer fits is not among the candidates, and still is newer than the one that is."""
    bench = a_bench(images=FakeImages(an_image(created_at=NOON - timedelta(days=30)), LIVE_IMAGE))
    bench.images.candidates = lambda at: FakeImages(bench.images.images[0]).candidates(at)  # type: ignore[method-assign]

    assert survey(bench.group, DUE).reasons == ()


def test_an_image_as_old_as_the_live_one_may_follow_it() -> None:
    bench = a_bench(images=FakeImages(an_image(created_at=LIVE_IMAGE.created_at), LIVE_IMAGE))

    assert survey(bench.group, DUE).image is not None


def test_where_no_image_fits_that_alone_is_a_reason_to_tell_a_person() -> None:
    found = survey(a_bench(images=FakeImages(an_image(state="pending"))).group, DUE)

    assert (found.reasons, found.image) == (("no image fits the policy",), None)


def test_where_images_do_not_matter_none_that_fits_is_no_reason() -> None:
    bench = a_bench(images=FakeImages(an_image(state="pending")), rotate_when=RotateWhen(new_image=False))

    assert survey(bench.group, DUE).reasons == ()


def test_an_image_by_name_is_a_reason_also_where_new_images_are_not() -> None:
    bench = a_bench(rotate_when=RotateWhen(new_image=False))

    assert survey(bench.group, DUE).reasons == ()
    assert survey(bench.group, RotateRequest(image=NEW_IMAGE)).reasons == ("new image (9h46m old)",)


def test_a_quarantined_image_does_not_keep_old_instances_alive() -> None:
    bench = with_quarantine(a_bench(rotate_when=AGED), "ami-newest")

    found = survey(bench.group, DUE)

    assert found.image is not None
    assert found.image.id == NEW_IMAGE
    assert len(found.reasons) == 1


def test_a_quarantined_image_that_is_the_only_reason_stays_the_choice_and_meets_its_quarantine() -> None:
    found = survey(with_quarantine(a_bench(), "ami-newest").group, DUE)

    assert found.image is not None
    assert found.image.id == "ami-newest"


def test_another_images_quarantine_is_of_no_interest() -> None:
    found = survey(with_quarantine(a_bench(rotate_when=AGED), "ami-other").group, DUE)

    assert found.image is not None
    assert found.image.id == "ami-newest"


@pytest.mark.parametrize("asked", [{"image": "ami-newest"}, {"force": True}, {"ignore": frozenset({"quarantine"})}])
def test_who_names_forces_or_ignores_gets_the_quarantined_image_itself(asked: dict[str, Any]) -> None:
    found = survey(with_quarantine(a_bench(rotate_when=AGED), "ami-newest").group, RotateRequest(**asked))

    assert found.image is not None
    assert found.image.id == "ami-newest"


def test_zones_are_counted_where_the_live_instances_are_in_service() -> None:
    bench = a_bench()
    bench.router.by_zone = True
    first, *others = bench.fleet.state[BLUE].instances
    zones = {i.zone for i in others if i.zone != first.zone}
    pending = [replace(i, lifecycle=Lifecycle.PENDING) if i.zone == first.zone else i for i in others]
    bench.fleet.state[BLUE] = replace(
        bench.fleet.state[BLUE],
        instances=(replace(first, lifecycle=Lifecycle.PENDING), *pending),
    )

    assert survey(bench.group, DUE).terms.zones == len(zones)


def test_only_the_last_bake_is_made_longer() -> None:
    minute = timedelta(minutes=1)
    bench = a_bench(terms={"steps": (Step(100, 100, 5, minute), Step(100, 100, 100, minute))})
    bench.fleet.scales = True

    steps = survey(bench.group, DUE).terms.steps

    assert steps == (Step(100, 100, 5, minute), Step(100, 100, 100, 5 * minute))


def test_where_nothing_is_due_the_terms_are_the_policys() -> None:
    bench = a_bench(images=FakeImages(LIVE_IMAGE))
    bench.router.by_zone = True

    assert survey(bench.group, DUE).terms == bench.group.terms
