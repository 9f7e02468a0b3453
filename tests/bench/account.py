"""An account in virtual time: many groups in one sandbox, and the functions that a schedule starts, with no person at
a terminal.

Everything above botocore is what Lambda would run: `phoenix.handler`, the DynamoDB store, the real adapters. A call
takes as long as one within a Region does, is held against the rates at which AWS refills its buckets, and is tried
again as botocore would: after a random wait, twice. What that costs is noted. Must never be driven by real time.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from json import loads
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import local
from typing import Any, Final, TypeVar

import yaml

from phoenix.aws.session import Aws
from phoenix.core.rotation import Rotation
from phoenix.errors import PhoenixError, Throttled
from phoenix.handler import Program
from phoenix.sandbox import Sandbox
from phoenix.sandbox.physics import Behaviour
from phoenix.sandbox.seeding import Builder, Pair, Size, forward
from phoenix.settings import Settings
from phoenix.stores import open_store
from phoenix.stores.dynamodb_table import definition
from phoenix.wiring import SCHEDULE, Overrides, Wiring
from tests.bench.turns import Turns
from tests.bench.units import Meter

T = TypeVar("T")

CALL_TAKES_S: Final = 0.03
"""From a function to an API in its Region and back."""
COLD_START_S: Final = (0.3, 1.5)
SWEEP_S, ADVANCE_S = 60.0, 900.0
ATTEMPTS: Final = 3
SIZE: Final = Size(2, 8, 2)


@dataclass(slots=True)
class Bucket:
    """The calls that AWS lets an account make: `size` at once, refilled at a rate per second."""

    size: float
    refill: float
    left: float = 0.0
    since: datetime | None = None

    def take(self, now: datetime) -> bool:
        """One call; False where it is throttled."""
        passed = max((now - self.since).total_seconds(), 0.0) if self.since is not None else self.size
        self.left, self.since = min(self.size, self.left + passed * self.refill), max(now, self.since or now)
        if self.left < 1:
            return False
        self.left -= 1
        return True


READS: Final = ("describe", "get", "list", "batch_get", "query")


def family(service: str, method: str) -> str:
    """What AWS counts together, roughly."""
    return f"{service} {'reads' if method.startswith(READS) else 'writes'}"


DOCUMENTED: Final[Mapping[str, tuple[float, float]]] = {"elbv2 reads": (40, 10), "ec2 reads": (100, 20)}
"""Size and refill a second. Auto Scaling has a bucket of its own, and AWS does not say how large."""


@dataclass(slots=True)
class Notes:
    """What came of it."""

    calls: defaultdict[str, list[datetime]] = field(default_factory=lambda: defaultdict(list))
    """Every request by family, those that were throttled included."""
    refused: defaultdict[str, list[datetime]] = field(default_factory=lambda: defaultdict(list))
    given_up: int = 0
    """Calls that were throttled three times."""
    advances: int = 0
    """Invocations."""
    seconds: float = 0.0
    """What they took, together."""
    sweeps: int = 0
    sweep_seconds: float = 0.0
    failed: int = 0
    meter: Meter = field(default_factory=Meter)
    """What those who advance read and write."""
    sweep_meter: Meter = field(default_factory=Meter)
    busy_seconds: float = 0.0
    """What those who advance have spent on calls, rather than on waiting for something to happen."""


class MeteredAws(Aws):
    """The sandbox, as far away as AWS is."""

    def __init__(self, session: Any, turns: Turns, notes: Notes, wake: Callable[[str, float], None]) -> None:
        super().__init__(session=session, threads=1)
        self._turns, self._notes, self._wake = turns, notes, wake
        self._buckets = {name: Bucket(size, refill) for name, (size, refill) in DOCUMENTED.items()}
        self._mine = local()
        self.sweeping = ContextVar("sweeping", default=False)
        self.is_generous = False
        """Whether every call is answered, however many there are."""

    def call(self, service: str, method: str, **parameters: Any) -> dict[str, Any]:
        """One call, which takes its time."""
        self._admit(service, method)
        if service == "lambda":
            event = loads(parameters["Payload"])
            self._wake(event["group"], event["poll_seconds"])
            answer: dict[str, Any] = {"StatusCode": 202}
        else:
            answer = super().call(service, method, **parameters)
        if service == "dynamodb":
            self._meter.note(method, parameters, answer)
        self._take_time()
        return answer

    def pages(self, service: str, method: str, items: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        """All of them; the sandbox's pages are larger than what is in there."""
        self._admit(service, method)
        found = list(super().pages(service, method, items, **parameters))
        if service == "dynamodb":
            self._meter.note(method, parameters, {"Items": found})
        self._take_time()
        yield from found

    def side_by_side(self, calls: Sequence[Callable[[], T]]) -> list[T]:
        """All at one moment, and as long as one of them."""
        if getattr(self._mine, "together", False):
            return [call() for call in calls]
        self._mine.together = True
        try:
            with self._turns.aside():
                return [call() for call in calls]
        finally:
            self._mine.together = False
            self._take_time()

    def _admit(self, service: str, method: str) -> None:
        name = family(service, method)
        for attempt in range(ATTEMPTS):
            self._notes.calls[name].append(self._turns.here())
            bucket = self._buckets.get(name)
            if bucket is None or self.is_generous or bucket.take(self._turns.here()):
                return
            self._notes.refused[name].append(self._turns.here())
            self._turns.sleep(random.random() * 2**attempt)
        self._notes.given_up += 1
        raise Throttled(f"{service}:{method} is throttled")

    def _take_time(self) -> None:
        if not getattr(self._mine, "together", False):
            self._turns.sleep(CALL_TAKES_S)
            self._notes.busy_seconds += 0.0 if self.sweeping.get() else CALL_TAKES_S

    @property
    def _meter(self) -> Meter:
        return self._notes.sweep_meter if self.sweeping.get() else self._notes.meter


