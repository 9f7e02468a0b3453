"""Before a start: alarms that are unknown, that ring, that can never become OK, and that would ring too late."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from typing import Any

import pytest

from phoenix.core.model import Slot
from phoenix.core.terms import Step, Terms
from phoenix.gates.alarm import AlarmGate, Settings
from tests.account import Account
from tests.gates.test_alarm import BLUE, ERRORS, GREEN, LATENCY, MINUTE, NO_DATA, PASS, composite, own, put

STARTS = [
    # what it is about, its state, how it treats missing data, its metric: what is said before a start
    (None, "OK", "notBreaching", ERRORS, ()),
    (None, "OK", "missing", ERRORS, (("alarm-never-ok", True),)),
    (None, "OK", "missing", LATENCY, ()),
    (None, NO_DATA, "", ERRORS, (("alarm-never-ok", False),)),
    (None, NO_DATA, "missing", ERRORS, (("alarm-never-ok", False),)),
    (None, NO_DATA, "ignore", ERRORS, (("alarm-never-ok", False),)),
    (None, NO_DATA, "notBreaching", ERRORS, (("alarm-without-measurements", True),)),
    (None, NO_DATA, "missing", LATENCY, (("alarm-without-measurements", True),)),
    (None, "ALARM", "missing", ERRORS, (("alarm-already-ringing", False),)),
    (BLUE, NO_DATA, "missing", LATENCY, (("alarm-without-measurements", True),)),
    (GREEN, "OK", "missing", LATENCY, ()),
    (GREEN, NO_DATA, "missing", LATENCY, ()),
    (GREEN, NO_DATA, "notBreaching", ERRORS, ()),
    (GREEN, NO_DATA, "missing", ERRORS, (("alarm-never-ok", False),)),
    (GREEN, "ALARM", "breaching", LATENCY, (("alarm-already-ringing", False),)),
    (GREEN, "ALARM", "ignore", ERRORS, (("alarm-already-ringing", False),)),
]


@pytest.mark.parametrize(("about", "state", "missing", "metric", "said"), STARTS)
def test_what_stands_in_the_way_depends_on_what_the_alarm_does_without_data(
    account: Account, about: Slot | None, state: str, missing: str, metric: str, said: Any
) -> None:
    put(account, state, about, metric=metric, missing=missing)
    gate = account.make(AlarmGate, Settings(alarms=("own",)))

    assert tuple((b.name, b.warning) for b in gate.find_blockers(account.slots(), BLUE)) == said


def blocker_of(account: Account) -> Any:
    (blocker,) = account.make(AlarmGate, Settings(alarms=("own",))).find_blockers(account.slots(), BLUE)
    return blocker


@pytest.mark.parametrize(("state", "missing"), [(NO_DATA, ""), ("ALARM", "breaching")])
def test_the_command_that_is_printed_changes_how_silence_is_taken_and_nothing_else(
    account: Account, state: str, missing: str
) -> None:
    put(account, state, missing=missing)
    cloudwatch = account.client("cloudwatch")
    before = cloudwatch.describe_alarms(AlarmNames=["own"])["MetricAlarms"][0]

    words = shlex.split(blocker_of(account).remedy)
    assert words[:5] == ["aws", "cloudwatch", "put-metric-alarm", "--treat-missing-data", "notBreaching"]
    cloudwatch.put_metric_alarm(TreatMissingData=words[4], **json.loads(words[6]))

    after = cloudwatch.describe_alarms(AlarmNames=["own"])["MetricAlarms"][0]
    assert {key for key in before if before[key] != after.get(key) and "Timestamp" not in key} <= {
        "TreatMissingData", "StateValue", "StateReason", "StateReasonData"
    }  # fmt: skip
    assert after["TreatMissingData"] == "notBreaching"


def test_a_composite_alarm_that_an_idle_slot_makes_ring_is_mended_in_that_slots_alarm(account: Account) -> None:
    put(account, "OK", BLUE, missing="breaching", name="other")
    put(account, "ALARM", GREEN, missing="breaching")
    composite(account, "ALARM(own) OR ALARM(other)", "ALARM")

    (blocker,) = account.make(AlarmGate, Settings(alarms=("any",))).find_blockers(account.slots(), BLUE)

    assert "own in it takes missing data for a breach" in blocker.text
    assert blocker.remedy is not None
    assert '"AlarmName":"own"' in blocker.remedy


def test_what_the_last_generation_has_left_ringing_is_mended_by_a_command(account: Account) -> None:
    put(account, "ALARM", missing="ignore")

    words = shlex.split(blocker_of(account).remedy)
    account.client("cloudwatch").set_alarm_state(AlarmName=words[4], StateValue=words[6], StateReason=words[8])

    assert own(account, 0).judgement is PASS


@pytest.mark.parametrize(("minutes", "warned"), [(4, True), (5, True), (6, False)])
def test_a_bake_that_ends_before_the_alarm_could_ring_is_warned_of(
    account: Account, minutes: int, warned: bool
) -> None:
    steps = (Step(100, 100, 5, minutes * MINUTE), Step(100, 0, 100, None))
    account.scope = replace(account.scope, terms=Terms(steps=steps))
    gate = account.make(AlarmGate, Settings(alarms=("web-5xx",)))

    found = gate.find_blockers(account.slots(), BLUE)

    assert [(b.name, b.warning) for b in found] == [("bake-too-short", True)] * warned
    assert all(f"not longer than 5m may end before it rings. Bakes: step 1 {minutes}m." in b.text for b in found)


def test_a_composite_alarm_looks_back_as_far_as_the_farthest_of_its_children(account: Account) -> None:
    put(account, "OK", None)
    composite(account, "ALARM(own)", "OK")
    account.scope = replace(account.scope, terms=Terms(steps=(Step(100, 100, 100, 5 * MINUTE),)))
    gate = account.make(AlarmGate, Settings(alarms=("any",)))

    assert [b.name for b in gate.find_blockers(account.slots(), BLUE)] == ["bake-too-short"]


def test_an_alarm_that_rings_already_says_how_to_pass_it(account: Account) -> None:
    put(account, "ALARM", None)

    blocker = blocker_of(account)

    assert (blocker.ignorable, blocker.ignored_as) == (True, "alarm:own")
    assert blocker.remedy.split("\n")[1] == 'phoenix rotate --group web --ignore alarm:own --reason "..."'


def test_an_alarm_that_watches_what_was_replaced_is_said_to_see_nothing(account: Account) -> None:
    put(account, "OK", GREEN, missing="notBreaching")
    cloudwatch = account.client("cloudwatch")
    said = cloudwatch.describe_alarms(AlarmNames=["own"])["MetricAlarms"][0]
    gone = {"Name": "TargetGroup", "Value": "targetgroup/web-green/0123456789abcdef"}
    kept = ("AlarmName", "Namespace", "MetricName", "ComparisonOperator", "EvaluationPeriods", "Period", "Threshold")
    cloudwatch.put_metric_alarm(
        **{key: said[key] for key in kept}, Statistic="Sum", TreatMissingData="notBreaching", Dimensions=[gone]
    )
    cloudwatch.set_alarm_state(AlarmName="own", StateValue="OK", StateReason="no data")

    blocker = blocker_of(account)

    assert (blocker.name, blocker.warning) == ("alarm-elsewhere", True)
    assert f"own watches target group {gone['Value']}" in blocker.text


def test_an_alarm_of_a_load_balancer_that_is_no_more_is_said_to_see_nothing(account: Account) -> None:
    account.client("cloudwatch").put_metric_alarm(
        AlarmName="own", Namespace="AWS/ApplicationELB", MetricName="TargetResponseTime", Statistic="Average",
        ComparisonOperator="GreaterThanThreshold", EvaluationPeriods=1, Period=60, Threshold=1.0,
        Dimensions=[{"Name": "LoadBalancer", "Value": "app/web-before/0123456789abcdef"}],
    )  # fmt: skip
    account.client("cloudwatch").set_alarm_state(AlarmName="own", StateValue="OK", StateReason="as ever")

    assert blocker_of(account).name == "alarm-elsewhere"
    assert "have app/web/" in blocker_of(account).text
