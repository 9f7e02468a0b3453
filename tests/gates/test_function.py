"""A function is invoked with the question, and answers with a verdict; its errors are not the image's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from phoenix.core.model import Cause, Judgement, Observation, Slot, TargetState, Verdict
from phoenix.errors import NotFound
from phoenix.gates.function import LambdaGate, Settings
from phoenix.sandbox.functions import Code, add_function
from tests.account import Account
from tests.builders import a_generation, a_rotation

BLUE, GREEN = Slot.BLUE, Slot.GREEN
PASS, WAIT, FAIL = Judgement.PASS, Judgement.WAIT, Judgement.FAIL


def a_gate(account: Account, code: Code | None = None, **changes: Any) -> LambdaGate:
    if code is not None:
        add_function(account.sandbox.session, "acceptance", code)
    return account.make(LambdaGate, Settings(**({"function": "acceptance"} | changes)))


def look(account: Account, gate: LambdaGate) -> Verdict:
    blue = account.slots()[BLUE]
    healthy = tuple(replace(each, target=TargetState.HEALTHY) for each in blue.instances)
    seen = Observation(at=account.clock.now(), slots={BLUE: blue, GREEN: replace(blue, slot=GREEN, instances=healthy)})
    return gate.check(a_rotation(new=a_generation(42, template_version="1")), seen)


def test_it_gets_the_question_and_its_answer_is_the_verdict(account: Account) -> None:
    events: list[dict[str, Any]] = []

    def code(event: dict[str, Any]) -> object:
        events.append(event)
        return {"verdict": "PASS", "reason": "9 of 9"}

    verdict = look(account, a_gate(account, code))

    assert (verdict.judgement, verdict.reason.split(" (")[0]) == (PASS, "9 of 9")
    assert events[0]["candidate"]["generation"] == 42
    assert len(events[0]["live"]["instances"]) == 4


@pytest.mark.parametrize(
    ("answer", "judgement", "cause"),
    [
        ({"verdict": "WAIT", "reason": "runs"}, WAIT, Cause.ENVIRONMENT),
        ({"verdict": "FAIL", "reason": "checkout"}, FAIL, Cause.IMAGE),
        ({"statusCode": 200}, FAIL, Cause.ENVIRONMENT),
        (None, FAIL, Cause.ENVIRONMENT),
    ],
)
def test_an_answer_of_another_form_is_no_pass(
    account: Account, answer: object, judgement: Judgement, cause: Cause
) -> None:
    verdict = look(account, a_gate(account, lambda event: answer))

    assert (verdict.judgement, verdict.cause) == (judgement, cause)


def test_its_own_error_is_shown_and_the_image_is_not_blamed(account: Account) -> None:
    def code(event: dict[str, Any]) -> object:
        raise KeyError("TOKEN")

    verdict = look(account, a_gate(account, code))

    assert (verdict.judgement, verdict.cause) == (FAIL, Cause.ENVIRONMENT)
    assert "KeyError" in verdict.reason


def test_one_that_does_not_exist_stops_the_start_in_awss_words(account: Account) -> None:
    (blocker,) = a_gate(account).find_blockers({}, BLUE)

    assert blocker.name == "function-not-found"
    assert "Function not found: arn:aws:lambda:eu-west-1:123456789012:function:acceptance" in blocker.text


def test_one_that_is_deleted_meanwhile_holds_the_rotation_in_awss_words(account: Account) -> None:
    with pytest.raises(NotFound, match="Function not found"):
        look(account, a_gate(account))


def test_looking_for_blockers_does_not_invoke_it(account: Account) -> None:
    gate = a_gate(account, lambda event: {"verdict": "PASS"})
    account.sandbox.calls.clear()

    assert gate.find_blockers({}, BLUE) == []
    assert account.operations() == ["GetFunctionConfiguration"]


@pytest.mark.parametrize("function", ["", "a b", "arn:aws:s3:::x", "x" * 65])
def test_a_name_is_one_that_lambda_takes(function: str) -> None:
    with pytest.raises(ValidationError):
        Settings(function=function)


def test_the_right_to_invoke_is_for_this_function_only() -> None:
    arn = "arn:aws:lambda:eu-west-1:123456789012:function:acceptance:live"

    assert LambdaGate.iam_names(Settings(function=arn)) == {"gate_function_arn": (arn,)}
