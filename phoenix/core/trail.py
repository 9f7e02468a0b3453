"""Who changed a resource: the account's own record of calls, as values, and the port to ask it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Change:
    """One call that changed the resource. `by` is the caller as the record names it, `agent` its program."""

    at: datetime
    event: str
    by: str
    agent: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Trace:
    """The answer about one resource, the newest change first. `command` asks the same by hand. `note` says why
    `changes` may be empty, or may not be all; empty otherwise."""

    resource: str
    changes: tuple[Change, ...]
    command: str
    note: str = ""


class Trail(Protocol):
    """The account's record of calls. For notices and screens only: a decision must never wait for it."""

    def who_changed(self, resource: str, since: datetime) -> Trace:
        """Who but phoenix has changed this resource (an ARN, an id or the name of an Auto Scaling group) since then.

        Never raises: without the right, or without an answer, the trace has the command to ask by hand."""
        ...
