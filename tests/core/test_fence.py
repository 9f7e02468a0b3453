"""How long a former driver's last request may take effect, and what waits for it: never the way back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from phoenix.core.action import SetRole, SetWeights
from phoenix.core.back import turn_back
from phoenix.core.closing import is_closed
from phoenix.core.converge import converge
from phoenix.core.decide import decide
from phoenix.core.fence import DELIVERED, SIGNED_FOR, Patience, fence_of, of_dead, patience_under, takes_away
from phoenix.core.model import Cause, Observation, Role, Slot
from phoenix.core.progress import advance
from phoenix.core.rest import rest
from phoenix.core.rotation import Rotation
from phoenix.core.story import Ask
from tests.builders import NOON, OWNER, ROLLING, a_generation, a_record, a_rotation, a_slot, an_observation, changed

BLUE, GREEN = Slot.BLUE, Slot.GREEN
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
LATE = fence_of("there/7", 3, NOON, NOON, Patience())
ASKED = Ask(NOON, "oncall", "INC-1")


def fenced(seen: Observation, after: timedelta) -> Observation:
    """What is seen so long after another driver's lease has ended."""
    return replace(seen, at=NOON + after, fences=(LATE,))


def both(new: int = 4, percent: int = 0, **changes: Any) -> Observation:
    """The old generation whole, `new` instances of the new one, and a share of the traffic there."""
    return an_observation(green=a_slot(GREEN, healthy=new, version="2"), weight=percent, **changes)


# --- how long ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [2, 5, 10, 28, 30, 46, 60, 3600])
def test_a_lease_of_any_length_outlasts_a_request_and_the_difference_of_two_clocks(seconds: int) -> None:
    patience = patience_under(timedelta(seconds=seconds))

    assert timedelta(0) < patience.needed < timedelta(seconds=seconds)
    assert patience.connect + patience.read + patience.clocks == patience.needed


def test_a_minute_leaves_every_time_out_as_it_is() -> None:
    assert patience_under(MINUTE) == Patience()


def test_a_last_request_is_answered_or_given_up_before_aws_refuses_its_signature() -> None:
    assert LATE.answered_by - NOON == Patience().needed
    assert LATE.refused_from - NOON == SIGNED_FOR


def test_a_process_that_has_ended_on_this_machine_has_nothing_on_its_way_for_long() -> None:
    found = of_dead(LATE, NOON)

    assert (found.answered_by, found.refused_from) == (NOON + DELIVERED, NOON + DELIVERED)


def test_one_that_ended_long_ago_is_not_waited_for_anew() -> None:
    assert of_dead(LATE, NOON + timedelta(hours=1)) == LATE


@pytest.mark.parametrize(
    ("action", "takes"),
    [
        (SetRole(BLUE, Role.COLD, 0), True),
        (SetRole(BLUE, Role.PINNED, 3), True),
        (SetRole(BLUE, Role.LIVE, 4, OWNER), False),
        (SetRole(BLUE, Role.PINNED, 4), False),
        (SetRole(GREEN, Role.COLD, 0), False),
        (SetWeights(BLUE, 0), False),
    ],
)
def test_only_what_leaves_a_slot_with_fewer_takes_away(action: Any, takes: bool) -> None:
    assert takes_away(action, a_slot(BLUE, min=4, max=8, desired=4)) is takes


# --- forward: nothing that moves traffic before the one, nothing that ends instances before the other ----------------


def sizes(rotation: Rotation, seen: Observation) -> list[SetRole]:
    return [each for each in converge(rotation.current, rotation, seen) if isinstance(each, SetRole)]


def shifts(rotation: Rotation, seen: Observation) -> list[int]:
    return [each.percent for each in converge(rotation.current, rotation, seen) if isinstance(each, SetWeights)]


def test_a_shift_forward_waits_until_the_last_request_has_been_answered() -> None:
    proved = a_rotation(proved_at=NOON, intended_weight=100, exposed_at=NOON)
    answered = LATE.answered_by - NOON

    assert shifts(proved, fenced(both(), answered - SECOND)) == []
    assert shifts(proved, fenced(both(), answered)) == [100]


def test_a_slot_is_emptied_for_the_next_generation_only_once_aws_would_refuse_it() -> None:
    preparing = a_rotation(step=0, grown_since=None)
    strangers = an_observation(green=a_slot(GREEN, healthy=4, version="0"))

    assert SetRole(GREEN, Role.COLD, 0) not in sizes(preparing, fenced(strangers, SIGNED_FOR - SECOND))
    assert SetRole(GREEN, Role.COLD, 0) in sizes(preparing, fenced(strangers, SIGNED_FOR))


def test_growing_does_not_wait_for_a_former_driver() -> None:
    assert SetRole(GREEN, Role.CANDIDATE, 4, OWNER, version="2") in sizes(
        a_rotation(), fenced(an_observation(), SECOND)
    )


def test_the_old_generation_shrinks_only_once_aws_would_refuse_it() -> None:
    shifted = a_rotation(ROLLING, proved_at=NOON, weight=50, intended_weight=50, shifted_at=NOON, exposed_at=NOON)
    half = both(new=2, percent=50)

    assert advance(shifted, fenced(half, SIGNED_FOR - SECOND)).clocks.shrunk_at is None
    assert advance(shifted, fenced(half, SIGNED_FOR)).clocks.shrunk_at is not None


