"""Rules for all groups, where a start meets them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from phoenix.core.many.limits import BREAKER, STARTS, Breaker, Limits, Rules
from phoenix.core.model import Cause, Outcome
from phoenix.engine.many.rules import in_turn, refuse_out_of_turn
from phoenix.engine.plan import make_plan
from phoenix.engine.report import NotStarted
from phoenix.engine.request import RollbackRequest, RotateRequest
from phoenix.engine.rollback import rollback
from phoenix.engine.rotate import begin, rotate
from phoenix.engine.survey import survey
from phoenix.engine.tick import tick
from phoenix.errors import Blocked, LeaseHeld
from tests.builders import NOON, a_record, a_rotation
from tests.engine.builders import Bench, a_bench

GROUPS: dict[str, dict[str, str]] = {"web": {"tier": "web"}, "api": {"tier": "web"}, "db": {"tier": "db"}}
ONE = Rules(Limits(in_flight=1), labels=GROUPS)
TWO_BACK = Rules(breaker=Breaker(2, timedelta(hours=6)), labels=GROUPS)


def beside(*others: str, rules: Rules = ONE, **facts: Any) -> Bench:
    """A bench in an account in which these groups have such a rotation, in flight unless said otherwise."""
    bench = a_bench(rules=rules)
    for name in others:
        bench.store.save(a_record(a_rotation(group=name, **facts), group=name))
    return bench


def tripped() -> Bench:
    return beside("api", "db", rules=TWO_BACK, outcome=Outcome.ROLLED_BACK, cause=Cause.IMAGE, ended_at=NOON)


def in_the_way(bench: Bench, **asked: Any) -> list[str]:
    return [blocker.name for blocker in make_plan(bench.group, RotateRequest(**asked)).in_the_way]


def test_a_limit_stands_in_the_way_of_plan_rotate_and_tick_alike() -> None:
    bench = beside("api")

    assert in_the_way(bench) == ["limit"]
    with pytest.raises(NotStarted, match="limit"):
        rotate(bench.group, RotateRequest())
    assert (tick(bench.group).sentence, bench.writes) == ("", [])


def test_a_limit_may_be_ignored_by_hand() -> None:
    assert in_the_way(beside("api"), ignore=frozenset({"limit"})) == []
    assert in_the_way(tripped(), ignore=frozenset({"breaker"})) == []


def test_a_limit_per_label_asks_for_the_labels_of_the_others() -> None:
    limited = Rules(Limits(per_label={"tier": 1}), labels=GROUPS)

    assert in_the_way(beside("api", rules=limited)) == ["limit"]
    assert in_the_way(beside("db", rules=limited)) == []


def test_what_is_in_flight_goes_on_and_back_whatever_the_rules_say() -> None:
    bench = beside()
    tick(bench.group)
    bench.store.save(a_record(a_rotation(group="api"), group="api"))

    tick(bench.group)

    assert rollback(bench.group, RollbackRequest()).outcome is Outcome.ROLLED_BACK


def test_of_two_that_found_room_at_the_same_time_one_starts() -> None:
    bench = beside()
    with in_turn(bench.group, RotateRequest()):
        bench.store.save(a_record(a_rotation(group="api"), group="api"))

    with pytest.raises(Blocked, match="1 rotation in flight"), in_turn(bench.group, RotateRequest()):
        raise AssertionError("no group may start now")


def test_starts_wait_for_their_turn_but_not_for_ever() -> None:
    bench = beside()
    bench.store.claim(STARTS, "else/1", NOON, timedelta(seconds=5))
    with in_turn(bench.group, RotateRequest()):
        assert timedelta(seconds=5) <= bench.clock.at - NOON <= timedelta(seconds=6)

    bench.store.claim(STARTS, "else/1", bench.clock.at, timedelta(hours=1))
    with pytest.raises(LeaseHeld), in_turn(bench.group, RotateRequest()):
        raise AssertionError("no group may start now")


def test_a_start_whose_turn_another_group_has_taken_meanwhile_is_refused() -> None:
    bench = beside()

    with in_turn(bench.group, RotateRequest()) as turn:
        refuse_out_of_turn(bench.group, turn)
        bench.clock.at += timedelta(minutes=3)
        with in_turn(replace(bench.group, driver="there/2"), RotateRequest()), pytest.raises(Blocked, match="turn"):
            refuse_out_of_turn(bench.group, turn)


def test_a_start_out_of_its_turn_is_not_recorded() -> None:
    bench = beside()
    found = survey(bench.group, RotateRequest())
    assert found.next is not None
    over = replace(bench.store.claim(STARTS, "else/1", NOON, timedelta(minutes=1)), owner="web/1")

    with pytest.raises(Blocked, match="turn"):
        begin(bench.group, found, found.next, RotateRequest(), over)

    assert bench.store.load("web") is None


def test_a_turn_outlasts_the_longest_wait_for_an_answer() -> None:
    bench = beside()

    with in_turn(bench.group, RotateRequest()):
        bench.clock.at += timedelta(seconds=120)
        with pytest.raises(LeaseHeld), in_turn(replace(bench.group, driver="there/2"), RotateRequest()):
            raise AssertionError("no group may start now")


def test_without_rules_no_start_waits_for_another() -> None:
    bench = a_bench()
    bench.store.claim(STARTS, "else/1", NOON, timedelta(hours=1))

    with in_turn(bench.group, RotateRequest()):
        assert bench.clock.slept == []


def test_the_breaker_is_told_of_once_and_closes_by_itself() -> None:
    bench = tripped()

    for _ in range(3):
        tick(bench.group)
        bench.clock.at += timedelta(minutes=1)

    assert bench.inbox.subjects == ["phoenix: no rotation of any group starts, too many were rolled back"]
    assert bench.writes == []
    bench.clock.at += timedelta(hours=6)
    assert tick(bench.group).outcome is Outcome.IN_PROGRESS
    closed = bench.store.note(BREAKER)
    assert closed is not None
    assert closed.at is None


def test_the_breaker_is_told_of_again_when_other_rollbacks_have_opened_it_since() -> None:
    bench = tripped()
    tick(bench.group)
    bench.clock.at += timedelta(hours=7)
    for record in bench.store.load_many(["api", "db"]).values():
        assert record.rotation is not None
        bench.store.save(replace(record, rotation=replace(record.rotation, ended_at=bench.clock.at)))

    for _ in range(3):
        tick(bench.group)
        bench.clock.at += timedelta(minutes=1)

    assert len(bench.inbox.subjects) == len(set(bench.inbox.ids)) == 2


def test_an_operators_rollbacks_do_not_trip_it() -> None:
    facts = {"outcome": Outcome.ROLLED_BACK, "cause": Cause.OPERATOR, "ended_at": NOON}

    assert in_the_way(beside("api", "db", rules=TWO_BACK, **facts)) == []


def test_the_news_of_the_breaker_and_its_record_say_why_it_has_opened() -> None:
    bench = tripped()
    (blocker,) = make_plan(bench.group, RotateRequest()).in_the_way

    tick(bench.group)

    opened = bench.store.note(BREAKER)
    assert opened is not None
    assert opened.text == blocker.text
    assert blocker.text in bench.inbox.texts[-1]
