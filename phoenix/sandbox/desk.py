"""Where every request arrives: noted, delayed by nothing, answered by the sandbox or by moto.

One request at a time: the world behind it has no locks of its own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from threading import RLock
from typing import Any, Literal
from urllib.parse import unquote

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, BaseResponse

from phoenix.sandbox.answers import AFTER, ANSWERS
from phoenix.sandbox.journal import Entry, caller_of
from phoenix.sandbox.world import World

READS = re.compile(r"^(Describe|Get|List|BatchGet|Query|Scan|Search|Filter|Lookup|Preview|Simulate)")
CODE = re.compile(rb"<Code>([^<]+)</Code>|\"__type\":\s*\"(?:[^\"#]*#)?([^\"]+)\"")
FIRST_ERROR_STATUS = 400

Stage = Literal["before", "after"]


@dataclass(slots=True)
class Call:
    """One API call as it arrived. `error` is the AWS error code, or the name of a hook's exception."""

    at: datetime
    service: str
    operation: str
    mutating: bool
    params: Mapping[str, Any] = field(default_factory=dict)
    error: str | None = None


Hook = Callable[[Call, Stage], None]


class Desk:
    """Answers requests for one world."""

    def __init__(self, world: World) -> None:
        self.lock = RLock()
        self.calls: list[Call] = []
        self.hooks: list[Hook] = []
        self._world = world

    def dispatch(self, response: BaseResponse, request: Any, full_url: Any = None, headers: Any = None) -> Any:
        """Stand in for `BaseResponse._dispatch`, which every request of every protocol passes."""
        with self.lock:
            self._world.catch_up()
            response.setup_class(request, full_url, headers)
            call = _read(response, self._world.timeline.now)
            self.calls.append(call)
            agent, key = caller_of(response.headers)
            try:
                self._show(call, "before")
                answer = self._answer_or_lag(response, call)
                self._show(call, "after")
                self._world.faults.check_loss(call.operation)
            except BaseException as accident:
                call.error = type(accident).__name__
                raise
            finally:
                if call.mutating:
                    entry = Entry(call.at, call.service, call.operation, dict(call.params), agent, key, call.error)
                    self._world.journal.note(entry)
            return answer

    def _show(self, call: Call, stage: Stage) -> None:
        for hook in list(self.hooks):
            hook(call, stage)

    def _answer_or_lag(self, response: BaseResponse, call: Call) -> Any:
        """The true answer, or for reads that shall lag behind the one that the same question got a while ago."""
        faults, now = self._world.faults, self._world.timeline.now
        question = (call.service, call.operation, response.body or str(response.querystring))
        earlier = None if call.mutating else faults.earlier(question, now)
        if earlier is not None:
            return earlier
        answer = self._answer(response, call)
        if not call.mutating and call.error is None:
            faults.remember(question, answer, now)
        return answer

    def _answer(self, response: BaseResponse, call: Call) -> Any:
        key = (call.service, call.operation)
        try:
            self._world.faults.check_refusal(*key)
            if not call.mutating and response.automated_parameter_parsing:
                self._world.faults.cut(call.service, response.params)
            own = ANSWERS.get(key)
            result = own(self._world, dict(call.params)) if own else None
        except ServiceException as refusal:
            call.error = refusal.code
            return _finish(response, refusal)
        if result is not None:
            return _finish(response, result)
        status, headers, body = response.call_action()
        if status >= FIRST_ERROR_STATUS:
            call.error = _code_in(body)
        elif key in AFTER:
            AFTER[key](self._world)
        return status, headers, body


def _finish(response: BaseResponse, result: object) -> Any:
    status, headers, body = response.serialized(ActionResult(result))
    status = getattr(result, "status", None) or status
    headers, body = response._enrich_response(headers, body)
    return status, headers, body


def _read(response: BaseResponse, at: datetime) -> Call:
    operation = response._get_action() or "?"
    if response.automated_parameter_parsing:
        params = response.params
    elif response.boto3_service_name == "lambda":
        # Its bodies are the callers' own; what it is asked about stands in the path: /2015-03-31/functions/NAME/...
        params = {"FunctionName": unquote((response.path.split("/") + [""] * 4)[3])}
    else:
        try:
            params = json.loads(response.body) if response.body else {}
        except ValueError:
            params = {}
    mutating = not READS.match(operation) and not params.get("DryRun", False)
    return Call(at, response.boto3_service_name, operation, mutating, params)


def _code_in(body: Any) -> str:
    found = CODE.search(body if isinstance(body, bytes) else str(body).encode())
    return (found[1] or found[2]).decode() if found else "Unknown"