class SettledWiring(Wiring):
    """Policies do not change while this is measured."""

    def reread(self) -> None:
        """They need not be looked at again."""


@dataclass(slots=True)
class Invocation:
    """Lambda's context."""

    turns: Turns
    until: datetime
    function_name: str = "phoenix"
    aws_request_id: str = ""

    def get_remaining_time_in_millis(self) -> int:
        """In virtual time."""
        return int((self.until - self.turns.now()) / timedelta(milliseconds=1))


@dataclass(slots=True)
class Account:
    """Groups, the two functions, and what they have cost so far."""

    box: Sandbox
    turns: Turns
    folder: Path
    names: tuple[str, ...]
    settings: Settings
    notes: Notes = field(default_factory=Notes)
    program: Program = field(init=False)
    aws: MeteredAws = field(init=False)
    dice: random.Random = field(default_factory=lambda: random.Random(0))

    def __post_init__(self) -> None:
        self.aws = MeteredAws(self.box.session, self.turns, self.notes, self._wake)
        self.configure()

    def configure(self, **changes: Any) -> None:
        """Deploy the functions, with other settings than so far."""
        self.settings = self.settings.model_copy(update=changes)
        wiring = SettledWiring(self.settings, Overrides(clock=self.turns, aws=self.aws, by=SCHEDULE))
        self.program = Program(wiring, self.turns)

    def run(self, minutes: int) -> None:
        """A sweep every minute, for that many minutes."""
        began = self.turns.now()
        for minute in range(minutes):
            self.turns.start(self._sweep, after=60.0 * minute)
        self.turns.run(began + timedelta(minutes=minutes))

    def rotations(self) -> list[Rotation]:
        """The last one of each group that has had any."""
        store = open_store(str(self.settings.store), aws=lambda _: Aws(session=self.box.session))  # not counted here
        kept = store.load_many(self.names)
        return [record.rotation for record in kept.values() if record.rotation is not None]

    def _sweep(self) -> None:
        began = self.turns.now()
        # The image was registered just before: the first sweep looks at everybody.
        event = {"source": "aws.scheduler", "time": began.isoformat(), "idle": not self.notes.sweeps}
        self.notes.sweeps += 1
        self.aws.sweeping.set(True)
        self.program.sweep(event, Invocation(self.turns, began + timedelta(seconds=SWEEP_S)))
        self.notes.sweep_seconds += (self.turns.now() - began).total_seconds()

    def _wake(self, group: str, poll: float) -> None:
        self.turns.start(lambda: self._advance(group, poll), after=self.dice.uniform(*COLD_START_S))

    def _advance(self, group: str, poll: float) -> None:
        began = self.turns.now()
        self.notes.advances += 1
        context = Invocation(self.turns, began + timedelta(seconds=ADVANCE_S))
        try:
            self.program.advance({"group": group, "poll_seconds": poll}, context)
        except PhoenixError:
            self.notes.failed += 1
        self.notes.seconds += (self.turns.now() - began).total_seconds()


@contextmanager
def account(groups: int, policy: Mapping[str, Any], **settings: Any) -> Iterator[Account]:
    """An account with `groups` of two instances each that are due for a rotation."""
    random.seed(0)  # phoenix makes its waits uneven by chance
    turns = Turns()
    names = tuple(f"web-{number:03}" for number in range(groups))
    with TemporaryDirectory() as folder, Sandbox(clock=turns, seed_group=False) as box:
        box.session.client("dynamodb").create_table(**definition("phoenix"))
        with box.world.instantly():
            builder = Builder(box.session, box.world)
            for name in names:
                _build(builder, name)
                Path(folder, f"{name}.yaml").write_text(_policy(name, policy))
        box.calls.clear()
        ours = Settings(policies=folder, store="dynamodb://phoenix", advance="phoenix-advance", **settings)
        yield Account(box, turns, Path(folder), names, ours)


def _build(builder: Builder, name: str) -> None:
    live = builder.images_of(name, Behaviour.HEALTHY)
    groups = {slot: builder.target_group(f"{name}-{slot}") for slot in ("blue", "green")}
    builder.listener(builder.load_balancer(name), 80, forward({groups["blue"]: 100, groups["green"]: 0}))
    builder.pair(Pair(name, SIZE, target_groups=groups), live)


def _policy(name: str, keys: Mapping[str, Any]) -> str:
    own = {
        "version": 1,
        "group": name,
        "fleet": {"kind": "pair", "blue": f"{name}-blue", "green": f"{name}-green"},
        "traffic": {"kind": "alb"},
        "image": {"kind": "search", "owners": ["self"], "name": f"{name}-*", "tags": {"service": name}},
    }
    return yaml.safe_dump(own | dict(keys), sort_keys=False)
