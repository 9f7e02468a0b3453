"""Alarms: those that ring, those that say nothing, and those that rang while nobody looked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from phoenix.core.model import Cause, Judgement, Observation, Verdict
from phoenix.gates.alarm import AlarmGate, Settings
from tests.account import Account
from tests.builders import a_rotation

MINUTE = timedelta(minutes=1)


@pytest.fixture
def gate(account: Account) -> AlarmGate:
    return account.make(AlarmGate, Settings(alarms=("web-5xx", "web-p99")))


def look(account: Account, gate: AlarmGate, *, looked_ago: timedelta = timedelta(0), weight: int = 5) -> Verdict:
    """Ask the gate now, of a candidate with some traffic; the last look was that long ago."""
    now = account.clock.now()
    rotation = a_rotation(started_at=now - 60 * MINUTE, looked_at=now - looked_ago, weight=weight)
    return gate.check(rotation, Observation(at=now, slots={}))


def test_an_alarm_that_rings_before_there_is_traffic_is_not_the_candidates(account: Account, gate: AlarmGate) -> None:
    account.sandbox.set_alarm("web-5xx", "ALARM", "the live one")

    verdict = look(account, gate, weight=0)

    assert (verdict.judgement, verdict.cause) == (Judgement.WAIT, Cause.ENVIRONMENT)


def test_alarms_in_ok_pass_in_one_call(account: Account, gate: AlarmGate) -> None:
    verdict = look(account, gate)

    assert (verdict.judgement, verdict.reason) == (Judgement.PASS, "web-5xx OK, web-p99 OK")
    assert account.operations() == ["DescribeAlarms"]


def test_an_alarm_that_rings_fails_with_its_time_and_awss_reason(account: Account, gate: AlarmGate) -> None:
    account.clock.advance(3)
    account.sandbox.set_alarm("web-5xx", "ALARM", "Threshold crossed: 61, 88, 94")

    verdict = look(account, gate)

    assert (verdict.judgement, verdict.cause) == (Judgement.FAIL, Cause.IMAGE)
    assert verdict.reason == 'web-5xx went OK -> ALARM at 02:41:05: "Threshold crossed: 61, 88, 94"'


@pytest.mark.edge(52)
def test_too_few_measurements_are_waited_for(account: Account, gate: AlarmGate) -> None:
    account.sandbox.set_alarm("web-p99", "INSUFFICIENT_DATA")

    verdict = look(account, gate)

    assert (verdict.judgement, verdict.cause) == (Judgement.WAIT, Cause.ENVIRONMENT)
    assert "web-p99 has too few measurements" in verdict.reason


def test_an_alarm_that_rings_counts_more_than_one_that_is_missing(account: Account) -> None:
    gate = account.make(AlarmGate, Settings(alarms=("web-gone", "web-5xx")))
    assert look(account, gate).reason == "web-gone does not exist"
    account.sandbox.set_alarm("web-5xx", "ALARM")

    assert look(account, gate).judgement is Judgement.FAIL


def ring_for_a_minute(account: Account) -> None:
    """Let an alarm ring and fall silent again."""
    account.clock.advance(60)
    account.sandbox.set_alarm("web-5xx", "ALARM", "Threshold crossed")
    account.clock.advance(60)
    account.sandbox.set_alarm("web-5xx", "OK")
    account.clock.advance(60)


def test_an_alarm_that_rang_while_nobody_looked_fails(account: Account, gate: AlarmGate) -> None:
    ring_for_a_minute(account)

    verdict = look(account, gate, looked_ago=3 * MINUTE)

    assert verdict.judgement is Judgement.FAIL
    assert verdict.reason == 'web-5xx went OK -> ALARM at 02:42:02; OK again: "Threshold crossed"'


def test_what_rang_before_the_last_look_is_history(account: Account, gate: AlarmGate) -> None:
    ring_for_a_minute(account)
    account.clock.advance(300)

    assert look(account, gate, looked_ago=2 * MINUTE).judgement is Judgement.PASS


def test_without_a_gap_in_watching_no_history_is_read(account: Account, gate: AlarmGate) -> None:
    ring_for_a_minute(account)
    account.sandbox.calls.clear()

    look(account, gate, looked_ago=MINUTE)

    assert account.operations() == ["DescribeAlarms"]


def test_composite_alarms_are_asked_for_too(account: Account, gate: AlarmGate) -> None:
    look(account, gate)

    assert account.sandbox.calls[-1].params["AlarmTypes"] == ["MetricAlarm", "CompositeAlarm"]


@pytest.mark.parametrize(
    ("state", "name", "warning"),
    [("ALARM", "alarm-already-ringing", False), ("INSUFFICIENT_DATA", "alarm-without-measurements", True)],
)
def test_an_alarm_that_is_not_ok_before_the_start_is_told(
    account: Account, gate: AlarmGate, state: Any, name: str, warning: bool
) -> None:
    account.sandbox.set_alarm("web-5xx", state)

    assert [(b.name, b.warning) for b in gate.find_blockers({}, None)] == [(name, warning)]  # type: ignore[arg-type]


def test_an_alarm_that_nobody_knows_stands_in_the_way(account: Account) -> None:
    gate = account.make(AlarmGate, Settings(alarms=("web-5xy",)))

    (blocker,) = gate.find_blockers({}, None)  # type: ignore[arg-type]

    assert (blocker.name, blocker.warning) == ("unknown-alarm", False)


def test_long_reasons_are_cut(account: Account, gate: AlarmGate) -> None:
    account.sandbox.set_alarm("web-5xx", "ALARM", "x" * 1000)

    assert len(look(account, gate).reason) < 250
