"""Alarms: those that ring, those that say nothing, and those that rang between two looks."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from phoenix.core.model import Cause, Judgement, Observation, Slot, Verdict
from phoenix.core.story import Ask
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


def test_an_alarm_that_rang_between_two_looks_fails(account: Account, gate: AlarmGate) -> None:
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


def test_an_unknown_alarm_stands_in_the_way(account: Account) -> None:
    gate = account.make(AlarmGate, Settings(alarms=("web-5xy",)))

    (blocker,) = gate.find_blockers({}, None)  # type: ignore[arg-type]

    assert (blocker.name, blocker.warning) == ("unknown-alarm", False)


def test_long_reasons_are_cut(account: Account, gate: AlarmGate) -> None:
    account.sandbox.set_alarm("web-5xx", "ALARM", "x" * 1000)

    assert len(look(account, gate).reason) < 250


# --- one alarm for each slot ------------------------------------------------------------------------------------------

PASS, WAIT, FAIL = Judgement.PASS, Judgement.WAIT, Judgement.FAIL
BLUE, GREEN = Slot.BLUE, Slot.GREEN
ERRORS, LATENCY = "HTTPCode_Target_5XX_Count", "TargetResponseTime"
NO_DATA = "INSUFFICIENT_DATA"


def balancer(account: Account) -> str:
    """The pair's load balancer, as a dimension spells it."""
    found = account.client("elbv2").describe_target_groups(TargetGroupArns=[account.target_groups()[GREEN][0]])
    return str(found["TargetGroups"][0]["LoadBalancerArns"][0]).partition(":loadbalancer/")[2]


def put(account: Account, state: str, slot: Slot | None = GREEN, **options: str) -> None:
    """An alarm about the target group of a slot, or about none, in this state; `own` if `name` does not say else."""
    name, missing = options.get("name", "own"), options.get("missing")
    about = [{"Name": "LoadBalancer", "Value": balancer(account)}]
    if slot is not None:
        about += [{"Name": "TargetGroup", "Value": account.target_groups()[slot][0].rpartition(":")[2]}]
    account.client("cloudwatch").put_metric_alarm(
        AlarmName=name,
        Namespace="AWS/ApplicationELB",
        MetricName=options.get("metric", ERRORS),
        Dimensions=about,
        ComparisonOperator="GreaterThanThreshold",
        Threshold=25.0,
        EvaluationPeriods=3,
        Period=60,
        Statistic="Sum",
        **({"TreatMissingData": missing} if missing else {}),
    )
    account.sandbox.set_alarm(name, state, "Threshold Crossed")


def own(account: Account, weight: int, **rotation: Any) -> Verdict:
    """Ask a gate that watches `own`, in a rotation from blue to green."""
    gate = account.make(AlarmGate, Settings(alarms=("own",)))
    now = account.clock.now()
    flying = a_rotation(started_at=now - 60 * MINUTE, looked_at=now, weight=weight, **rotation)
    return gate.check(flying, Observation(at=now, slots=account.slots()))


SITUATIONS = [
    # what it is about, its state, weight of green: the verdict
    (None, "OK", 0, PASS),
    (None, "OK", 5, PASS),
    (None, NO_DATA, 0, PASS),
    (None, NO_DATA, 5, WAIT),
    (None, NO_DATA, 100, WAIT),
    (None, "ALARM", 0, WAIT),
    (None, "ALARM", 5, FAIL),
    (None, "ALARM", 100, FAIL),
    (GREEN, "OK", 0, PASS),
    (GREEN, NO_DATA, 0, PASS),
    (GREEN, NO_DATA, 5, WAIT),
    (GREEN, NO_DATA, 100, WAIT),
    (GREEN, "ALARM", 0, WAIT),
    (GREEN, "ALARM", 5, FAIL),
    (BLUE, NO_DATA, 0, WAIT),
    (BLUE, NO_DATA, 5, WAIT),
    (BLUE, NO_DATA, 100, PASS),
    (BLUE, "ALARM", 0, WAIT),
    (BLUE, "ALARM", 5, WAIT),
    (BLUE, "ALARM", 100, PASS),
]


@pytest.mark.parametrize(("about", "state", "weight", "judgement"), SITUATIONS)
def test_what_an_alarm_says_of_the_candidate_depends_on_what_it_is_about_and_on_the_traffic(
    account: Account, about: Slot | None, state: str, weight: int, judgement: Judgement
) -> None:
    put(account, state, about)

    verdict = own(account, weight)

    assert verdict.judgement is judgement
    assert (verdict.cause is Cause.ENVIRONMENT) == (judgement is WAIT)


