"""What every fleet promises, held against the real one on a sandbox and the fake one in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from phoenix.core.action import (
    EndInstance,
    MakeTemplateVersion,
    RemoveTags,
    ReplaceInstance,
    SetRole,
    SetSchedules,
    SetWeights,
    WriteTags,
)
from phoenix.core.drift import differences
from phoenix.core.generation import Generation
from phoenix.core.launch_failure import LaunchFailure
from phoenix.core.model import Outcome, Role, Slot
from phoenix.core.routine import Routine
from phoenix.core.tags import TAINTED
from phoenix.core.terms import Capacity
from phoenix.errors import PermanentError
from phoenix.fleets import KINDS
from phoenix.ports import Fleet
from phoenix.sandbox import LaunchFault
from tests.account import Account, Opener
from tests.builders import a_generation, a_rotation, changed
from tests.fakes import NEW_IMAGE, OLD_IMAGE, FakeFleet, an_image

BLUE, GREEN = Slot.BLUE, Slot.GREEN
START = datetime(2026, 11, 18, 2, 41, 2, tzinfo=UTC)
ROTATION = a_rotation(id="web-42-7k3f", started_at=START, new=a_generation(42, template_version=None), grown_since=None)


@dataclass
class Case:
    """A fleet whose blue slot is live with four instances of template version 1, and ways to stir its world."""

    fleet: Fleet
    settle: Callable[[], None]
    fail_launches: Callable[[], None]
    lose_image: Callable[[], None]
    """The image of version 1 is deregistered."""
    image: str


def _fake(_open: Opener) -> Case:
    fleet = FakeFleet(boots=False)

    def fail() -> None:
        fleet.failure = LaunchFailure(START, True, False, "Client.InternalError: Client error on launch")

    return Case(fleet, fleet.settle, fail, lambda: fleet.gone.add(OLD_IMAGE), NEW_IMAGE)


def _pair(open_account: Opener) -> Case:
    account = open_account()
    image = account.sandbox.bake_image("web-2026.11.18-c0ffee")
    return Case(
        account.fleet,
        lambda: account.clock.advance(300),
        lambda: account.sandbox.fail_launches(LaunchFault.KMS),
        lambda: _deregister(account),
        image,
    )


def _in_place(open_account: Opener) -> Case:
    account = open_account()
    image = account.sandbox.bake_image("web-2026.11.18-c0ffee")
    return Case(
        account.fleet_in("web-blue"),
        lambda: account.clock.advance(300),
        lambda: account.sandbox.fail_launches(LaunchFault.KMS),
        lambda: _deregister(account),
        image,
    )


def _deregister(account: Account) -> None:
    (live, *_) = account.fleet.live_instances(BLUE)
    account.client("ec2").deregister_image(ImageId=live.image)


def the_live_one(case: Case) -> Generation:
    (live, *_) = case.fleet.live_instances(BLUE)
    return a_generation(41, image=live.image)


CASES: dict[str, Callable[[Opener], Case]] = {"fake": _fake, "pair": _pair, "in_place": _in_place}


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest, open_account: Opener) -> Case:
    return CASES[request.param](open_account)


@pytest.fixture(params=[kind for kind in CASES if kind != "in_place"])
def apart(request: pytest.FixtureRequest, open_account: Opener) -> Case:
    """Fleets whose slots are groups of their own. In one group a slot's numbers mean something in a rotation only; what
    they are then is held in tests/fleets/test_in_place_slots.py, and on a sandbox in tests/rotation."""
    return CASES[request.param](open_account)


def test_every_kind_of_fleet_is_held_to_this() -> None:
    assert set(KINDS) <= set(CASES)


def test_both_slots_are_seen_with_their_numbers(case: Case) -> None:
    slots = case.fleet.observe(None).slots

    assert [slots[slot].desired for slot in (BLUE, GREEN)] == [4, 0]
    assert all(i.in_service and i.template_version == "1" for i in slots[BLUE].instances)


def test_target_health_is_not_the_fleets_business(case: Case) -> None:
    assert {i.target for i in case.fleet.observe(None).slots[BLUE].instances} == {None}


def test_a_slot_grows_through_its_minimum(apart: Case) -> None:
    apart.fleet.apply(SetRole(GREEN, Role.CANDIDATE, 3, Capacity(2, 12)))
    apart.settle()

    green = apart.fleet.observe(None).slots[GREEN]
    assert (green.min, green.max, green.desired, len(green.instances)) == (3, 12, 3, 3)


def test_a_slot_shrinks_through_its_maximum(apart: Case) -> None:
    apart.fleet.apply(SetRole(BLUE, Role.PINNED, 1))
    apart.settle()

    assert len(apart.fleet.observe(None).slots[BLUE].instances) == 1


def test_desired_is_left_alone_unless_given(case: Case) -> None:
    case.fleet.apply(SetRole(BLUE, Role.LIVE, 4, Capacity(1, 20)))

    assert case.fleet.observe(None).slots[BLUE].desired == 4


def test_setting_the_same_capacity_twice_launches_once(apart: Case) -> None:
    for _ in range(2):
        apart.fleet.apply(SetRole(GREEN, Role.CANDIDATE, 2))
    apart.settle()

    assert len(apart.fleet.observe(None).slots[GREEN].instances) == 2


def test_every_instance_is_compared_and_a_fresh_one_differs_in_nothing(case: Case) -> None:
    seen = case.fleet.observe(None)

    compared = case.fleet.compare()

    assert set(compared) == {i.id for state in seen.slots.values() for i in state.instances}
    assert all(each.fresh is not None and differences(each, START) == () for each in compared.values())


def test_a_tainted_instance_carries_the_tag_until_it_is_taken_away(case: Case) -> None:
    first, *others = case.fleet.live_instances(BLUE)

    for value, tagged in (("disk", {first.id: "disk"}), ("disk", {first.id: "disk"}), (None, {}), (None, {})):
        case.fleet.mark_tainted([first.id], value)
        found = {i.id: i.tags[TAINTED] for i in case.fleet.live_instances(BLUE) if TAINTED in i.tags}
        assert found == tagged
    assert others


def test_what_is_launched_comes_up_later(apart: Case) -> None:
    apart.fleet.apply(SetRole(GREEN, Role.CANDIDATE, 1))
    assert not any(i.in_service for i in apart.fleet.observe(None).slots[GREEN].instances)
    apart.settle()

    assert [i.in_service for i in apart.fleet.observe(None).slots[GREEN].instances] == [True]


def test_a_template_version_is_found_again_by_its_rotation(case: Case) -> None:
    assert case.fleet.observe(ROTATION).prepared_version is None
    case.fleet.apply(MakeTemplateVersion(GREEN, ROTATION.id, 42, case.image))

    assert case.fleet.observe(ROTATION).prepared_version == "2"


def test_a_template_version_is_made_only_once(case: Case) -> None:
    for _ in range(2):
        case.fleet.apply(MakeTemplateVersion(GREEN, ROTATION.id, 42, case.image))
    case.fleet.apply(MakeTemplateVersion(GREEN, "web-43-aaaa", 43, case.image))

    later = replace(ROTATION, id="web-43-aaaa", new=replace(ROTATION.new, number=43))
    assert case.fleet.observe(later).prepared_version == "3"


def test_instances_come_from_the_version_that_the_slot_was_given(apart: Case) -> None:
    apart.fleet.apply(MakeTemplateVersion(GREEN, ROTATION.id, 42, apart.image))
    apart.fleet.apply(SetRole(GREEN, Role.CANDIDATE, 1, version="2"))
    apart.settle()

    assert [i.template_version for i in apart.fleet.observe(None).slots[GREEN].instances] == ["2"]
    assert [i.image for i in apart.fleet.live_instances(GREEN)] == [apart.image]


def test_the_number_behind_an_alias_is_found(apart: Case) -> None:
    apart.fleet.apply(SetRole(GREEN, Role.COLD, 0, version="$Latest"))
    apart.fleet.apply(MakeTemplateVersion(GREEN, ROTATION.id, 42, apart.image))
    apart.fleet.observe(None)

    assert (apart.fleet.resolve_version(GREEN), apart.fleet.resolve_version(BLUE)) == ("2", "1")
    slots = apart.fleet.observe(None).slots
    assert (slots[GREEN].template_version, slots[BLUE].template_version) == (None, "1")


def test_tags_are_written_on_both_slots_and_removed_again(apart: Case) -> None:
    apart.fleet.apply(
        WriteTags({BLUE: {"phoenix:group": "web", "phoenix:capacity": "2 12"}, GREEN: {"phoenix:a": "b"}})
    )
    apart.fleet.apply(RemoveTags({BLUE: ("phoenix:capacity", "phoenix:unknown"), GREEN: ("phoenix:a",)}))

    slots = apart.fleet.observe(None).slots
    assert (slots[BLUE].tags, slots[GREEN].tags) == ({"phoenix:group": "web"}, {})


def test_schedules_are_suspended_and_resumed(apart: Case) -> None:
    apart.fleet.apply(SetSchedules(GREEN, running=False))
    assert apart.fleet.observe(None).slots[GREEN].suspended == {Routine.SCHEDULES}
    apart.fleet.apply(SetSchedules(GREEN, running=True))

    assert apart.fleet.observe(None).slots[GREEN].suspended == frozenset()


def test_a_sick_instance_is_replaced_by_another(case: Case) -> None:
    sick = case.fleet.observe(None).slots[BLUE].instances[0].id
    case.fleet.apply(ReplaceInstance(BLUE, sick))
    case.settle()

    left = {i.id for i in case.fleet.observe(None).slots[BLUE].instances if i.in_service}
    assert len(left) == 4
    assert sick not in left


def test_replacing_an_instance_that_is_gone_changes_nothing(case: Case) -> None:
    before = case.fleet.observe(None)
    case.fleet.apply(ReplaceInstance(BLUE, "i-0123456789abcdef0"))

    assert case.fleet.observe(None) == before


@pytest.mark.parametrize("hard", [False, True])
def test_an_instance_that_is_ended_is_replaced_and_ending_it_again_changes_nothing(case: Case, hard: bool) -> None:
    victim = case.fleet.observe(None).slots[BLUE].instances[0].id
    case.fleet.apply(EndInstance(BLUE, victim, hard=hard))
    case.fleet.apply(EndInstance(BLUE, victim, hard=hard))
    case.settle()

    left = {i.id for i in case.fleet.observe(None).slots[BLUE].instances if i.in_service}
    assert len(left) == 4
    assert victim not in left
    before = case.fleet.observe(None)
    case.fleet.apply(EndInstance(BLUE, "i-0123456789abcdef0", hard=hard))
    assert case.fleet.observe(None) == before


def test_failed_launches_are_told_while_the_candidate_grows(apart: Case) -> None:
    apart.fail_launches()
    apart.fleet.apply(SetRole(GREEN, Role.CANDIDATE, 1))
    apart.settle()

    failures = apart.fleet.observe(changed(ROTATION, grown_since=START)).failures
    assert failures
    assert (failures[0].permanent, "Client.InternalError" in failures[0].words) == (True, True)


@pytest.mark.parametrize("later", [{"proved_at": START}, {"grown_since": None}])
def test_failed_launches_are_of_no_interest_at_other_times(case: Case, later: dict[str, datetime | None]) -> None:
    case.fail_launches()
    case.fleet.apply(SetRole(GREEN, Role.CANDIDATE, 1))
    case.settle()

    assert case.fleet.observe(changed(ROTATION, **({"grown_since": START} | later))).failures == ()


def test_failures_from_before_the_candidate_grew_do_not_count(case: Case) -> None:
    case.fail_launches()
    case.fleet.apply(SetRole(GREEN, Role.CANDIDATE, 1))
    case.settle()

    assert case.fleet.observe(changed(ROTATION, grown_since=START + timedelta(days=1))).failures == ()


def test_a_rotation_that_has_ended_is_asked_nothing_more_about(case: Case) -> None:
    case.fail_launches()
    case.fleet.apply(SetRole(GREEN, Role.CANDIDATE, 1))
    case.settle()
    ended = changed(ROTATION, grown_since=START, ended_at=START, outcome=Outcome.ROLLED_BACK)

    seen = case.fleet.observe(ended)

    assert (seen.failures, seen.prepared_version) == ((), None)
    assert seen.slots == case.fleet.observe(None).slots


def test_unknown_instances_are_left_out(case: Case) -> None:
    known = case.fleet.observe(None).slots[BLUE].instances[0].id

    assert list(case.fleet.images_of(["i-0123456789abcdef0", known])) == [known]


def test_nothing_stands_in_the_way_of_a_pair_at_rest(case: Case) -> None:
    assert case.fleet.find_blockers(BLUE, an_image(case.image), 4) == []


def test_a_generation_of_which_all_is_there_can_be_launched_again(case: Case) -> None:
    assert case.fleet.find_revival_blockers(the_live_one(case), 4) == []


def test_a_generation_whose_template_version_is_gone_can_too_for_its_image_says_what_to_launch(case: Case) -> None:
    generation = the_live_one(case)
    unknown = replace(generation, template_version="99")

    assert case.fleet.find_revival_blockers(unknown, 4) == []
    assert case.fleet.identify(unknown).template_version == generation.template_version


def test_a_generation_whose_image_is_gone_cannot(case: Case) -> None:
    generation = the_live_one(case)
    case.lose_image()

    (blocker,) = case.fleet.find_revival_blockers(generation, 4)

    assert (blocker.name, generation.image in blocker.text, blocker.warning) == ("image-gone", True, False)
    assert blocker.name in case.fleet.revival_checks


def test_weights_are_refused(case: Case) -> None:
    with pytest.raises(PermanentError, match="router"):
        case.fleet.apply(SetWeights(GREEN, 100))
