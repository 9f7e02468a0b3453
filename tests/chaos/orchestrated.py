"""One Auto Scaling group whose instances an orchestrator gives work: it leaves a while after it was told to.

Held against what `before_leaving` promises: no call of phoenix takes an instance that serves with work on it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from phoenix.core.action import Action, Drain, Undrain
from phoenix.core.leaving import to_ask
from phoenix.core.model import Observation
from phoenix.core.record import GroupRecord
from phoenix.core.work import Stage, Work
from phoenix.fleets.in_place_calls import Call
from tests.chaos.leaving import WORK_LEAVES
from tests.one_group import OneGroup


class Orchestrated(OneGroup):
    """`drained_since` has the instances that take no work, and since when."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.drained_since: dict[str, datetime] = {}
        self.cut_off: list[str] = []
        """Instances that phoenix took with work on them."""
        self.told = 0

    def look(self, record: GroupRecord) -> Observation:
        """With what the orchestrator says about those whose work matters now."""
        seen = super().look(record)
        return replace(seen, works={instance: (self._work(instance),) for instance in to_ask(record, seen)})

    def apply(self, action: Action) -> None:
        """The orchestrator is told, or the fleet acts."""
        if not isinstance(action, Drain | Undrain):
            super().apply(action)
            return
        self.told += 1
        self.actions.append(action)
        for instance in action.instances:
            if isinstance(action, Undrain):
                self.drained_since.pop(instance, None)
            else:
                self.drained_since.setdefault(instance, self.now)

    def make(self, call: Call) -> None:
        """One call to AWS, after which none may be gone that had work."""
        at_work = self._at_work()
        super().make(call)
        self.cut_off += sorted(at_work - self._in_service())

    def idle(self) -> Collection[str]:
        """Instances that serve, and are given no work."""
        return self._in_service() & {*self.drained_since}

    def _at_work(self) -> set[str]:
        return {each for each in self._in_service() if not self._work(each).stage.has_none}

    def _in_service(self) -> set[str]:
        return {server.id for server in self.servers if self.words(server) == "InService" and not server.dead}

    def _work(self, instance: str) -> Work:
        since = self.drained_since.get(instance)
        if since is None:
            return Work(Stage.ACTIVE, "has 2 tasks")
        return Work(Stage.DRAINED) if self.now >= since + WORK_LEAVES else Work(Stage.LEAVING, "has 1 task")
