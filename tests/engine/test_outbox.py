"""News are saved with their rotation, sent after its actions, and sent once, even if drivers die, fail or collide."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from phoenix.core.model import Outcome
from phoenix.core.notice import Notice
from phoenix.core.record import GroupRecord
from phoenix.core.story import Ask
from phoenix.engine.control import pause
from phoenix.engine.group import Group
from phoenix.engine.lease import claim
from phoenix.engine.once import tick_once
from phoenix.engine.outbox import put, save_telling, send, send_left
from phoenix.engine.request import RollbackRequest, RotateRequest
from phoenix.engine.rollback import rollback
from phoenix.engine.rotate import rotate
from phoenix.engine.tick import tick
from phoenix.errors import StateConflict, StoreError, Unreachable, UsageError
from phoenix.ports import Lease, Notifier
from tests.builders import NOON
from tests.engine.builders import Bench, Inbox, a_bench
from tests.fakes_store import MemoryStore


class Killed(BaseException):
    """The driver is gone. No code may catch this, as none catches SIGKILL."""


def a_notice(name: str = "web.test") -> Notice:
    return Notice(name, NOON, "test", "a subject", "a text")


def with_news(bench: Bench, *names: str) -> GroupRecord:
    """A saved record with these in its outbox."""
    notices = (a_notice(name) for name in names or ("web.test",))
    return bench.store.save(put(bench.group, GroupRecord("web"), *notices))


def other_group(bench: Bench, **changes: object) -> Group:
    """Another driver of the same group."""
    return replace(bench.group, driver="there/2", **changes)  # type: ignore[arg-type]


# --- sending ----------------------------------------------------------------------------------------------------------


def test_what_has_been_sent_is_taken_out() -> None:
    bench = a_bench()

    sent = send(bench.group, with_news(bench, "a", "b"))

    assert bench.inbox.ids == ["a", "b"]
    assert sent == bench.record
    assert sent.outbox == ()


def test_nothing_is_saved_while_there_is_nothing_to_send() -> None:
    bench = a_bench()
    record = bench.store.save(GroupRecord("web"))

    send(bench.group, record)
    send_left(bench.group)

    assert len(bench.store.saved) == 1


def test_nothing_is_put_in_without_a_notifier() -> None:
    bench = a_bench(notifiers=())

    assert put(bench.group, GroupRecord("web"), a_notice()).outbox == ()
    assert bench.rotated().outcome is Outcome.SUCCEEDED
    assert bench.record.outbox == ()


def test_the_same_piece_of_news_is_put_in_once() -> None:
    bench = a_bench()

    record = put(bench.group, put(bench.group, GroupRecord("web"), a_notice()), a_notice(), a_notice("other"))

    assert [n.id for n in record.outbox] == ["web.test", "other"]


def test_a_rollback_moves_traffic_before_anybody_is_told_of_it() -> None:
    bench = a_bench()
    bench.rotated()
    bench.forget_writes()
    told_at: list[list[str]] = []
    bench.group = replace(bench.group, notifiers=(Spy(lambda _: told_at.append(bench.writes)),))

    rollback(bench.group, RollbackRequest())

    assert told_at[0][:1] == ["SetWeights"]


# --- notifiers that fail ----------------------------------------------------------------------------------------------


class Spy:
    """A notifier that does something with each piece of news."""

    def __init__(self, act: Callable[[Notice], object], name: str = "spy") -> None:
        self.act, self.name = act, name

    def notify(self, notice: Notice) -> None:
        self.act(notice)


def test_a_notifier_that_fails_stops_neither_the_rotation_nor_the_other_notifiers() -> None:
    bench = a_bench()
    bench.group = replace(bench.group, notifiers=(Inbox(broken=True, name="broken"), bench.inbox))

    assert bench.rotated().outcome is Outcome.SUCCEEDED
    assert len(bench.inbox.subjects) == 2
    assert len(bench.record.outbox) == 2


def test_what_did_not_arrive_is_tried_again_by_a_later_tick_and_only_where_it_did_not() -> None:
    bench = a_bench()
    broken = Inbox(broken=True, name="broken")
    bench.group = replace(bench.group, notifiers=(broken, bench.inbox))
    bench.rotated()
    broken.broken = False

    bench.clock.at += timedelta(hours=1)
    tick(bench.group)

    assert (broken.ids, bench.record.outbox) == (bench.inbox.ids, ())
    assert len(bench.inbox.ids) == 2


def test_tries_become_rarer_and_end_with_an_error_after_a_day(caplog: pytest.LogCaptureFixture) -> None:
    bench = a_bench()
    tries: list[timedelta] = []
    bench.group = replace(bench.group, notifiers=(Spy(lambda _: fail(tries, bench)),))
    with_news(bench)

    while bench.record.outbox:
        send_left(bench.group)
        bench.clock.at += timedelta(minutes=1)

    assert tries[:4] == [timedelta(minutes=m) for m in (0, 1, 2, 4)]
    assert timedelta(days=1) <= tries[-1] <= timedelta(days=1, hours=1)
    assert len(tries) < 40
    assert [r.message for r in caplog.records if r.levelno == logging.ERROR] == ["notify.dropped"]


def fail(tries: list[timedelta], bench: Bench) -> None:
    tries.append(bench.clock.now() - NOON)
    raise Unreachable("no answer")


class Unloadable:
    """Notifiers of a policy that cannot be read."""

    def __iter__(self) -> object:
        raise UsageError("no such directory")


def test_notifiers_that_cannot_even_be_loaded_leave_the_news_where_it_is() -> None:
    bench = a_bench(notifiers=Unloadable())

    assert bench.rotated().outcome is Outcome.SUCCEEDED
    assert [n.event for n in bench.record.outbox] == ["started", "succeeded"]


def test_who_does_not_know_whom_to_tell_leaves_the_outbox_as_it_is_for_as_long_as_it_takes() -> None:
    bench = a_bench()
    record = with_news(bench)
    bench.clock.at += timedelta(days=2)

    assert send(other_group(bench, notifiers=Unloadable()), record) == record == bench.record


def test_where_the_notifiers_are_gone_the_rest_is_thrown_away() -> None:
    bench = a_bench()

    assert send(other_group(bench, notifiers=()), with_news(bench)).outbox == ()


def test_a_store_that_fails_in_between_keeps_the_news_and_stops_no_driver() -> None:
    bench = a_bench()
    record = with_news(bench)

    def break_down(_: GroupRecord) -> None:
        raise StoreError("disk full")

    bench.store.before_save = break_down

    assert send(bench.group, record) == record
    assert bench.inbox.ids == []


# --- others at the same time ------------------------------------------------------------------------------------------


def test_of_two_drivers_with_the_same_record_one_sends() -> None:
    bench = a_bench()
    record = with_news(bench)
    bench.group = replace(bench.group, notifiers=(Spy(lambda _: send(other_group(bench), record)), bench.inbox))

    send(bench.group, record)

    assert bench.inbox.ids == ["web.test"]
    assert bench.record.outbox == ()


def test_a_save_of_something_else_while_we_send_does_not_bring_the_news_back() -> None:
    bench = a_bench()
    record = with_news(bench)
    bench.group = replace(bench.group, notifiers=(Spy(lambda _: bench.is_outrun(paused=Ask(NOON, "ann"))), bench.inbox))

    sent = send(bench.group, record)

    assert (sent.outbox, sent.paused) == ((), Ask(NOON, "ann"))
    assert bench.record == sent


def test_a_driver_that_sends_is_not_in_the_way_of_one_that_acts() -> None:
    bench = a_bench()
    before = with_news(bench)
    send(other_group(bench), before)

    saved = save_telling(bench.group, before, replace(before, paused=Ask(NOON, "ann")))

    assert (saved.paused, saved.outbox) == (Ask(NOON, "ann"), ())


def test_anything_else_that_was_saved_meanwhile_is_a_conflict() -> None:
    bench = a_bench()
    before = with_news(bench)
    pause(other_group(bench), None)

    with pytest.raises(StateConflict):
        save_telling(bench.group, before, replace(before, highest_number=7))


# --- death ------------------------------------------------------------------------------------------------------------


class MortalStore(MemoryStore):
    """Kills the driver before or after the save of a number; the dead do not even release."""

    def __init__(self) -> None:
        super().__init__()
        self.moment: Callable[[str], None] = lambda name: None
        self.dead = False

    def save(self, record: GroupRecord) -> GroupRecord:
        self.moment("before save")
        saved = super().save(record)
        self.moment("after save")
        return saved

    def release(self, lease: Lease, *due: object) -> None:
        if not self.dead:
            super().release(lease)


class Witness:
    """Notes what arrives, and that it had been saved by then; the driver may die around it."""

    name = "witness"

    def __init__(self, store: MortalStore) -> None:
        self.store = store
        self.got: list[str] = []

    def notify(self, notice: Notice) -> None:
        self.store.moment("before send")
        kept = self.store.load("web")
        assert kept is not None
        assert notice.id in {n.id for n in kept.outbox}, "sent before it was saved"
        self.got.append(notice.id)
        self.store.moment("after send")


def lived_through(death: int | None) -> tuple[list[str], list[str]]:
    """A rotation whose driver dies at that moment, and another that finishes it: what arrived, and the moments."""
    bench, store = a_bench(), MortalStore()
    witness: Notifier = Witness(store)
    bench.group = replace(bench.group, store=store, notifiers=(witness,))
    moments: list[str] = []

    def moment(name: str) -> None:
        moments.append(name)
        if len(moments) == death:
            store.dead = True
            raise Killed

    store.moment = moment
    with suppress(Killed):
        rotate(bench.group, RotateRequest())
    store.dead = False
    bench.clock.at += timedelta(minutes=10)
    rotate(replace(bench.group, driver="there/2"), RotateRequest())
    bench.clock.at += timedelta(minutes=10)
    tick(replace(bench.group, driver="there/2"))
    return [each.rpartition(".")[2] for each in witness.got], moments  # type: ignore[attr-defined]


def test_death_at_any_moment_loses_no_news_and_repeats_only_what_had_been_sent_and_not_saved() -> None:
    calm, moments = lived_through(None)
    assert calm == ["started", "succeeded"]

    for number, moment in enumerate(moments, start=1):
        arrived, _ = lived_through(number)
        assert set(arrived) == set(calm), f"lost after death {moment} ({number})"
        unsaved = moment == "after send" or (moment == "before save" and moments[number - 2] == "after send")
        assert len(arrived) == len(calm) + unsaved, f"{arrived} after death {moment} ({number})"


def test_a_permanent_error_while_acting_is_told_though_nothing_else_follows() -> None:
    bench = a_bench()
    record = bench.baking()
    bench.send(70)

    tick_once(bench.group, claim(bench.group), record)

    assert bench.inbox.subjects[-1] == "phoenix web: held, a person must look"
    assert bench.record.outbox == ()
