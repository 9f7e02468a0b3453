from __future__ import annotations

import json

import pytest

from phoenix.errors import TransientError
from phoenix.notifiers.eventbridge import EventBridgeNotifier, Settings
from tests.notifiers.fakes import StubbedSession, a_notice, a_scope


def test_an_event_says_whose_it_is_and_holds_all_there_is_to_match_on() -> None:
    session = StubbedSession("events")
    session.stubber.add_response("put_events", {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]})

    EventBridgeNotifier(Settings(bus="ops"), a_scope(session)).notify(a_notice())

    (event,) = session.sent[0]["Entries"]
    assert (event["Source"], event["DetailType"], event["EventBusName"]) == ("phoenix", "Rotation News", "ops")
    assert json.loads(event["Detail"]) == {
        "id": "web-2-abcd.held",
        "event": "held",
        "subject": "held",
        "text": "look",
        "facts": {"group": "web"},
    }


def test_an_event_that_the_bus_did_not_take_is_an_error_though_the_call_went_well() -> None:
    session = StubbedSession("events")
    refused = {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "InternalFailure", "ErrorMessage": "oops"}]}
    session.stubber.add_response("put_events", refused)

    with pytest.raises(TransientError, match=r"did not reach the event bus default: oops \(InternalFailure\)"):
        EventBridgeNotifier(Settings(), a_scope(session)).notify(a_notice())
