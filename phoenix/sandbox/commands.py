"""Commands of Systems Manager on instances: they take their time, and may fail."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from phoenix.sandbox.physics import Physics

if TYPE_CHECKING:
    from phoenix.sandbox.timeline import Timeline


@dataclass(slots=True)
class Invocation:
    """One command on one instance."""

    command_id: str
    instance_id: str
    document: str
    comment: str
    at: datetime
    status: str = "InProgress"


@dataclass(slots=True)
class Commands:
    """Everything that was run. `documents` are known besides AWS's own; `failing` ones end with Failed."""

    timeline: Timeline
    physics: Physics
    documents: set[str] = field(default_factory=set)
    failing: set[str] = field(default_factory=set)
    unmanaged: set[str] = field(default_factory=set)
    """Instances whose agent does not answer."""
    outputs: dict[str, str] = field(default_factory=dict)
    """The words that a document prints; none prints nothing."""
    invocations: list[Invocation] = field(default_factory=list)

    def knows(self, document: str) -> bool:
        """True for a document of the account, or one of AWS's."""
        return document in self.documents or document.startswith("AWS-")

    def run(self, invocation: Invocation) -> None:
        """Begin it; it ends by itself."""
        self.invocations.append(invocation)
        self.timeline.after(self.physics.command_runs, lambda: self._end(invocation))

    def _end(self, invocation: Invocation) -> None:
        invocation.status = "Failed" if invocation.document in self.failing else "Success"
