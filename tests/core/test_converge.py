"""What is missing between a step and the world: grow, then shift, then shrink; nothing where they agree."""

from __future__ import annotations

import pytest

from phoenix.core import tags
from phoenix.core.action import (
    MakeTemplateVersion,
    SetRole,
    SetWeights,
    WriteTags,
)
from phoenix.core.converge import is_empty_for
from phoenix.core.model import Role, Route
from phoenix.core.ready import may_shrink
from phoenix.core.serving import NO_TRAFFIC
from phoenix.core.temporary import Ledger, TagsEntry, Upkeep
from tests.builders import (
    NEW_IMAGE,
    NOON,
    OWNER,
    ROLLING,
    a_generation,
    a_rotation,
    a_route,
    a_slot,
    after,
    an_instance,
    an_observation,
    some_instances,
    some_terms,
    tags_of,
)
from tests.core.slots import BLUE, GREEN, SHIFTED, blue, green, kinds, missing

# --- forward ----------------------------------------------------------------------------------------------------------


@pytest.mark.edge(24)
def test_where_step_and_world_agree_nothing_is_done() -> None:
    rotation = a_rotation(**SHIFTED, proved_at=NOON)

    assert missing(rotation, an_observation(blue(rotation), green(rotation), 100)) == ()


@pytest.mark.edge(22)
def test_a_live_slot_on_latest_is_pinned_to_its_number_before_a_version_is_made() -> None:
    rotation = a_rotation(new=a_generation(42, template_version=None), step=0)
    floating = a_slot(version=None, min=2, max=8)

    actions = missing(rotation, an_observation(floating))

    assert kinds(actions) == ["WriteTags", "SetRole", "MakeTemplateVersion"]
    assert actions[1] == SetRole(BLUE, Role.PINNED, 4, OWNER, version="1")
    assert actions[2] == MakeTemplateVersion(GREEN, "web-42-test", 42, NEW_IMAGE)


def test_a_version_that_has_to_be_asked_for_again_does_not_keep_the_rotation_from_being_found() -> None:
    ledger = Ledger([TagsEntry(BLUE, (), Upkeep(NOON, made=()))])
    rotation = a_rotation(new=a_generation(42, template_version=None), step=0, ledger=ledger)

    actions = missing(rotation, an_observation(a_slot(min=2, max=8)))

    assert kinds(actions) == ["WriteTags", "MakeTemplateVersion"]
    assert isinstance(actions[0], WriteTags)
    assert all(tags.ROTATION in written for written in actions[0].tags.values())
    assert tags.GENERATION not in actions[0].tags[GREEN]


def test_a_live_slot_on_a_number_needs_no_pin_before_the_version_is_made() -> None:
    rotation = a_rotation(new=a_generation(42, template_version=None), step=0)

    assert kinds(missing(rotation, an_observation())) == ["MakeTemplateVersion"]


@pytest.mark.edge(40)
def test_the_first_step_tags_pins_and_grows_in_this_order() -> None:
    seen = an_observation(a_slot(min=2, max=8))

    actions = missing(a_rotation(), seen)

    assert kinds(actions) == ["WriteTags", "SetRole", "SetSchedules", "SetRole"]
    assert actions[1] == SetRole(BLUE, Role.PINNED, 4, OWNER)
    assert actions[3] == SetRole(GREEN, Role.CANDIDATE, 4, OWNER, version="2")


@pytest.mark.edge(1)
@pytest.mark.edge(2)
def test_the_live_slot_is_pinned_through_its_minimum_and_its_desired_is_never_written() -> None:
    rotation = a_rotation(need=6)

    pin = missing(rotation, an_observation(blue(rotation), green(rotation)))[0]

    assert pin == SetRole(BLUE, Role.PINNED, 6, OWNER)


def test_the_pin_may_lift_the_maximum_but_never_lowers_it_below_the_need() -> None:
    rotation = a_rotation(need=12)

    assert SetRole(BLUE, Role.PINNED, 12, OWNER) in missing(rotation, an_observation(blue(rotation), green(rotation)))


def test_only_tags_that_differ_are_written() -> None:
    rotation = a_rotation()
    kept = {k: v for k, v in tags_of(rotation)[GREEN].items() if k != tags.STORE}

    actions = missing(rotation, an_observation(blue(rotation), green(rotation, tags=kept)))

    assert actions == (WriteTags({GREEN: {tags.STORE: "sqlite:///test"}}),)