def test_a_shrink_that_was_decided_before_waits_as_well() -> None:
    rest_on = {"proved_at": NOON, "weight": 50, "intended_weight": 50, "shifted_at": NOON, "exposed_at": NOON}
    shrinking = a_rotation(ROLLING, shrunk_at=NOON, **rest_on)
    half = both(new=2, percent=50)

    assert BLUE not in [each.slot for each in sizes(shrinking, fenced(half, SIGNED_FOR - SECOND))]
    assert BLUE in [each.slot for each in sizes(shrinking, fenced(half, SIGNED_FOR))]


def test_the_end_of_a_success_waits_too_and_is_not_taken_for_done() -> None:
    closing = a_rotation(weight=100, intended_weight=100, shifted_at=NOON, exposed_at=NOON, closing_since=NOON)
    over = both(percent=100)

    assert converge(closing.current, closing, fenced(over, SECOND)) == ()
    assert not is_closed(closing, fenced(over, SECOND))
    assert converge(closing.current, closing, fenced(over, LATE.answered_by - NOON)) != ()


# --- the way back -----------------------------------------------------------------------------------------------------


def turned(**changes: Any) -> Rotation:
    return turn_back(a_rotation(exposed_at=NOON, **changes), an_observation(), ASKED, Cause.OPERATOR)


def test_the_way_back_shifts_at_once() -> None:
    back = advance(turned(weight=50), fenced(both(percent=50), SECOND))

    assert shifts(back, fenced(both(percent=50), SECOND)) == [0]


def test_the_way_back_grows_at_once() -> None:
    small = an_observation(a_slot(BLUE, healthy=1), a_slot(GREEN, healthy=4, version="2"), 100)

    assert SetRole(BLUE, Role.PINNED, 4, OWNER) in sizes(turned(weight=100), fenced(small, SECOND))


def test_the_new_generation_is_removed_only_once_no_driver_can_send_it_traffic_any_more() -> None:
    shifted = changed(turned(), shifted_at=NOON)

    assert advance(shifted, fenced(both(), SIGNED_FOR - SECOND)).clocks.closing_since is None
    assert advance(shifted, fenced(both(), SIGNED_FOR)).clocks.closing_since is not None


def test_traffic_that_a_late_request_brings_to_the_new_generation_is_taken_back_again() -> None:
    shifted = changed(turned(), shifted_at=NOON)
    moved = fenced(both(percent=50), 2 * MINUTE)

    again = advance(shifted, moved)

    assert (again.clocks.shifted_at, shifts(again, moved)) == (None, [0])


def test_traffic_goes_to_the_new_generation_while_a_late_request_has_emptied_the_old_one() -> None:
    shifted = changed(turned(), shifted_at=NOON)
    emptied = an_observation(a_slot(BLUE, healthy=0), a_slot(GREEN, healthy=4, version="2"), 0)

    found = converge(shifted.current, shifted, fenced(emptied, 2 * MINUTE))

    assert SetWeights(GREEN, 100) in found
    assert any(isinstance(each, SetRole) and each.slot is BLUE and each.count == 4 for each in found)
    assert shifts(shifted, fenced(emptied, SIGNED_FOR)) == []


# --- at rest, and what is said ---------------------------------------------------------------------------------------


def test_a_retained_generation_goes_cold_after_that() -> None:
    record = a_record(live=a_generation(42), retained=a_generation(41), hot_until=NOON)
    hot = both(percent=100)

    waits = rest(record, fenced(hot, MINUTE))

    assert (waits.actions, waits.look_again_at) == ((), LATE.refused_from)
    assert waits.reason == (
        "generation 41 goes cold at 12:05:00: until then a last request of there/7, which was taken over from at "
        "12:00:00, may arrive"
    )
    assert rest(record, fenced(hot, SIGNED_FOR)).actions != ()


@pytest.mark.parametrize(
    ("rotation", "seen", "says"),
    [
        (
            a_rotation(step=0, grown_since=None),
            an_observation(green=a_slot(GREEN, healthy=4, version="0")),
            "preparing waits until 12:05:00: a last request of there/7, which was taken over from at 12:00:00, may "
            "arrive until then, then slot green is emptied",
        ),
        (
            a_rotation(proved_at=NOON, intended_weight=100, exposed_at=NOON),
            both(),
            "step 1 of 1: generation 42 is ready and waits until 12:00:28: a last request of there/7, which was taken "
            "over from at 12:00:00, may arrive until then, then 100 %",
        ),
        (
            changed(turned(), shifted_at=NOON - 2 * MINUTE),
            both(),
            "rolling back to 41: traffic is back, waiting until 12:05:00: a last request of there/7, which was taken "
            "over from at 12:00:00, may arrive until then, then generation 42 is removed",
        ),
    ],
)
def test_a_driver_that_waits_says_for_which_one_since_when_and_until_when(
    rotation: Rotation, seen: Observation, says: str
) -> None:
    decision = decide(a_record(rotation), fenced(seen, 20 * SECOND))

    assert decision.reason == says
    assert decision.look_again_at in (LATE.answered_by, LATE.refused_from)
