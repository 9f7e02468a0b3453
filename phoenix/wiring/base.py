"""The base of every group: settings, clock, AWS, a tracer; and groups that can be brought back, but not go forward.

Must import neither the policy nor pydantic, nor adapters that only go forward: until all of it is loaded, a rollback
moves no traffic (docs/decisions/0007).
"""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from phoenix import fleets, routers
from phoenix.aws.scope import Scope
from phoenix.aws.session import Access, Aws
from phoenix.core.fence import patience_under
from phoenix.core.planned_call import PlannedCall
from phoenix.core.serving import Serving
from phoenix.core.terms import Step, Terms
from phoenix.engine.asking import Asking
from phoenix.engine.clock import WallClock
from phoenix.engine.group import About, Group, Rehearsal
from phoenix.ports import Clock, Fleet, Router, Store, Tracer
from phoenix.settings import Settings
from phoenix.stores.owner import this_driver
from phoenix.telemetry.spans import NoTracer, open_tracer


@dataclass(frozen=True, slots=True)
class Overrides:
    """A driver's choices besides the settings. None: as found.

    `profile` and `region` come before what policies say. `aws` serves all groups, whatever their policies say of
    accounts and roles: the sandbox's. `driver` is who holds leases, `by` who asks.
    """

    profile: str | None = None
    region: str | None = None
    clock: Clock | None = None
    aws: Aws | None = None
    driver: str | None = None
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Kinds:
    """The kinds of a group's fleet and router, as a policy names them."""

    fleet: str
    router: str


def plain_terms(fleet: str, *, is_routed: bool) -> Terms:
    """The terms of a group whose policy cannot be had: everything at once."""
    reserve = fleets.KINDS[fleet].RESERVE
    serving = Serving.of(weights=is_routed and not reserve, health=is_routed, reserve=reserve)
    return Terms(steps=(Step(new_capacity=100, old_capacity=0, new_weight=100),), serving=serving, holds=reserve)


class Base:
    """Made once for a program, and shared by all its groups."""

    def __init__(self, settings: Settings, overrides: Overrides) -> None:
        self.settings = settings
        self.overrides = overrides
        self.clock = overrides.clock or WallClock()
        self.driver = overrides.driver or this_driver()
        self.tracer = open_tracer()
        self._connect = patience_under(timedelta(seconds=settings.lease_seconds)).connect
        self.asking = Asking()
        self._aws: dict[Access, Aws] = {}

    def aws(self, wanted: Access) -> Aws:
        """AWS as wanted, unless an override says otherwise; one client a service for all who want the same."""
        if self.overrides.aws is not None:
            return self.overrides.aws
        access = Access(
            region=self.overrides.region or wanted.region,
            profile=self.overrides.profile,
            role_arn=wanted.role_arn,
            external_id=wanted.external_id,
            account=wanted.account,
        )
        return self._aws.setdefault(access, Aws(access, observer=self.tracer, connect=self._connect))

    def aws_of_store(self, region: str | None) -> Aws:
        """AWS for the store, as ourselves. A Region in its URL comes before --region, which is about groups."""
        if region is None or self.overrides.aws is not None:
            return self.aws(Access())
        access = Access(region=region, profile=self.overrides.profile)
        return self._aws.setdefault(access, Aws(access, observer=self.tracer, connect=self._connect))

    def requests(self) -> int:
        """The number of requests sent to AWS so far, by everybody here."""
        everybody = [*self._aws.values(), *([self.overrides.aws] if self.overrides.aws is not None else [])]
        return sum(aws.requests for aws in everybody)

    def region(self, wanted: str | None) -> str | None:
        """The region for screens; None where only a profile knows it, which is not worth loading botocore for."""
        found = self.overrides.region or wanted
        return found or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")

    def bare_group(self, scope: Scope, kinds: Kinds, store: Store) -> Group:
        """A group that can be brought back, but has nothing to go forward with."""
        return Group(
            name=scope.group,
            terms=scope.terms,
            slots=scope.slots,
            fleet=fleets.KINDS[kinds.fleet](scope),
            router=routers.KINDS[kinds.router](scope),
            gates=(),
            images=None,
            store=store,
            clock=self.clock,
            tracer=self.tracer,
            driver=self.driver,
            by=self.overrides.by or _person(),
            about=About(region=self.region(None)),
            lease_seconds=self.settings.lease_seconds,
            poll_seconds=self.settings.poll_seconds,
            asking=self.asking,
            open_rehearsal=partial(open_rehearsal, scope, kinds),
        )


@dataclass(frozen=True, slots=True)
class _Rehearsal:
    """A fleet and a router of the group's own kinds, over a copy of what they have in AWS."""

    fleet: Fleet
    router: Router
    clock: Clock
    tracer: Tracer
    calls: Sequence[PlannedCall]
    next_event: Callable[[], datetime | None]


def open_rehearsal(scope: Scope, kinds: Kinds, at: datetime, launch: timedelta) -> Rehearsal:
    """Copy the group as it is now."""
    from phoenix.rehearsal import RehearsedAws, RehearsedClock

    clock = RehearsedClock(at)
    aws = RehearsedAws(scope.aws, tuple(dict.fromkeys(scope.slots.values())), clock, launch)
    copied = replace(scope, aws=aws, clock=clock)
    fleet, router = fleets.KINDS[kinds.fleet](copied), routers.KINDS[kinds.router](copied)
    return _Rehearsal(fleet, router, clock, NoTracer(), aws.calls, aws.next_event)


def _person() -> str:
    """The person at the keyboard, as the system knows: asking AWS would cost a rollback a call."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user has no name
        user = f"uid-{os.getuid()}"
    return f"{user}@{socket.gethostname()}"
