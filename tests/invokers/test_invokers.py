"""Who advances groups: this program, or a function each."""

from __future__ import annotations

import io
import json
from threading import Barrier
from typing import Any

import pytest

from phoenix.aws.session import Aws
from phoenix.errors import PhoenixError
from phoenix.invokers.function import Function
from phoenix.invokers.side_by_side import SideBySide


class RecordingLambda(Aws):
    """An AWS that takes invocations, and answers with this status."""

    def __init__(self, status: int = 202) -> None:
        super().__init__(threads=1)
        self.status = status
        self.invoked: list[dict[str, Any]] = []

    def call(self, service: str, method: str, **parameters: Any) -> dict[str, Any]:
        assert (service, method) == ("lambda", "invoke")
        self.invoked.append(parameters)
        return {"StatusCode": self.status, "Payload": io.BytesIO()}


def test_each_group_is_an_invocation_without_a_wait() -> None:
    aws = RecordingLambda()

    Function("phoenix-advance:live", aws).invoke(["web", "api"], 12.34)

    assert [each["FunctionName"] for each in aws.invoked] == ["phoenix-advance:live"] * 2
    assert {each["InvocationType"] for each in aws.invoked} == {"Event"}
    assert [json.loads(each["Payload"]) for each in aws.invoked] == [
        {"group": "web", "poll_seconds": 12.3},
        {"group": "api", "poll_seconds": 12.3},
    ]


def test_an_invocation_that_was_not_taken_is_an_error() -> None:
    with pytest.raises(PhoenixError, match="was not invoked for web"):
        Function("phoenix-advance", RecordingLambda(500)).invoke(["web"], 5)


def test_one_groups_trouble_does_not_reach_another() -> None:
    seen: list[str] = []

    def advance(group: str, _: float) -> None:
        seen.append(group)
        if group == "api":
            raise RuntimeError("broken")

    SideBySide(advance, threads=1).invoke(["web", "api", "db"], 5)
    SideBySide(advance).invoke(["x", "api", "y"], 5)

    assert (seen[:3], sorted(seen[3:])) == (["web", "api", "db"], ["api", "x", "y"])


def test_groups_are_advanced_side_by_side() -> None:
    together = Barrier(3, timeout=10)

    SideBySide(lambda group, poll: together.wait()).invoke(["a", "b", "c"], 5)

    assert not together.broken
