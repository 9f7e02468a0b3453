"""The work of an orchestrator on the model's machines: it leaves a while after it was told to, and is back at once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from phoenix.core.action import Drain, SetRole, Undrain
from phoenix.core.work import Stage, Work
from tests.chaos.parts import Machine, Place

WORK_LEAVES = timedelta(seconds=40)
"""How long it takes until the work has left a machine that takes no more."""


def change_work(place: Place, action: Drain | Undrain, now: datetime) -> None:
    """What the orchestrator is told."""
    for machine in place.machines:
        if machine.id in action.instances:
            machine.drained_since = (machine.drained_since or now) if isinstance(action, Drain) else None


def work_of(machine: Machine, now: datetime) -> Work:
    """What the orchestrator says about a machine."""
    if machine.drained_since is None:
        return Work(Stage.ACTIVE, "has 2 tasks")
    is_empty = now >= machine.drained_since + WORK_LEAVES
    return Work(Stage.DRAINED) if is_empty else Work(Stage.LEAVING, "has 1 task")


def is_anyone_found(places: Iterable[Place], now: datetime) -> bool | None:
    """True while clients find a machine that answers; None where none was ever to be found."""
    found = [m for place in places for m in place.machines if m.drained_since is None]
    return any(machine.answers(now) for machine in found) if found else None


def works_in(places: Iterable[Place]) -> tuple[bool, ...]:
    """True for each machine that takes work."""
    return tuple(machine.drained_since is None for place in places for machine in place.machines)


def leave_for(place: Place, action: SetRole, most: int) -> list[Machine]:
    """The machines that the action names; desired follows, and the maximum stays as it was."""
    leaving = [m for m in place.staying() if m.id in action.leaving]
    place.desired, place.max = place.desired - len(leaving), most
    return leaving
