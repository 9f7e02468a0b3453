"""What every notifier promises, held against all of them, with other sides that take nothing."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from phoenix.errors import TransientError
from phoenix.keys import Kind
from phoenix.notifiers import KINDS
from phoenix.ports import Notifier
from tests.notifiers.fakes import StubbedSession, a_scope

REQUIRED: Mapping[str, Mapping[str, str]] = {"sns": {"topic": "arn:aws:sns:eu-west-1:123456789012:news"}}
SERVICES = {"sns": "sns", "eventbridge": "events"}
OPERATIONS = {"sns": "publish", "eventbridge": "put_events"}


def a_notifier(kind: str, session: object = None) -> Notifier:
    adapter = KINDS[kind]
    keys: Kind = adapter.settings.model_validate({"kind": kind, **REQUIRED.get(kind, {})})
    return adapter(keys, a_scope(session))  # type: ignore[arg-type] # the table pairs them


@pytest.mark.parametrize("kind", KINDS)
def test_making_a_notifier_asks_nobody(kind: str) -> None:
    a_notifier(kind, session=None)


@pytest.mark.parametrize("kind", KINDS)
def test_each_right_is_spelled_as_iam_does(kind: str) -> None:
    assert all(":" in action for action in KINDS[kind].IAM_ACTIONS)


@pytest.mark.parametrize("kind", SERVICES)
@pytest.mark.parametrize(("code", "status"), [("AuthorizationError", 403), ("NotFound", 404), ("Throttling", 400)])
def test_whatever_aws_refuses_passes_and_holds_nothing(kind: str, code: str, status: int) -> None:
    session = StubbedSession(SERVICES[kind])
    session.stubber.add_client_error(OPERATIONS[kind], code, "no", status)

    with pytest.raises(TransientError, match="news did not reach"):
        a_notifier(kind, session).notify("held", "a person must look", {"group": "web"})


def test_a_webhook_that_nobody_has_set_passes_and_holds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PHOENIX_SLACK_WEBHOOK", raising=False)

    with pytest.raises(TransientError, match="PHOENIX_SLACK_WEBHOOK: the variable is not set"):
        a_notifier("slack").notify("held", "a person must look", {"group": "web"})
