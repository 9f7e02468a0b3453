"""What a composite alarm says is what its children say: also of the time between two looks."""

from __future__ import annotations

import pytest

from phoenix.core.model import Judgement, Observation, Verdict
from phoenix.gates.alarm import AlarmGate, Settings
from phoenix.gates.alarm_state import shorten
from tests.account import Account
from tests.builders import a_rotation
from tests.gates.test_alarm import BLUE, FAIL, GREEN, PASS, composite, put


def after_a_gap(account: Account, rule: str, rang: list[str], *, any_state: str = "OK", ringing: str = "") -> Verdict:
    """At 5 %, ask a gate about `any` after a quarter of an hour in which these alarms rang and fell silent again."""
    put(account, "OK", BLUE, name="old")
    put(account, "OK", GREEN, name="new")
    composite(account, rule, any_state)
    if ringing:
        account.sandbox.set_alarm(ringing, "ALARM")
    looked_at = account.clock.now()
    for state in ("ALARM", "OK"):
        account.clock.advance(300)
        for name in rang:
            account.sandbox.set_alarm(name, state, "Threshold crossed")
    account.clock.advance(300)
    gate = account.make(AlarmGate, Settings(alarms=("any",)))
    rotation = a_rotation(started_at=looked_at, looked_at=looked_at, weight=5)
    return gate.check(rotation, Observation(at=account.clock.now(), slots=account.slots()))


EITHER = "ALARM(old) OR ALARM(new)"


@pytest.mark.parametrize(
    ("rule", "rang", "judgement"),
    [
        ("ALARM(new)", ["new"], FAIL),
        (EITHER, ["new"], FAIL),
        (EITHER, ["old", "new"], FAIL),
        (EITHER, ["old"], PASS),
        (EITHER, ["old", "any"], PASS),  # it is the old generation's alarm that has made it ring
        (EITHER, ["any"], FAIL),
        (EITHER, [], PASS),
        ("ALARM(old) AND ALARM(new)", ["new"], PASS),  # one of the two does not make it ring
        ("ALARM(old) AND ALARM(new)", ["old", "new", "any"], FAIL),
        ("ALARM(new) AND NOT ALARM(old)", ["new"], PASS),
    ],
)
def test_a_child_that_rang_between_two_looks_counts_as_its_composite_alarm_would_have(
    account: Account, rule: str, rang: list[str], judgement: Judgement
) -> None:
    verdict = after_a_gap(account, rule, rang)

    assert verdict.judgement is judgement
    assert judgement is PASS or "OK again" in verdict.reason


def test_a_child_that_rang_behind_one_that_rings_all_the_time_is_not_missed(account: Account) -> None:
    verdict = after_a_gap(account, EITHER, ["new"], any_state="ALARM", ringing="old")

    assert verdict.judgement is FAIL
    assert verdict.reason.startswith("new went OK -> ALARM")


def test_children_of_children_are_heard_as_well(account: Account) -> None:
    account.client("cloudwatch").put_composite_alarm(AlarmName="inner", AlarmRule=EITHER)
    account.sandbox.set_alarm("inner", "OK")

    assert after_a_gap(account, "ALARM(inner)", ["new"]).judgement is FAIL


def test_awss_sentence_is_quoted_whole_without_how_it_counts() -> None:
    said = (
        "Threshold Crossed: 3 out of the last 3 datapoints [94.0 (18/11/26 02:57:00), 88.0 (18/11/26 02:56:00), 61.0"
        " (18/11/26 02:55:00)] were greater than the threshold (25.0)"
        " (minimum 3 datapoints for OK -> ALARM transition)."
    )

    assert shorten(said) == (
        "Threshold Crossed: 3 out of the last 3 datapoints [94.0 (18/11/26 02:57:00), 88.0, 61.0] were greater than the"
        " threshold (25.0)."
    )


def test_a_reason_that_is_too_long_ends_after_a_whole_word() -> None:
    told = shorten("evaluation " * 40)

    assert told.endswith("evaluation...")
    assert len(told) <= 240
