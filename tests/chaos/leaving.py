"""The work of an orchestrator on the model's machines: it leaves a while after it was told to, and is back at once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from phoenix.core.action import Drain, SetRole, Undrain
from phoenix.core.work import Stage, Work
from tests.chaos.parts import Machine, Place

WORK_LEAVES = timedelta(seconds=40)
"""How long it takes until the work has left a machine that takes no more."""
ANNOUNCED_WITHIN = timedelta(seconds=150)
"""How long a registry takes until clients find a machine: longer than a bake, or nothing would have to wait for it."""


def change_work(place: Place, action: Drain | Undrain, now: datetime, delay: timedelta) -> None:
    """What the orchestrator is told; it gives work again after the delay."""
    for machine in (each for each in place.machines if each.id in action.instances):
        if isinstance(action, Drain):
            machine.drained_since = machine.drained_since or now
        elif machine.drained_since is not None:
            machine.drained_since, machine.used_from = None, now + delay


def work_of(machine: Machine, now: datetime) -> Work:
    """What the orchestrator says about a machine."""
    if machine.drained_since is None:
        return Work(Stage.ACTIVE, "has 2 tasks") if machine.is_used(now) else Work(Stage.DRAINED, "is being announced")
    is_empty = now >= machine.drained_since + WORK_LEAVES
    return Work(Stage.DRAINED) if is_empty else Work(Stage.LEAVING, "has 1 task")


def is_anyone_found(places: Iterable[Place], now: datetime) -> bool | None:
    """True while clients find a machine that answers; None where none was ever to be found."""
    found = [m for place in places for m in place.machines if m.is_used(now)]
    return any(machine.answers(now) for machine in found) if found else None


def works_in(places: Iterable[Place]) -> tuple[bool, ...]:
    """True for each machine that takes work."""
    return tuple(machine.drained_since is None for place in places for machine in place.machines)


def leave_for(place: Place, action: SetRole, most: int) -> list[Machine]:
    """The machines that the action names; desired follows, and the maximum stays as it was."""
    leaving = [m for m in place.staying() if m.id in action.leaving]
    place.desired, place.max = place.desired - len(leaving), most
    return leaving
