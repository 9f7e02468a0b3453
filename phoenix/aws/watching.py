"""Tell an observer of every call of a client: its name, its time, and how often AWS asked to slow down.

Must never load botocore, nor keep parameters or answers: they may hold secrets.
"""

from __future__ import annotations

import time
from typing import Any, Final

from phoenix.aws.errors import is_throttle
from phoenix.calls import note_call
from phoenix.core.call import AwsCall, CallObserver

_OURS: Final = "phoenix"
"""The key of our notes in botocore's context of a call."""


class NullObserver:
    """An observer that ignores every call, and has no rotation."""

    listens = False

    def rotation(self) -> str:
        """Return an empty id: there is no rotation in work."""
        return ""

    def called(self, call: AwsCall) -> None:
        """Nothing to tell."""


def watch(client: Any, service: str, observer: CallObserver) -> None:
    """Watch the client from now on, if the observer wants calls."""
    if observer.listens:
        _Watch(service, observer).follow(client)


def note_calls(client: Any, service: str) -> None:
    """Note the client's calls from now on for the blocks that they are made in."""

    def end(model: Any, parsed: dict[str, Any], **_: object) -> None:
        note_call(f"{service}:{model.name}", str(parsed.get("Error", {}).get("Code", "")))

    def fail(event_name: str, exception: Exception, **_: object) -> None:
        note_call(f"{service}:{event_name.rpartition('.')[2]}", type(exception).__name__)

    client.meta.events.register("after-call", end)
    client.meta.events.register("after-call-error", fail)


class _Watch:
    """Notes on one call. They are kept in the call's own context, because threads share a client."""

    def __init__(self, service: str, observer: CallObserver) -> None:
        self._service, self._observer = service, observer

    def follow(self, client: Any) -> None:
        name = client.meta.service_model.service_id.hyphenize()
        events = client.meta.events
        events.register(f"before-call.{name}", self._begin)
        events.register(f"response-received.{name}", self._hear)
        events.register(f"after-call.{name}", self._end)
        events.register(f"after-call-error.{name}", self._fail)

    def _begin(self, model: Any, context: dict[str, Any], **_: object) -> None:
        context[_OURS] = {"operation": model.name, "began": time.time_ns(), "throttles": 0}

    def _hear(self, context: dict[str, Any], parsed_response: Any = None, **_: object) -> None:
        """Note one try; botocore may make several before the call ends."""
        notes = context.get(_OURS)
        if notes is not None and parsed_response is not None and is_throttle(parsed_response):
            notes["throttles"] += 1

    def _end(self, context: dict[str, Any], parsed: dict[str, Any], **_: object) -> None:
        self._tell(context, str(parsed.get("Error", {}).get("Code", "")))

    def _fail(self, context: dict[str, Any], exception: Exception, **_: object) -> None:
        self._tell(context, type(exception).__name__)

    def _tell(self, context: dict[str, Any], error: str) -> None:
        notes = context.pop(_OURS, None)
        if notes is not None:
            call = AwsCall(self._service, notes["operation"], notes["began"], time.time_ns(), notes["throttles"], error)
            self._observer.called(call)
