"""Which instances clients are to find, what waits for that, and which are withdrawn."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from phoenix.core.action import Announce, Drain, SetRole
from phoenix.core.announcing import announce, questions, waiting_to_be_found
from phoenix.core.decide import decide
from phoenix.core.lifecycle import Lifecycle
from phoenix.core.model import Observation, Role, Slot, SlotState
from phoenix.core.rest import rest
from phoenix.core.rotation import Rotation
from phoenix.core.serving import Serving
from phoenix.core.story import Ask
from phoenix.core.work import Stage, Station, Work
from tests.builders import (
    NOON,
    ROLLING,
    a_generation,
    a_record,
    a_rotation,
    a_slot,
    after,
    an_instance,
    an_observation,
    some_terms,
    why_held,
)

BLUE, GREEN = Slot.BLUE, Slot.GREEN
MAP = Station("cloud_map", "cloud_map web", timedelta(minutes=5))
FOUND, HIDDEN, SILENT = (
    Work(Stage.ACTIVE),
    Work(Stage.DRAINED, "is not registered"),
    Work(Stage.UNKNOWN, "is not known"),
)
GONE = SetRole(BLUE, Role.COLD, 0)
NEW = a_slot(GREEN, 4, "2")
ONE_GROUP = Serving.of(weights=False, health=False, reserve=True)
NO_WEIGHTS = Serving(weights=False, health=False, keeps_hot=False)


def ids(state: SlotState) -> tuple[str, ...]:
    return tuple(i.id for i in state.instances)


def seen_with(blue: Work, green: Work, *, weight: int = 100, minutes: int = 0, **more: Any) -> Observation:
    """Four instances of each generation, as far as the registry says."""
    old = more.pop("old", a_slot())
    works = {**dict.fromkeys(ids(old), (blue,)), **dict.fromkeys(ids(NEW), (green,)), **more.pop("works", {})}
    return an_observation(old, NEW, weight, at=after(minutes), works=works)


def proved(**changes: Any) -> Rotation:
    """The candidate has passed its gates."""
    terms = replace(
        some_terms(ROLLING, serving=changes.pop("serving", NO_WEIGHTS)), discovery=(changes.pop("map", MAP),)
    )
    usual: dict[str, Any] = {"step": 2, "proved_at": NOON, "shifted_at": NOON, "exposed_at": NOON}
    return a_rotation(terms=terms, **(usual | changes))


def with_weights(**changes: Any) -> Rotation:
    """All weight is on the new generation, and has settled."""
    return a_rotation(terms=replace(some_terms(), discovery=(MAP,)), exposed_at=NOON, weight=100, **changes)


# --- who is announced -------------------------------------------------------------------------------------------------


def test_an_instance_is_announced_once_its_step_gives_it_traffic() -> None:
    seen = seen_with(FOUND, HIDDEN)

    before = announce(proved(proved_at=None, shifted_at=None), seen, ())
    then = announce(proved(), seen, ())

    assert before.told == ()
    assert then.told == (Announce(GREEN, ids(NEW)),)


def test_a_scale_out_of_the_generation_that_still_serves_is_announced_as_well() -> None:
    old = a_slot()
    late = ids(old)[-1]

    found = announce(proved(), seen_with(FOUND, FOUND, works={late: (HIDDEN,)}), ())

    assert found.told == (Announce(BLUE, (late,)),)


def test_nothing_is_told_to_a_registry_that_has_not_answered() -> None:
    assert announce(proved(), seen_with(SILENT, SILENT), ()).told == ()


# --- what waits for it ------------------------------------------------------------------------------------------------


def test_no_old_instance_leaves_while_clients_do_not_find_every_new_one() -> None:
    one = ids(NEW)[0]

    found = announce(proved(), seen_with(FOUND, FOUND, works={one: (HIDDEN,)}), (GONE,))

    assert (found.passed, found.told) == ((), (Announce(GREEN, (one,)),))


def test_once_they_find_all_of_them_the_old_ones_may_leave() -> None:
    assert announce(proved(), seen_with(FOUND, FOUND), (GONE,)).passed == (GONE,)


def test_what_another_writer_has_registered_is_no_reason_to_wait() -> None:
    theirs = {ids(NEW)[0]: (Work(Stage.ABSENT),)}

    assert announce(proved(), seen_with(FOUND, FOUND, works=theirs), (GONE,)).passed == (GONE,)


def test_one_that_is_about_to_leave_is_not_announced_again() -> None:
    found = announce(proved(), seen_with(HIDDEN, FOUND), (GONE,))

    assert (found.passed, found.told) == ((GONE,), ())


def test_too_long_a_wait_holds_the_rotation_and_says_what_is_missing() -> None:
    rotation = proved(closing_since=NOON, weight=100)

    decision = decide(a_record(rotation), seen_with(FOUND, HIDDEN, minutes=5))

    assert "not announced for 5 minutes: i-00000000000001000 is not registered" in why_held(decision.record.rotation)


def test_with_go_on_the_old_ones_leave_all_the_same() -> None:
    rotation = proved(map=replace(MAP, goes_on=True))

    assert announce(rotation, seen_with(FOUND, HIDDEN, minutes=5), (GONE,)).passed == (GONE,)


def test_the_wait_is_told_with_what_is_missing_and_until_when() -> None:
    told = waiting_to_be_found(proved(), seen_with(FOUND, HIDDEN))

    assert told.startswith("0 of 4 announced: i-00000000000001000 is not registered (cloud_map web), i-")
    assert told.endswith(" and 2 more, at most until 12:05:00")


# --- withdrawals ------------------------------------------------------------------------------------------------------


def test_a_generation_without_weight_is_withdrawn_once_clients_find_the_other_one() -> None:
    rotation = with_weights(proved_at=NOON, shifted_at=NOON)

    early = announce(rotation, seen_with(FOUND, HIDDEN, minutes=2), ())
    then = announce(rotation, seen_with(FOUND, FOUND, minutes=2), ())

    assert early.told == (Announce(GREEN, ids(NEW)),)
    assert then.told == (Drain(BLUE, ids(a_slot())),)


def test_an_instance_that_has_ended_is_withdrawn() -> None:
    found = announce(proved(), seen_with(FOUND, FOUND, works={"i-gone": (FOUND,)}), ())

    assert found.told == (Drain(BLUE, ("i-gone",)),)


def test_one_that_ends_stays_announced_as_long_as_clients_find_no_other() -> None:
    ends = an_instance(9, lifecycle=Lifecycle.LEAVING, lifecycle_words="Terminating")
    alone = seen_with(HIDDEN, HIDDEN, old=a_slot(instances=(ends,)), works={ends.id: (FOUND,)})
    beside = seen_with(FOUND, FOUND, old=a_slot(instances=(ends, an_instance(8))), works={ends.id: (FOUND,)})

    assert not [a for a in announce(proved(), alone, ()).told if isinstance(a, Drain)]
    assert Drain(BLUE, (ends.id,)) in announce(proved(), beside, ()).told


# --- the way back -----------------------------------------------------------------------------------------------------


def back(**changes: Any) -> Rotation:
    return with_weights(back=Ask(NOON, "oncall"), grown_since=None, **changes)


def test_the_way_back_asks_no_registry_before_traffic_has_moved() -> None:
    seen = an_observation(a_slot(), NEW, 100)

    assert questions(a_record(back()), seen) == ((),)
    assert [len(each) for each in questions(a_record(back(shifted_at=NOON)), seen)] == [8]


def test_the_way_back_announces_the_old_generation_without_having_asked_and_after_the_weights() -> None:
    decision = decide(a_record(back()), an_observation(a_slot(), NEW, 100))

    kinds = [type(action).__name__ for action in decision.actions]
    assert kinds.index("SetWeights") < kinds.index("Announce")
    assert Announce(BLUE, ids(a_slot())) in decision.actions


def test_the_candidate_is_withdrawn_only_after_clients_find_the_old_generation() -> None:
    rotation = back(shifted_at=NOON)

    early = announce(rotation, seen_with(HIDDEN, FOUND, weight=0, minutes=2), (SetRole(GREEN, Role.COLD, 0),))
    then = announce(rotation, seen_with(FOUND, FOUND, weight=0, minutes=2), (SetRole(GREEN, Role.COLD, 0),))

    assert (early.passed, early.told) == ((), (Announce(BLUE, ids(a_slot())),))
    assert then.passed == (SetRole(GREEN, Role.COLD, 0),)


def test_a_reserve_is_announced_with_the_tick_that_takes_it_into_service() -> None:
    reserve = tuple(an_instance(n, lifecycle=Lifecycle.RESERVE, lifecycle_words="Standby") for n in range(4))
    rotation = proved(serving=ONE_GROUP, back=Ask(NOON, "oncall"), grown_since=None, shifted_at=None)
    seen = an_observation(a_slot(instances=reserve), NEW)

    assert announce(rotation, seen, ()).told == (Announce(BLUE, tuple(i.id for i in reserve)),)


# --- at rest ----------------------------------------------------------------------------------------------------------


def at_rest(**changes: Any) -> Any:
    ended = a_rotation(terms=replace(some_terms(), discovery=(MAP,)), ended_at=NOON, succeeded_at=NOON)
    return a_record(ended, **{"live": a_generation(42), "retained": a_generation(41), "hot_until": after(60)} | changes)


def test_at_rest_what_an_autoscaler_has_launched_is_announced() -> None:
    new = ids(NEW)[-1]

    decision = rest(at_rest(), seen_with(HIDDEN, FOUND, works={new: (HIDDEN,)}))

    assert decision.actions == (Announce(GREEN, (new,)),)
    assert "1 instance of web-green not announced yet" in decision.reason


def test_at_rest_an_instance_that_is_gone_is_withdrawn() -> None:
    decision = rest(at_rest(), seen_with(HIDDEN, FOUND, works={"i-gone": (FOUND,)}))

    assert decision.actions == (Drain(BLUE, ("i-gone",)),)


def test_at_rest_a_retained_generation_is_withdrawn_unless_it_carries_traffic() -> None:
    assert rest(at_rest(), seen_with(FOUND, FOUND)).actions == (Drain(BLUE, ids(a_slot())),)
    assert rest(at_rest(), seen_with(FOUND, FOUND, weight=50)).actions == ()


def test_at_rest_a_silent_registry_changes_nothing() -> None:
    assert rest(at_rest(), seen_with(SILENT, SILENT)).actions == ()