def composite(account: Account, rule: str, state: str) -> None:
    account.client("cloudwatch").put_composite_alarm(AlarmName="any", AlarmRule=rule)
    account.sandbox.set_alarm("any", state, "a child rings")


@pytest.mark.parametrize(
    ("about", "rule", "judgement"),
    [
        (BLUE, "ALARM(own)", WAIT),
        (GREEN, 'ALARM("own")', FAIL),
        (BLUE, "ALARM(own) OR ALARM(web-5xx)", WAIT),  # web-5xx is OK
        (BLUE, "ALARM(own) OR NOT ALARM(web-5xx)", FAIL),
        (BLUE, "ALARM(arn:aws:cloudwatch:eu-west-1:123456789012:alarm:own) OR ALARM(own)", WAIT),
    ],
)
def test_a_composite_alarm_is_about_what_all_its_children_are_about(
    account: Account, about: Slot, rule: str, judgement: Judgement
) -> None:
    put(account, "ALARM", about)
    composite(account, rule, "ALARM")
    gate = account.make(AlarmGate, Settings(alarms=("any",)))
    now = account.clock.now()

    verdict = gate.check(a_rotation(looked_at=now, weight=5), Observation(at=now, slots=account.slots()))

    assert verdict.judgement is judgement


def watch_both(account: Account, rings: Slot, rule: str) -> Verdict:
    """At 100 %, ask a gate about `any`, which watches an alarm for each slot: `own` rings, `other` is OK."""
    put(account, "OK", rings.other, name="other")
    put(account, "ALARM", rings)
    composite(account, rule, "ALARM")
    gate = account.make(AlarmGate, Settings(alarms=("any",)))
    now = account.clock.now()
    return gate.check(a_rotation(looked_at=now, weight=100), Observation(at=now, slots=account.slots()))


@pytest.mark.parametrize(
    ("rings", "rule", "judgement"),
    [
        (BLUE, "ALARM(own) OR ALARM(other)", PASS),
        (GREEN, "ALARM(own) OR ALARM(other)", FAIL),
        (BLUE, "ALARM(own) AND NOT ALARM(other)", FAIL),
        (BLUE, "ALARM(own) OR ALARM(web-5xx)", PASS),
        (BLUE, "ALARM(own) OR ALARM(gone)", PASS),
        (BLUE, "ALARM(own) AND OK(other)", FAIL),
    ],
)
def test_a_composite_alarm_that_rings_is_about_what_makes_it_ring(
    account: Account, rings: Slot, rule: str, judgement: Judgement
) -> None:
    assert watch_both(account, rings, rule).judgement is judgement


def test_a_composite_alarm_that_more_than_one_slot_makes_ring_is_judged_as_before(account: Account) -> None:
    account.sandbox.set_alarm("web-5xx", "ALARM")

    assert watch_both(account, BLUE, "ALARM(own) OR ALARM(web-5xx)").judgement is FAIL


# --- passed over by name ----------------------------------------------------------------------------------------------


def ignored(account: Account, weight: int) -> Verdict:
    """It rang before the start, a minute ago, and `oncall` has passed over it."""
    at = account.clock.now()
    return own(account, weight, ignored={"alarm:own": Ask(at, "oncall", "the live image is bad")})


@pytest.mark.parametrize(("weight", "judgement"), [(0, PASS), (5, PASS), (99, PASS), (100, WAIT)])
def test_one_that_was_passed_over_is_waited_for_only_in_the_last_step(
    account: Account, weight: int, judgement: Judgement
) -> None:
    put(account, "ALARM", None)
    account.clock.advance(7200)

    verdict = ignored(account, weight)

    assert verdict.judgement is judgement
    assert "ignored by oncall" in verdict.reason


def test_one_that_was_passed_over_counts_again_once_it_has_been_ok(account: Account) -> None:
    put(account, "ALARM", None)
    account.clock.advance(7200)
    account.sandbox.set_alarm("own", "OK")
    assert ignored(account, 5).judgement is PASS
    account.clock.advance(60)
    account.sandbox.set_alarm("own", "ALARM", "again")

    assert ignored(account, 5).judgement is FAIL


def test_one_that_only_lost_its_data_for_a_while_is_still_passed_over(account: Account) -> None:
    put(account, "ALARM", None)
    account.clock.advance(7200)
    account.sandbox.set_alarm("own", NO_DATA)
    account.clock.advance(60)
    account.sandbox.set_alarm("own", "ALARM", "again")

    assert ignored(account, 5).judgement is PASS
