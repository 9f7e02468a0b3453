"""A sandbox account with adapters on it, for the tests of everything that talks to AWS.

Holds every call that an adapter makes against the rights it declares: a right that no adapter lists fails the test.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar, Protocol, TypeVar

import pytest
from botocore.exceptions import ClientError

from phoenix.aws.errors import translated
from phoenix.aws.rights import Rights, actions_of
from phoenix.aws.scope import Scope
from phoenix.aws.session import Aws, action_of
from phoenix.core.model import Slot, SlotState
from phoenix.core.terms import Terms
from phoenix.fleets import group_drill
from phoenix.fleets.group_fleet import GroupFleet
from phoenix.fleets.in_place import InPlaceFleet
from phoenix.fleets.pair import PairFleet
from phoenix.routers.alb import AlbRouter
from phoenix.routers.nlb import NlbRouter
from phoenix.routers.route53 import Route53Router
from phoenix.sandbox import ManualClock, Physics, Sandbox
from phoenix.sandbox.seeding_records import ZONE

STEADY = Physics(boot_spread=0)
DRILLS = actions_of(group_drill.IAM_ACTIONS | group_drill.CRASH)
"""What any fleet may be asked, and what only a policy with `drill` gives the rights for."""


class Declared(Protocol):
    """An adapter class."""

    IAM_ACTIONS: ClassVar[Rights]


Made = TypeVar("Made", bound=Declared)


class Clock(ManualClock):
    """The sandbox's clock, as the clock of an adapter."""

    stopping = False


class RecordingAws(Aws):
    """Remembers the calls made through it, as IAM calls them, and refuses those in `refusals` with that error code.

    Refusing here rather than in the sandbox spares the tests the pauses between botocore's own tries.
    """

    def __init__(self, session: Any) -> None:
        super().__init__(session=session, threads=1)
        self.actions: list[str] = []
        self.refusals: dict[str, str] = {}
        self._shown: list[dict[str, Any]] = []

    def show_action(self, action: dict[str, Any]) -> None:
        """Let every rule begin with this action, as the installed botocore shows it; moto refuses newer kinds."""
        self._shown.append(action)

    def call(self, service: str, method: str, **parameters: Any) -> dict[str, Any]:
        self._note(service, method)
        return super().call(service, method, **parameters)

    def pages(self, service: str, method: str, items: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        self._note(service, method)
        for found in super().pages(service, method, items, **parameters):
            shown = {"Actions": [*self._shown, *found["Actions"]]} if method == "describe_rules" else {}
            yield found | shown

    def _note(self, service: str, method: str) -> None:
        action = action_of(self.client(service), service, method)
        self.actions.append(action)
        if action in self.refusals:
            answer: Any = {"Error": {"Code": self.refusals[action], "Message": "said the test"}}
            with translated(action):
                raise ClientError(answer, action)


@dataclass
class Account:
    """One example group of the sandbox, and adapters for it."""

    sandbox: Sandbox
    clock: Clock
    group: str
    aws: RecordingAws
    allowed: set[str] = field(default_factory=set)

    @cached_property
    def scope(self) -> Scope:
        return Scope(self.group, {slot: f"{self.group}-{slot}" for slot in Slot}, self.aws, self.clock)

    def make(self, kind: Callable[..., Made], *settings: Any, **extra: Any) -> Made:
        made = kind(*settings, self.scope, **extra)
        self.allowed |= actions_of(made.IAM_ACTIONS)
        if isinstance(made, GroupFleet):
            self.allowed |= DRILLS
        return made

    @cached_property
    def fleet(self) -> PairFleet:
        return self.make(PairFleet)

    def fleet_of(self, blue: str, green: str) -> PairFleet:
        self.scope = replace(self.scope, slots={Slot.BLUE: blue, Slot.GREEN: green})
        return self.make(PairFleet)

    def fleet_in(self, name: str) -> InPlaceFleet:
        self.scope = replace(self.scope, slots=dict.fromkeys(Slot, name))
        return self.make(InPlaceFleet)

    def router(self, stickiness: str = "refuse", *, suspends_failover: bool = True) -> AlbRouter:
        self._suspend(stickiness, suspends_failover)
        return self.make(AlbRouter)

    def network_router(self, stickiness: str = "refuse", *, suspends_failover: bool = True) -> NlbRouter:
        self._suspend(stickiness, suspends_failover)
        return self.make(NlbRouter)

    def record_router(self, **terms: Any) -> Route53Router:
        self.scope = replace(self.scope, terms=Terms(steps=(), routed_at=f"{ZONE}/www.example.com", **terms))
        return self.make(Route53Router)

    def _suspend(self, stickiness: str, failover: bool) -> None:
        terms = Terms(steps=(), suspend_stickiness=stickiness == "suspend", suspend_failover=failover)
        self.scope = replace(self.scope, terms=terms)

    def slots(self) -> dict[Slot, SlotState]:
        return dict(self.fleet.observe(None).slots)

    def target_groups(self) -> dict[Slot, tuple[str, ...]]:
        return {slot: state.target_groups for slot, state in self.slots().items()}

    def client(self, service: str) -> Any:
        session: Any = self.sandbox.session
        return session.client(service)

    def writes(self) -> list[str]:
        return [call.operation for call in self.sandbox.calls if call.mutating]

    def operations(self) -> list[str]:
        return [call.operation for call in self.sandbox.calls]


Opener = Callable[..., Account]


@pytest.fixture
def open_account() -> Iterator[Opener]:
    """Open a sandbox account with one example group; it is closed, and its calls are checked, after the test."""
    opened: list[Account] = []
    with ExitStack() as stack:

        def opener(group: str = "web", **options: Any) -> Account:
            clock = Clock()
            standard: dict[str, Any] = {"physics": STEADY, "seed_group": group == "web"}
            sandbox = stack.enter_context(Sandbox(clock=clock, **(standard | options)))
            if group != "web":
                sandbox.seed(group)
            opened.append(Account(sandbox, clock, group, RecordingAws(sandbox.session)))
            return opened[-1]

        yield opener
    for account in opened:
        undeclared = set(account.aws.actions) - account.allowed if account.allowed else set()
        assert not undeclared, f"calls that no IAM_ACTIONS lists: {sorted(undeclared)}"


@pytest.fixture
def account(open_account: Opener) -> Account:
    """The web tier on a good day."""
    return open_account()
