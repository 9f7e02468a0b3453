"""Advance each group in a Lambda invocation of its own, without waiting for how it ends.

Must never send more than names: the invocation decides by itself, from its own observation.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from typing import ClassVar, Final

from phoenix.aws.rights import ROTATE, Names, Right, Rights, arn
from phoenix.aws.session import Aws
from phoenix.errors import PhoenixError

ACCEPTED: Final = 202


class Function:
    """`name` is a function's name or ARN, with its alias where it has one."""

    IAM_ACTIONS: ClassVar[Rights] = frozenset(
        {Right("lambda:InvokeFunction", "WakeWorkers", ROTATE, ("${function_arn}",))}
    )

    def __init__(self, name: str, aws: Aws) -> None:
        self._name, self._aws = name, aws

    @staticmethod
    def iam_names(name: str) -> Names:
        """The function to invoke."""
        return {"function_arn": (name if name.startswith("arn:") else arn("lambda", f"function:{name}"),)}

    def invoke(self, groups: Sequence[str], poll_seconds: float) -> None:
        """Make one `Event` invocation per group; AWS retries a failed one, then puts it into the dead-letter queue."""
        self._aws.side_by_side([partial(self._one, group, poll_seconds) for group in groups])

    def _one(self, group: str, poll_seconds: float) -> None:
        payload = json.dumps({"group": group, "poll_seconds": round(poll_seconds, 1)})
        answer = self._aws.call(
            "lambda", "invoke", FunctionName=self._name, InvocationType="Event", Payload=payload.encode()
        )
        if answer["StatusCode"] != ACCEPTED:
            raise PhoenixError(f"{self._name} was not invoked for {group}: status {answer['StatusCode']}")
