"""The calls of a plan, as they would be made.

Must never shorten a parameter: these lines are compared with what CloudTrail shows afterwards.
"""

from __future__ import annotations

import json
import textwrap
from datetime import UTC

from phoenix.core.explain import counted
from phoenix.core.planned_call import NEW_INSTANCE, UNKNOWN_ID
from phoenix.engine.report import Plan
from phoenix.views import text

_INDENT = " " * 13


def render(plan: Plan, width: int = text.WIDTH) -> list[str]:
    """Return a paragraph for each call: when, which, and its parameters as JSON."""
    if plan.calls is None:
        return ["The calls are not known: the rotation could not be rehearsed."]
    if not plan.calls:
        return ["No calls: nothing is due."]
    told = [f"{counted(len(plan.calls), 'call')} would change AWS, at these times at the earliest:"]
    for number, call in enumerate(plan.calls, start=1):
        told += ["", f"{number:>4}  {call.at.astimezone(UTC):%H:%M}  {call.service} {call.operation}"]
        written = text.clean(json.dumps(call.parameters, default=str))
        told += textwrap.wrap(
            written, width - 1, initial_indent=_INDENT, subsequent_indent=_INDENT, break_long_words=False,
            break_on_hyphens=False,
        )  # fmt: skip
    return [*told, *_placeholders(plan)]


def _placeholders(plan: Plan) -> list[str]:
    written = json.dumps([call.parameters for call in plan.calls or ()], default=str)
    told = (
        [f"{UNKNOWN_ID} stands for letters that are drawn when the rotation starts."] if UNKNOWN_ID in written else []
    )
    more = f"{NEW_INSTANCE}1, {NEW_INSTANCE}2, ... are instances that are not launched yet."
    told += [more] if NEW_INSTANCE in written else []
    return ["", *told] if told else []
