"""Is a rotation due, to which image? Reads everything a start needs, and writes nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from phoenix.core import tags
from phoenix.core.model import Slot
from phoenix.core.record import GroupRecord
from phoenix.core.terms import Step
from phoenix.core.trigger import RotateWhen
from phoenix.engine.request import RotateRequest
from phoenix.engine.start import new_record
from phoenix.engine.survey import NO_LIVE, survey
from phoenix.errors import Blocked, ForeignStore, NotFound, PhoenixError
from tests.builders import NOON
from tests.engine.builders import BLUE, CANARY, GREEN, LIVE_IMAGE, a_bench
from tests.fakes import NEW_IMAGE, OLD_IMAGE, FakeImages, an_image
from tests.fakes_store import MemoryStore

DUE = RotateRequest()
ONCE_OLD = RotateWhen(new_image=False, max_instance_lifetime=timedelta(hours=1))


def test_a_newer_image_is_due_and_goes_to_the_other_slot_under_the_next_number() -> None:
    found = survey(a_bench().group, DUE)

    assert len(found.reasons) == 1
    assert found.next is not None
    assert (found.next.number, found.next.slot, found.next.image) == (2, GREEN, NEW_IMAGE)


def test_numbers_are_never_used_twice() -> None:
    bench = a_bench()
    bench.rotated()
    bench.store.save(replace(bench.record, highest_number=9))
    bench.images.images.append(an_image("ami-newest", created_at=NOON))

    found = survey(bench.group, DUE)

    assert found.next is not None
    assert (found.next.number, found.next.slot) == (10, BLUE)


def test_where_no_newer_image_is_wanted_the_live_one_is_launched_afresh() -> None:
    bench = a_bench(rotate_when=ONCE_OLD, images=FakeImages(LIVE_IMAGE))

    found = survey(bench.group, DUE)

    assert found.reasons[0].startswith("oldest instance")
    assert found.image is not None
    assert found.image.id == OLD_IMAGE


def test_where_each_zone_serves_its_own_share_the_terms_ask_for_every_zone() -> None:
    bench = a_bench()
    bench.router.by_zone = True

    assert survey(bench.group, DUE).terms.zones == 3


def test_force_is_a_reason_of_its_own() -> None:
    bench = a_bench(images=FakeImages(LIVE_IMAGE))

    assert survey(bench.group, DUE).reasons == ()
    assert survey(bench.group, RotateRequest(force=True)).reasons == ("requested with --force",)


# --- images -----------------------------------------------------------------------------------------------------------


def test_an_image_asked_for_need_not_be_the_one_that_the_policy_would_choose() -> None:
    other = an_image("ami-other", created_at=NOON - timedelta(days=1))
    bench = a_bench(images=FakeImages(an_image(), LIVE_IMAGE, other), rotate_when=RotateWhen(new_image=False))

    found = survey(bench.group, RotateRequest(image="ami-other"))

    assert found.image == other
    assert len(found.reasons) == 1


@pytest.mark.parametrize(
    "facts", [{"owner": "999999999999"}, {"architecture": "arm64"}, {"state": "pending"}], ids=lambda f: next(iter(f))
)
def test_by_name_owner_architecture_and_state_still_count(facts: dict[str, Any]) -> None:
    bench = a_bench(images=FakeImages(an_image("ami-bad", **facts), LIVE_IMAGE))

    with pytest.raises(Blocked, match="cannot be launched") as blocked:
        survey(bench.group, RotateRequest(image="ami-bad"))
    assert blocked.value.exit_status == 5


def test_an_image_that_does_not_exist_is_5() -> None:
    with pytest.raises(PhoenixError, match="ami-nope") as blocked:
        survey(a_bench().group, RotateRequest(image="ami-nope"))

    assert blocked.value.exit_status == 5


def test_going_back_in_time_is_never_due_by_itself_and_by_name_only_with_force() -> None:
    older = an_image("ami-older", created_at=NOON - timedelta(days=30))
    bench = a_bench(images=FakeImages(older, replace(LIVE_IMAGE, deprecated_at=NOON)))

    assert survey(bench.group, DUE).reasons == ()
    with pytest.raises(Blocked, match="older than the live image"):
        survey(bench.group, RotateRequest(image="ami-older"))
    assert survey(bench.group, RotateRequest(image="ami-older", force=True)).image == older


@pytest.mark.edge(29)
def test_a_live_image_that_has_been_deregistered_stops_no_rotation() -> None:
    bench = a_bench(images=FakeImages(an_image()))

    assert survey(bench.group, DUE).image == an_image()
    assert survey(bench.group, RotateRequest(image=NEW_IMAGE)).image == an_image()


@pytest.mark.edge(29)
def test_a_live_image_that_is_gone_cannot_be_launched_afresh() -> None:
    bench = a_bench(rotate_when=ONCE_OLD, images=FakeImages(an_image()))
    bench.images.images[0] = an_image(state="pending")

    found = survey(bench.group, DUE)

    assert found.reasons
    assert (found.image, found.next) == (None, None)


def test_a_group_that_is_known_by_its_tags_alone_has_no_images_to_choose_from() -> None:
    found = survey(a_bench(images=None).group, RotateRequest(force=True))

    assert (found.candidates, found.image) == ((), None)


# --- who lives, and who else is here ----------------------------------------------------------------------------------


def test_where_no_slot_is_live_that_is_what_stands_in_the_way() -> None:
    bench = a_bench()
    bench.send(50)

    assert survey(bench.group, DUE).live is NO_LIVE


def test_a_rotation_in_flight_in_another_store_is_4_and_names_both() -> None:
    bench = a_bench(terms={"steps": CANARY})
    bench.baking()
    other = replace(bench.group, store=MemoryStore("memory:other"))

    with pytest.raises(ForeignStore, match=r"memory:test, not memory:other") as foreign:
        survey(other, DUE)
    assert foreign.value.exit_status == 4
    assert "rollback" in (foreign.value.hint or "")


def test_another_store_that_has_finished_is_no_obstacle() -> None:
    bench = a_bench()
    bench.rotated()
    other = replace(bench.group, store=MemoryStore("memory:other"), images=FakeImages(an_image()))

    assert survey(other, DUE).live.number == 2


@pytest.mark.edge(46)
def test_a_rotation_in_flight_that_the_store_has_lost_is_not_started_over() -> None:
    bench = a_bench(terms={"steps": CANARY})
    bench.baking()
    forgetful = replace(bench.group, store=MemoryStore(bench.store.location))

    with pytest.raises(PhoenixError):
        survey(forgetful, DUE)


# --- the last bake ----------------------------------------------------------------------------------------------------


@pytest.mark.edge(8)
@pytest.mark.parametrize(("scales", "minutes"), [(True, 5), (False, 1)])
def test_scaling_policies_get_five_minutes_to_see_the_load_they_will_carry(scales: bool, minutes: int) -> None:
    bench = a_bench(terms={"steps": (Step(100, 100, 100, timedelta(minutes=1)),)})
    bench.fleet.scales = scales

    assert survey(bench.group, DUE).terms.steps[-1].bake == timedelta(minutes=minutes)


def test_a_longer_or_a_manual_last_bake_stays_as_it_is() -> None:
    for bake in (timedelta(minutes=9), None):
        bench = a_bench(terms={"steps": (Step(100, 100, 100, bake),)})
        bench.fleet.scales = True
        assert survey(bench.group, DUE).terms.steps[-1].bake == bake


@pytest.mark.edge(22)
def test_a_live_slot_on_latest_is_recorded_by_the_number_behind_it() -> None:
    bench = a_bench()
    bench.fleet.state[BLUE] = replace(bench.fleet.state[BLUE], template_version=None)
    found = survey(bench.group, DUE)
    assert found.next is not None

    record = new_record(bench.group, found, found.next, RotateRequest())

    assert record.live is not None
    assert record.live.template_version == "1"


@pytest.mark.edge(3)
def test_the_owners_numbers_are_read_from_the_note_before_they_are_guessed() -> None:
    bench = a_bench()
    noted = {tags.CAPACITY: "1 40"}
    bench.fleet.state[BLUE] = replace(bench.fleet.state[BLUE], tags=noted)
    found = survey(bench.group, DUE)
    assert found.next is not None

    rotation = new_record(bench.group, found, found.next, RotateRequest()).rotation

    assert rotation is not None
    assert (rotation.capacity.min, rotation.capacity.max, rotation.need) == (1, 40, 4)
    assert rotation.deadline == NOON + bench.group.terms.rotation_timeout
    assert set(found.seen.slots) == set(Slot)


def test_a_group_that_aws_does_not_know_is_5() -> None:
    bench = a_bench()
    bench.fleet.error = NotFound("there is no Auto Scaling group web-blue")

    with pytest.raises(Blocked, match="web-blue"):
        survey(bench.group, DUE)


def test_a_group_that_was_only_paused_so_far_is_surveyed_like_a_new_one() -> None:
    bench = a_bench()
    bench.store.save(GroupRecord("web"))

    found = survey(bench.group, DUE)

    assert (found.record.version, found.live.number) == (1, 1)


def test_a_live_group_that_was_made_anew_at_rest_is_judged_by_the_image_that_really_runs() -> None:
    bench = a_bench()
    bench.rotated()
    green = bench.fleet.state[GREEN]
    anew = tuple(replace(each, template_version="1") for each in green.instances)
    bench.fleet.state[GREEN] = replace(green, instances=anew, template_version="1")

    found = survey(bench.group, DUE)

    assert (found.live.slot, found.live.image) == (GREEN, OLD_IMAGE)
    assert found.reasons
    assert found.next is not None
    assert (found.next.slot, found.next.image) == (BLUE, NEW_IMAGE)
