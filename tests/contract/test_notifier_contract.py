"""What every notifier promises, held against all of them, with other sides that take nothing."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from phoenix.errors import TransientError
from phoenix.keys import Kind
from phoenix.notifiers import KINDS
from phoenix.ports import Notifier
from tests.notifiers.fakes import StubbedSession, a_notice, a_scope

REQUIRED: Mapping[str, Mapping[str, str]] = {"sns": {"topic": "arn:aws:sns:eu-west-1:123456789012:news"}}
SERVICES = {"sns": "sns", "eventbridge": "events"}
OPERATIONS = {"sns": "publish", "eventbridge": "put_events"}


def a_notifier(kind: str, session: object = None) -> Notifier:
    adapter = KINDS[kind]
    keys: Kind = adapter.settings.model_validate({"kind": kind, **REQUIRED.get(kind, {})})
    return adapter(keys, a_scope(session))  # type: ignore[arg-type] # the table pairs them


@pytest.mark.parametrize("kind", KINDS)
def test_making_a_notifier_makes_no_call(kind: str) -> None:
    a_notifier(kind, session=None)


@pytest.mark.parametrize("kind", KINDS)
def test_two_of_them_are_told_apart_by_name_in_every_process(kind: str) -> None:
    assert a_notifier(kind).name == a_notifier(kind).name
    assert a_notifier(kind).name.split(" ")[0] == kind


@pytest.mark.parametrize("kind", KINDS)
def test_each_right_is_spelled_as_iam_does(kind: str) -> None:
    assert all(":" in right.action for right in KINDS[kind].IAM_ACTIONS)


@pytest.mark.parametrize("kind", SERVICES)
@pytest.mark.parametrize(("code", "status"), [("AuthorizationError", 403), ("NotFound", 404), ("Throttling", 400)])
def test_whatever_aws_refuses_passes_and_holds_nothing(kind: str, code: str, status: int) -> None:
    session = StubbedSession(SERVICES[kind])
    session.stubber.add_client_error(OPERATIONS[kind], code, "no", status)

    with pytest.raises(TransientError, match="news did not reach"):
        a_notifier(kind, session).notify(a_notice())


def test_a_webhook_that_is_not_set_passes_and_holds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PHOENIX_SLACK_WEBHOOK", raising=False)

    with pytest.raises(TransientError, match="PHOENIX_SLACK_WEBHOOK: the variable is not set"):
        a_notifier("slack").notify(a_notice())
