"""One group with everything that serves it, as the composition root puts it together. Values and ports only."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from phoenix.core.drill import DrillTerms
from phoenix.core.many.limits import Rules
from phoenix.core.model import Slot
from phoenix.core.planned_call import PlannedCall
from phoenix.core.terms import Terms
from phoenix.core.trail import Trail
from phoenix.core.trigger import RotateWhen
from phoenix.core.window import Calendar
from phoenix.engine.asking import Asking
from phoenix.orchestrator import Orchestrator
from phoenix.ports import Clock, Fleet, Gate, ImageSource, Notifier, Router, Store, Tracer


def _no_place(_: str) -> str | None:
    return None


@dataclass(frozen=True, slots=True)
class About:
    """Facts about a group for the screens; none of them changes a decision."""

    account: str | None = None
    region: str | None = None
    owner: str | None = None
    runbook: str | None = None
    description: str | None = None
    policy_file: str | None = None
    place_of: Callable[[str], str | None] = field(default=_no_place, compare=False, repr=False)
    """The place of a value in the policy file: `policies/web.yaml:5:23`; None for one that it does not have."""


@dataclass(frozen=True, kw_only=True)
class Desk:
    """The driver of a group, its store and its notifiers. Knows no AWS.

    `driver` says who we are in leases and records (`host/pid`), `by` who the person or schedule is. `rules` hold for
    every group.
    """

    name: str
    store: Store
    clock: Clock
    tracer: Tracer
    driver: str
    by: str
    rules: Rules = field(default_factory=Rules)
    notifiers: Iterable[Notifier] = ()
    about: About = field(default_factory=About)
    lease_seconds: int = 60
    poll_seconds: float = 5.0


class Rehearsal(Protocol):
    """A copy of the group in AWS, to rehearse a rotation on. Only reads reach AWS."""

    @property
    def fleet(self) -> Fleet:
        """The group's own kind of fleet, over the copy."""
        ...

    @property
    def router(self) -> Router:
        """The group's own kind of router, over the copy."""
        ...

    @property
    def clock(self) -> Clock:
        """The time of the copy: it passes when it is told to sleep."""
        ...

    @property
    def tracer(self) -> Tracer:
        """One that reports nothing."""
        ...

    @property
    def calls(self) -> Sequence[PlannedCall]:
        """What AWS would have been told so far."""
        ...

    def next_event(self) -> datetime | None:
        """When something happens by itself; None while nothing is on its way."""
        ...


OpenRehearsal = Callable[[datetime, timedelta], Rehearsal]
"""Copies the group as it is now. Given the time, and how long a launch takes until its instance is healthy."""


@dataclass(frozen=True, kw_only=True)
class Ports:
    """The group in AWS, and all that may be asked of it or done to it. `asking` is one for all groups of a program.
    `trail` None: the account's record of calls is not asked. `orchestrators` are what instances pass before they
    leave, in order; `registries` are those in which clients find them. `open_rehearsal` None: nothing that is planned
    can be rehearsed."""

    slots: Mapping[Slot, str]
    fleet: Fleet
    router: Router
    gates: tuple[Gate, ...]
    images: ImageSource | None
    asking: Asking = field(default_factory=Asking)
    open_rehearsal: OpenRehearsal | None = None
    trail: Trail | None = None
    orchestrators: Iterable[Orchestrator] = ()
    registries: Iterable[Orchestrator] = ()


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """The owner's wishes. `policy` is the policy as JSON, for the record; empty when the group was found by its tags
    alone. `awaited` are the Auto Scaling groups that the policy names instead of `slots`, in which something has to be
    finished first. `ignored_drift` are the kinds of drift that the owner does not want to hear of.
    `drill` None: no instance may be ended on purpose.
    """

    terms: Terms
    rotate_when: RotateWhen = field(default_factory=RotateWhen)
    ignored_drift: tuple[str, ...] = ()
    calendar: Calendar = field(default_factory=Calendar)
    policy: str = ""
    awaited: tuple[str, ...] = ()
    drill: DrillTerms | None = None


@dataclass(frozen=True, kw_only=True)
class Group(Desk, Ports, Wishes):
    """A wired group: a desk, ports and wishes. A function takes the part that it may touch, and the types hold it
    to that. Without slots: Python allows them in one of several bases only.
    """