def test_a_slot_that_still_holds_others_is_emptied_before_it_grows() -> None:
    rotation = a_rotation(step=0, grown_since=None)
    occupied = green(rotation, 4, version="9", min=4)

    actions = missing(rotation, an_observation(blue(rotation), occupied))

    assert actions == (SetRole(GREEN, Role.COLD, 0),)


def test_a_slot_is_empty_once_all_others_are_leaving() -> None:
    others = (an_instance(1, lifecycle="Terminating:Wait"), an_instance(2, template_version="2"))

    assert is_empty_for(a_rotation(), a_slot(GREEN, 0, instances=others))
    assert not is_empty_for(a_rotation(), a_slot(GREEN, 0, instances=(an_instance(1, lifecycle="Standby"),)))


@pytest.mark.edge(16)
def test_a_target_group_that_no_rule_names_is_named_at_its_weight_before_the_candidate_grows() -> None:
    rotation = a_rotation()
    lonely = Route("arn:rule/:443", ":443", {BLUE: 100})

    actions = missing(rotation, an_observation(blue(rotation), green(rotation, 0), routes=(lonely,)))

    assert actions == (
        SetWeights(GREEN, 0, only_from=frozenset({0})),
        SetRole(GREEN, Role.CANDIDATE, 4, OWNER),
    )


def test_traffic_waits_until_the_gates_have_passed() -> None:
    rotation = a_rotation(proved_at=None)

    assert missing(rotation, an_observation(blue(rotation), green(rotation))) == ()


def test_traffic_moves_only_from_what_was_verified_last() -> None:
    rotation = a_rotation(proved_at=NOON, weight=0, terms=some_terms(suspend_stickiness=True))

    actions = missing(rotation, an_observation(blue(rotation), green(rotation)))

    assert actions == (SetWeights(GREEN, 100, only_from=frozenset({0, 100}), suspend_stickiness=True),)


@pytest.mark.edge(17)
@pytest.mark.parametrize("ready", [0, 3])
def test_traffic_does_not_move_to_a_candidate_that_is_not_enough_right_now(ready: int) -> None:
    rotation = a_rotation(proved_at=NOON)
    shaky = green(rotation, instances=some_instances(ready, template_version="2"))

    assert missing(rotation, an_observation(blue(rotation), shaky)) == ()


@pytest.mark.edge(35)
def test_one_route_that_lags_behind_is_enough_to_shift_again() -> None:
    rotation = a_rotation(proved_at=NOON, intended_weight=100)
    routes = (a_route(100), a_route(0, ":80"))

    assert kinds(missing(rotation, an_observation(blue(rotation), green(rotation), routes=routes))) == ["SetWeights"]


# --- shrinking --------------------------------------------------------------------------------------------------------


@pytest.mark.edge(7)
def test_the_old_generation_shrinks_through_its_maximum_once_that_is_decided() -> None:
    rotation = a_rotation(ROLLING, step=1, proved_at=NOON, shifted_at=NOON, weight=50, intended_weight=50)
    seen = an_observation(blue(rotation), green(rotation, 2, min=2), 50)

    assert missing(rotation, seen) == ()

    decided = a_rotation(ROLLING, step=1, proved_at=NOON, shifted_at=NOON, shrunk_at=NOON, weight=50)
    assert missing(decided, seen) == (SetRole(BLUE, Role.PINNED, 2),)


def test_a_shrink_never_grows_a_slot_that_is_smaller_already() -> None:
    rotation = a_rotation(ROLLING, step=2, need=8, candidate_target=8)
    small = blue(rotation, 1, min=1, max=1)

    assert missing(rotation, an_observation(small, green(rotation, 8), 0)) == ()


@pytest.mark.edge(32)
@pytest.mark.parametrize(("seconds", "settled"), [(59, False), (60, True)])
def test_the_echo_of_the_api_is_not_the_data_plane(seconds: int, settled: bool) -> None:
    shifted = a_rotation(shifted_at=NOON, exposed_at=NOON)

    assert may_shrink(shifted, an_observation(at=after(seconds=seconds))) is settled
    assert not may_shrink(a_rotation(), an_observation(at=after(60)))


def test_what_never_had_traffic_or_has_no_load_balancer_need_not_settle() -> None:
    assert may_shrink(a_rotation(shifted_at=NOON), an_observation())
    plain = a_rotation(shifted_at=NOON, exposed_at=NOON, terms=some_terms(serving=NO_TRAFFIC))
    assert may_shrink(plain, an_observation())
