"""Lifecycle hooks: a member waits before it is in service, or before it ends, until each hook is answered or timed out.

Must never launch or end an instance: `scaling` acts on the answers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from moto.moto_api._internal import mock_random

from phoenix.sandbox.groups import Group

if TYPE_CHECKING:
    from phoenix.sandbox.timeline import Timeline

ON_LAUNCH: Final = "autoscaling:EC2_INSTANCE_LAUNCHING"
ON_TERMINATION: Final = "autoscaling:EC2_INSTANCE_TERMINATING"
MOST: Final = timedelta(hours=48)
"""However often a heartbeat is recorded, no wait lasts longer than this, or than a hundred heartbeats.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/lifecycle-hooks.html"""
MOST_HEARTBEATS: Final = 100
OF_A_DRIVER: Final = "phoenix"
"""Beginning of the names of hooks that a driver answers; all other launch hooks are answered by the image's own
start-up. Termination hooks are answered through the API or not at all."""


@dataclass(frozen=True, slots=True)
class Hook:
    """A lifecycle hook as far as waits know it."""

    name: str
    lifecycle_transition: str
    heartbeat_timeout: int
    default_result: str

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Hook:
        """From what the API was told."""
        transition, timeout = str(told["LifecycleTransition"]), int(told["HeartbeatTimeout"])
        return cls(str(told["LifecycleHookName"]), transition, timeout, str(told["DefaultResult"]))


@dataclass(slots=True)
class Wait:
    """One hook that has not been answered for one instance."""

    hook: Hook
    instance_id: str
    token: str
    since: datetime
    until: datetime


class Hooks:
    """All waits. `on_answer(wait, abandoned, why)` is told of each that ends; `why` is AWS's word for it."""

    def __init__(self, timeline: Timeline) -> None:
        self.on_answer: Callable[[Wait, bool, str], None]
        self._timeline = timeline
        self._waits: list[Wait] = []

    def begin(self, group: Group, instance_id: str, transition: str) -> bool:
        """Let the instance wait for each of its group's hooks on that transition; False when there is none."""
        hooks = [Hook.of(each) for each in group.hooks.values()]
        found = [hook for hook in hooks if hook.lifecycle_transition == transition]
        for hook in found:
            now = self._timeline.now
            beat = timedelta(seconds=hook.heartbeat_timeout)
            wait = Wait(hook, instance_id, str(mock_random.uuid4()), now, now + beat)
            self._waits.append(wait)
            self._timeline.at(wait.until, lambda wait=wait: self._time_out(wait))  # type: ignore[misc]
        return bool(found)

    def of(self, instance_id: str) -> list[Wait]:
        """Return the hooks that the instance still waits for."""
        return [wait for wait in self._waits if wait.instance_id == instance_id]

    def find(self, name: str, *, instance_id: str | None, token: str | None) -> Wait | None:
        """The wait that a caller means; None when there is none, or none any more."""
        return next(
            (
                w
                for w in self._waits
                if w.hook.name == name and (w.token == token if token else w.instance_id == instance_id)
            ),
            None,
        )

    def answer(self, wait: Wait, result: str) -> None:
        """CONTINUE, or ABANDON."""
        self._end(wait, abandoned=result == "ABANDON", why=f"Completed with {result} Result")

    def beat(self, wait: Wait) -> None:
        """Begin the time of this wait anew, up to a wait's longest time."""
        length = timedelta(seconds=wait.hook.heartbeat_timeout)
        wait.until = min(self._timeline.now + length, wait.since + min(MOST, length * MOST_HEARTBEATS))
        self._timeline.at(wait.until, lambda: self._time_out(wait))

    def forget(self, instance_id: str) -> None:
        """The instance is leaving: end its waits."""
        self._waits = [wait for wait in self._waits if wait.instance_id != instance_id]

    def _time_out(self, wait: Wait) -> None:
        if wait in self._waits and self._timeline.now >= wait.until:
            self._end(wait, abandoned=wait.hook.default_result == "ABANDON", why="Heartbeat Timeout")

    def _end(self, wait: Wait, *, abandoned: bool, why: str) -> None:
        self._waits.remove(wait)
        self.on_answer(wait, abandoned, why)
