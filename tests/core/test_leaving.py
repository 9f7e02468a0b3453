"""The door through which instances leave, and who stays after all."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from phoenix.core.action import Drain, SetRole, SetSchedules, Undrain, WriteTags
from phoenix.core.leaving import Exit, depart, let_leave, progress
from phoenix.core.model import Observation, Role, Slot
from phoenix.core.rotation import Rotation
from phoenix.core.story import Ask
from phoenix.core.temporary import DrainEntry, Ledger, Upkeep
from phoenix.core.work import Stage, Station, Work
from tests.builders import NOON, a_rotation, a_slot, an_observation

BLUE = Slot.BLUE
ECS = Station("ecs", "ecs shop", timedelta(minutes=10))
LOGS = Station("ssm", "ssm logs", timedelta(minutes=5), goes_on=True)
COLD = SetRole(BLUE, Role.COLD, 0)
HALF = SetRole(BLUE, Role.PINNED, 2)
BUSY = Work(Stage.ACTIVE, "has 4 tasks")


def seen_with(*works: Work, minutes: int = 0) -> Observation:
    """Four instances in blue, each as far as these stations say."""
    seen = an_observation(a_slot(healthy=4))
    ids = [i.id for i in seen.slots[BLUE].instances]
    return replace(seen, at=NOON + timedelta(minutes=minutes), works=dict.fromkeys(ids, works) if works else {})


def a_draining(had: bool = True, **changes: Any) -> tuple[Rotation, str]:
    """A rotation whose first old instance is being drained."""
    first = seen_with().slots[BLUE].instances[0].id
    entry = DrainEntry(BLUE, first, had, NOON, Upkeep(NOON))
    rotation = a_rotation(**changes)
    terms = replace(rotation.terms, before_leaving=(ECS,))
    return replace(rotation, terms=terms, ledger=Ledger((entry,))), first


def test_without_a_station_every_action_passes() -> None:
    assert let_leave((COLD,), seen_with(BUSY), Exit(())).actions == (COLD,)


def test_what_has_work_is_told_first_and_nothing_that_comes_after_is_done() -> None:
    before, after = SetSchedules(BLUE, running=False), WriteTags({BLUE: {"a": "b"}})

    found = let_leave((before, COLD, after), seen_with(BUSY), Exit((ECS,)))

    assert [type(a) for a in found.actions] == [SetSchedules, Drain]
    assert (found.waits, len(found.leaving)) == (True, 4)


def test_nothing_is_told_to_what_was_not_asked_yet_or_does_not_answer() -> None:
    for seen in (seen_with(), seen_with(Work(Stage.UNKNOWN, "is not known"))):
        found = let_leave((COLD,), seen, Exit((ECS,)))

        assert (found.actions, found.waits) == ((), True)


def test_of_a_part_only_those_that_were_drained_leave() -> None:
    found = let_leave((HALF,), seen_with(Work(Stage.DRAINED)), Exit((ECS,)))

    (action,) = found.actions
    assert isinstance(action, SetRole)
    assert (len(action.leaving), frozenset(action.leaving)) == (2, found.leaving)


def test_the_choice_stays_with_those_that_are_being_drained() -> None:
    last = seen_with().slots[BLUE].instances[-1].id

    found = let_leave((HALF,), seen_with(BUSY), Exit((ECS,), {last: NOON}))

    assert last in found.leaving


def test_a_station_begins_once_the_one_before_has_nothing_left() -> None:
    found = let_leave((COLD,), seen_with(Work(Stage.DRAINED), BUSY), Exit((ECS, LOGS)))

    (action,) = found.actions
    assert isinstance(action, Drain)
    assert action.station == 1


def test_the_time_that_one_station_leaves_is_the_next_ones() -> None:
    ids = [i.id for i in seen_with().slots[BLUE].instances]
    way = Exit((ECS, LOGS), dict.fromkeys(ids, NOON))
    works = (Work(Stage.DRAINED), Work(Stage.LEAVING, "runs logs"))

    assert let_leave((COLD,), seen_with(*works, minutes=14), way).waits
    assert let_leave((COLD,), seen_with(*works, minutes=15), way).actions == (COLD,)


def test_what_is_to_be_waited_for_is_overdue_and_not_cut_off() -> None:
    ids = [i.id for i in seen_with().slots[BLUE].instances]

    found = let_leave((COLD,), seen_with(BUSY, minutes=10), Exit((ECS,), dict.fromkeys(ids, NOON)))

    assert COLD not in found.actions
    assert "0 of 4 drained" in str(found.overdue)
    assert "on_timeout is hold" in str(found.overdue)


def test_an_instance_is_in_the_ledger_before_it_is_told_anything() -> None:
    rotation = a_rotation()
    rotation = replace(rotation, terms=replace(rotation.terms, before_leaving=(ECS,)))

    rotation, found = depart(rotation, seen_with(BUSY), (HALF,))

    assert set(rotation.ledger.drains) == found.leaving
    assert {entry.had for entry in rotation.ledger.drains.values()} == {True}


def test_an_instance_that_is_not_to_leave_any_more_takes_work_again_and_is_forgotten_then() -> None:
    rotation, first = a_draining()

    rotation, found = depart(rotation, seen_with(Work(Stage.DRAINED)), ())
    assert found.actions == (Undrain(BLUE, (first,)),)
    rotation, found = depart(rotation, seen_with(BUSY), ())

    assert (found.actions, rotation.ledger.drains) == ((), {})


def test_what_a_person_had_drained_is_left_as_it_is() -> None:
    rotation, _ = a_draining(had=False)

    assert depart(rotation, seen_with(Work(Stage.DRAINED)), ())[1].actions == ()


def test_the_way_back_tells_them_without_having_asked() -> None:
    rotation, first = a_draining(back=Ask(NOON, "oncall"), grown_since=None)
    rotation = replace(rotation, origin=replace(rotation.origin, policy="pinned"))

    assert depart(rotation, seen_with(), ())[1].actions == (Undrain(BLUE, (first,)),)


def test_progress_names_what_is_left_and_where() -> None:
    seen = seen_with(BUSY)
    ids = tuple(i.id for i in seen.slots[BLUE].instances)

    told = progress(ids, seen, Exit((ECS,)))

    assert told == f"0 of 4 drained: {ids[0]} has 4 tasks (ecs shop), {ids[1]} has 4 tasks (ecs shop) and 2 more"


def with_surplus(*works: Work) -> tuple[Observation, str]:
    """One group in which the new generation has one instance more than it needs."""
    old, new = a_slot(healthy=2), a_slot(Slot.GREEN, healthy=2, version="2")
    more = new.instances[-1].id
    seen = an_observation(old, replace(new, surplus=(more,), auto_scaling_group=old.auto_scaling_group))
    return replace(seen, works={more: works}), more


def test_what_one_group_has_more_than_it_needs_is_drained_before_its_size_changes() -> None:
    seen, more = with_surplus(BUSY)
    live = SetRole(Slot.GREEN, Role.LIVE, 2)

    assert let_leave((live,), seen, Exit((ECS,))).actions == (Drain(Slot.GREEN, (more,), 0),)
    drained, _ = with_surplus(Work(Stage.DRAINED))
    assert let_leave((live,), drained, Exit((ECS,))).actions == (replace(live, leaving=(more,)),)


def test_what_was_more_than_the_need_and_is_needed_again_takes_work_again() -> None:
    seen, more = with_surplus(Work(Stage.DRAINED))
    needed = {slot: replace(state, surplus=()) for slot, state in seen.slots.items()}
    rotation, _ = a_draining()
    entry = DrainEntry(Slot.GREEN, more, True, NOON, Upkeep(NOON))

    _, found = depart(replace(rotation, ledger=Ledger((entry,))), replace(seen, slots=needed), ())

    assert found.actions == (Undrain(Slot.GREEN, (more,)),)
