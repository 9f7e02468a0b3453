"""News as events on an EventBridge bus.

Must never make a rotation fail: a bus that does not answer is only logged.
"""

from __future__ import annotations

import json
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from phoenix.aws.rights import WRITERS, Condition, Names, Right, Rights, arn
from phoenix.aws.scope import Scope
from phoenix.core.notice import Notice
from phoenix.errors import TransientError
from phoenix.keys import Kind, Matching
from phoenix.notifiers.sending import sending_to

SOURCE = "phoenix"
DETAIL_TYPE = "Rotation News"
_AS_PHOENIX = Condition("StringEquals", "events:source", (SOURCE,))

_BUS = r"(arn:[a-z0-9-]+:events:[a-z0-9-]+:[0-9]{12}:event-bus/)?[\w./-]{1,256}"


class Settings(Kind):
    """The keys of `{kind: eventbridge}`."""

    kind: Literal["eventbridge"] = "eventbridge"
    bus: Annotated[str, Matching(_BUS, "the name or the ARN of an event bus")] = Field(
        default="default", description="Name or ARN of the event bus."
    )


class EventBridgeNotifier:
    """News as events with source `phoenix`; `detail` holds `id`, `event`, `subject`, `text` and `facts`, by which rules
    match, and by which targets tell repetitions."""

    settings = Settings
    IAM_ACTIONS: ClassVar[Rights] = frozenset(
        {Right("events:PutEvents", "PutNews", WRITERS, ("${bus_arn}",), (_AS_PHOENIX,))}
    )

    def __init__(self, settings: Settings, scope: Scope) -> None:
        self._bus, self._aws = settings.bus, scope.aws
        self.name = f"eventbridge {settings.bus}"

    @staticmethod
    def iam_names(settings: Settings) -> Names:
        """The bus that it puts events on."""
        bus = settings.bus
        return {"bus_arn": (bus if bus.startswith("arn:") else arn("events", f"event-bus/{bus}"),)}

    def notify(self, notice: Notice) -> None:
        """Put one event on the bus.

        Raises:
            TransientError: the bus did not take it.
        """
        detail = {"id": notice.id, "event": notice.event, "subject": notice.subject, "text": notice.text}
        event = {
            "Source": SOURCE,
            "DetailType": DETAIL_TYPE,
            "EventBusName": self._bus,
            "Time": notice.at,
            "Detail": json.dumps({**detail, "facts": dict(notice.facts)}),
        }
        with sending_to(f"the event bus {self._bus}"):
            answer = self._aws.call("events", "put_events", Entries=[event])
            if answer.get("FailedEntryCount"):  # the call itself succeeds all the same
                (entry,) = answer["Entries"]
                raise TransientError(f"{entry.get('ErrorMessage')} ({entry.get('ErrorCode')})")
