"""An AWS that answers what a test has written down, for what the sandbox cannot be brought to say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from phoenix.aws.session import Aws


class ScriptedAws(Aws):
    """Answers by the method's name; an answer that is an exception is raised. Keeps what it was asked."""

    def __init__(self, **answers: Any) -> None:
        super().__init__(threads=1)
        self.answers = answers
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def call(self, service: str, method: str, **parameters: Any) -> dict[str, Any]:
        self.asked.append((method, parameters))
        answer: Any = self.answers[method]
        if isinstance(answer, Exception):
            raise answer
        return dict(answer)

    def pages(self, service: str, method: str, items: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        yield from self.call(service, method, **parameters)[items]

    @property
    def methods(self) -> list[str]:
        """Names of the methods asked for, in order."""
        return [method for method, _ in self.asked]
