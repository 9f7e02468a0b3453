"""`sweep`: who is due, who may be, and how many at a time; it never drives a group itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from phoenix.core.many.limits import IDLE, Breaker, Limits, Rules
from phoenix.core.many.triage import Member, Signs
from phoenix.core.model import Cause, Outcome
from phoenix.core.record import GroupRecord
from phoenix.engine.many.sweep import Estate, Swept, sweep
from phoenix.errors import Blocked, PhoenixError, StoreError, Throttled
from tests.builders import NEW_IMAGE, NOON, OLD_IMAGE, a_generation, a_record, a_rotation, after
from tests.engine.builders import VirtualClock
from tests.fakes_store import MemoryStore

MINUTE = timedelta(minutes=1)


@dataclass
class Hands:
    """Remembers who was handed on; `error` is raised for the next batch."""

    groups: list[str] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)
    poll_seconds: float = 0
    error: Exception | None = None

    def invoke(self, groups: Sequence[str], poll_seconds: float) -> None:
        error, self.error = self.error, None
        if error is not None:
            raise error
        self.groups += groups
        self.batches.append(len(groups))
        self.poll_seconds = poll_seconds


@dataclass
class Glance:
    """Shows the old image everywhere, except where told otherwise."""

    signs: dict[str, Signs] = field(default_factory=dict)
    error: Exception | None = None
    asked: int = 0

    def signs_of(self, members: Sequence[Member], records: Mapping[str, GroupRecord]) -> Mapping[str, Signs]:
        self.asked += 1
        if self.error is not None:
            raise self.error
        return {member.name: self.signs.get(member.name, Signs(OLD_IMAGE)) for member in members}


@dataclass
class Yard:
    """That many idle groups, g0 and on, and every fake within reach."""

    count: int
    rules: Rules = field(default_factory=Rules)
    store: MemoryStore = field(default_factory=MemoryStore)
    hands: Hands = field(default_factory=Hands)
    glance: Glance = field(default_factory=Glance)
    clock: VirtualClock = field(default_factory=VirtualClock)
    zones: dict[str, dict[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in self.names:
            self.store.save(a_record(group=name, live=a_generation(41, since=NOON), noted_at=NOON))

    @property
    def names(self) -> list[str]:
        return [f"g{number}" for number in range(self.count)]

    @property
    def estate(self) -> Estate:
        members = {name: Member(name) for name in self.names}
        rules = replace(self.rules, labels={name: self.zones.get(name, {}) for name in self.names})
        return Estate(members, self.store, self.glance, self.hands, self.clock, "us/1", rules)

    def sweep(self, *, idle: bool = False, **more: Any) -> Swept:
        return sweep(self.estate, idle=idle, **more)

    def becomes(self, name: str, **facts: Any) -> None:
        """The record of a group changes."""
        kept = self.store.load(name)
        assert kept is not None
        self.store.save(replace(kept, **facts))

    def is_due(self, name: str, minutes: float = 0) -> None:
        """An operator has asked for another look."""
        lease = self.store.claim(name, "else/1", self.clock.now(), MINUTE)
        self.store.release(lease, after(minutes))

    def sees_new_image(self, *names: str) -> None:
        self.glance.signs |= {name: Signs(NEW_IMAGE) for name in names}


def test_between_idle_looks_only_those_are_handed_on_whose_time_has_come() -> None:
    yard = Yard(3)
    yard.is_due("g1")
    yard.is_due("g2", minutes=5)
    yard.sees_new_image("g0")

    found = yard.sweep()

    assert (yard.hands.groups, found.due, found.looked_at) == (["g1"], 1, 0)


def test_what_is_due_before_the_next_sweep_is_half_over_is_taken_along() -> None:
    yard = Yard(1)
    yard.is_due("g0", minutes=0.4)

    assert yard.sweep().invoked == ("g0",)


def test_a_group_whose_driver_has_died_is_due_when_its_lease_expires() -> None:
    yard = Yard(1)
    yard.store.claim("g0", "dead/1", NOON, MINUTE)

    assert yard.sweep().invoked == ()
    yard.clock.at += MINUTE
    assert yard.sweep().invoked == ("g0",)


def test_an_idle_look_hands_on_those_that_may_be_due_after_those_that_are() -> None:
    yard = Yard(4)
    yard.is_due("g3")
    yard.sees_new_image("g1")
    yard.becomes("g2", rotation=a_rotation(group="g2"))

    found = yard.sweep(idle=True)

    assert (found.invoked, found.looked_at) == (("g3", "g2", "g1"), 3)


def test_an_idle_look_finds_no_group_where_nothing_has_changed() -> None:
    yard = Yard(50)

    assert replace(yard.sweep(idle=True), standing=None) == Swept(due=0, looked_at=50)
    assert yard.store.due(after(60)) == []


def test_two_sweeps_at_once_look_once() -> None:
    yard = Yard(2)
    yard.sees_new_image("g0")
    yard.store.claim(IDLE, "other/1", NOON, MINUTE)

    assert yard.sweep(idle=True).looked_at == 0


def test_an_idle_look_that_failed_is_made_again_in_a_minute() -> None:
    yard = Yard(1)
    yard.glance.error = Throttled("slow down")
    yard.sweep(idle=True)
    yard.glance.error = None

    yard.clock.at += MINUTE
    assert yard.sweep().looked_at == 1


@pytest.mark.parametrize("error", [Throttled("slow down"), Blocked("another account"), StoreError("damaged")])
def test_an_idle_look_that_fails_keeps_no_due_group_waiting(error: PhoenixError) -> None:
    yard = Yard(2)
    yard.is_due("g1")
    yard.glance.error = error

    found = yard.sweep(idle=True)

    assert (found.invoked, found.due, found.left, found.trouble) == (("g1",), 1, 0, error)


def test_who_is_due_is_handed_on_before_anybody_looks_at_the_others() -> None:
    yard = Yard(2)
    yard.is_due("g1")
    asked: list[int] = []

    def invoke(groups: Sequence[str], poll_seconds: float) -> None:
        asked.append(yard.glance.asked)

    yard.hands.invoke = invoke  # type: ignore[method-assign]
    yard.sweep(idle=True)

    assert (asked, yard.glance.asked) == ([0], 1)


def minutes_until_all_were_handed_on(yard: Yard, among: int) -> int:
    """No group that is handed on ever starts anything."""
    for minute in range(200):
        at = yard.clock.at
        yard.sweep(idle=minute % 15 == 0)
        if len(set(yard.hands.groups)) == among:
            return minute
        yard.clock.at = at + MINUTE
    raise AssertionError(f"only {sorted(set(yard.hands.groups))}")


def test_groups_that_are_due_for_ever_and_never_start_take_turns() -> None:
    yard = Yard(41)
    yard.sees_new_image(*yard.names)

    assert minutes_until_all_were_handed_on(yard, 41) == 2


def test_a_group_that_something_blocks_does_not_keep_the_only_room_from_the_others() -> None:
    yard = Yard(41, Rules(Limits(in_flight=1)))
    yard.sees_new_image(*yard.names)

    assert minutes_until_all_were_handed_on(yard, 41) == 40


def test_where_a_label_is_full_those_passed_over_are_the_next_to_have_their_turn() -> None:
    yard = Yard(6, Rules(Limits(per_label={"zone": 1})))
    yard.zones = {name: {"zone": "ab"[number // 3]} for number, name in enumerate(yard.names)}
    yard.sees_new_image(*yard.names)

    assert minutes_until_all_were_handed_on(yard, 6) <= 6


def test_what_time_ran_out_for_is_the_first_of_the_next_look() -> None:
    yard = Yard(10)
    yard.sees_new_image(*yard.names)

    first = yard.sweep(idle=True, until=NOON + timedelta(seconds=10))
    yard.clock.at = NOON + MINUTE
    second = yard.sweep(until=yard.clock.at + timedelta(seconds=10))

    assert (first.invoked, second.invoked) == (("g0", "g1", "g2"), ("g3", "g4", "g5"))


def test_a_turn_that_could_not_be_noted_costs_a_line_in_the_log() -> None:
    yard = Yard(5, Rules(Limits(in_flight=1)))
    yard.sees_new_image(*yard.names)

    def be_faster(record: GroupRecord) -> None:
        yard.store.save(record)

    yard.store.before_save = be_faster
    found = yard.sweep(idle=True)

    assert (found.invoked, found.trouble) == (("g0",), None)


def test_no_more_are_woken_than_there_is_room_for_and_the_rest_is_looked_at_in_a_minute() -> None:
    yard = Yard(5, Rules(Limits(in_flight=2)))
    yard.becomes("g0", rotation=a_rotation(group="g0"))
    yard.sees_new_image("g1", "g2", "g3")

    found = yard.sweep(idle=True)

    assert (found.invoked, found.waiting) == (("g0", "g1"), ("g2", "g3"))
    assert yard.store.due(after(1)) == [IDLE]


def test_while_the_breaker_is_open_one_is_woken_to_tell_of_it() -> None:
    yard = Yard(5, Rules(breaker=Breaker(2, timedelta(hours=6))))
    back: dict[str, Any] = {"outcome": Outcome.ROLLED_BACK, "cause": Cause.IMAGE, "ended_at": NOON}
    for name in ("g3", "g4"):
        yard.becomes(name, rotation=a_rotation(group=name, **back))
    yard.sees_new_image("g0", "g1", "g2")

    found = yard.sweep(idle=True)

    assert (found.invoked, found.waiting, yard.store.due(after(60))) == (("g0",), (), [])
    assert yard.sweep(idle=True).invoked == ("g1",)


def test_many_are_woken_a_few_a_second_and_told_to_look_less_often() -> None:
    yard = Yard(200)
    for name in yard.names:
        yard.is_due(name)

    found = yard.sweep()

    assert len(found.invoked) == 200
    assert max(yard.hands.batches) * 6 <= yard.estate.calls_per_second
    assert yard.clock.at - NOON >= timedelta(seconds=200 * 6 / 15 - 1)
    assert yard.hands.poll_seconds == 60


def test_who_starts_counts_for_as_many_calls_as_a_start_makes() -> None:
    yard = Yard(40)
    yard.sees_new_image(*yard.names)

    found = yard.sweep(idle=True)

    assert (len(found.invoked), len(found.waiting), found.left) == (15, 25, 0)
    assert yard.clock.at - NOON == timedelta(seconds=14 * 60 / 15)
    assert yard.store.due(after(1)) == [IDLE]


def test_where_those_in_flight_use_up_the_budget_one_starts_all_the_same() -> None:
    yard = Yard(160)
    for name in yard.names[:150]:
        yard.is_due(name)
    yard.sees_new_image(*yard.names[150:])

    found = yard.sweep(idle=True)

    assert (found.due, len(found.invoked), len(found.waiting)) == (150, 151, 9)


def test_how_often_to_look_takes_account_of_those_who_are_driven_already() -> None:
    yard = Yard(30)
    for name in yard.names[1:]:
        yard.store.claim(name, "else/1", NOON, MINUTE)
    yard.is_due("g0")

    yard.sweep()

    assert yard.hands.poll_seconds == 30 * 6 / 15


def test_what_does_not_fit_into_the_time_of_a_sweep_stays_due() -> None:
    yard = Yard(200)
    for name in yard.names:
        yard.is_due(name)

    found = yard.sweep(until=NOON + timedelta(seconds=10))

    assert len(found.invoked) + found.left == 200
    assert found.left > 0
    assert len(yard.store.due(yard.clock.now())) == 200


def test_a_batch_that_cannot_be_handed_on_does_not_stop_the_others() -> None:
    yard = Yard(12)
    for name in yard.names:
        yard.is_due(name)
    yard.hands.error = Throttled("slow down")

    found = yard.sweep()

    assert (len(found.invoked), found.left) == (10, 2)


def test_pseudo_groups_and_groups_without_a_policy_are_not_handed_on() -> None:
    yard = Yard(1)
    for name in ("gone", "*starts*", "g0"):
        yard.is_due(name)

    assert yard.sweep().invoked == ("g0",)
