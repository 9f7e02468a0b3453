"""A model of one Auto Scaling group for the pure core and the in-place fleet: no library, no I/O, thousands of runs.

Launches take `boot` seconds to be in service and `warm` more to be healthy; what enters Standby drains for `drain`
seconds. It refuses what AWS refuses (min above desired after EnterStandby, max below desired after ExitStandby), and
holds itself against the invariants that can be seen from outside after every single call.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from phoenix.core import tags
from phoenix.core.action import (
    Action,
    Announce,
    Drain,
    EndInstance,
    MakeTemplateVersion,
    Release,
    RemoveTags,
    ReplaceInstance,
    SetFailover,
    SetOptIns,
    SetRole,
    SetSchedules,
    SetWeights,
    Undrain,
    WriteTags,
)
from phoenix.core.capacity import share
from phoenix.core.launch_failure import LaunchFailure
from phoenix.core.model import Instance, Observation, Role, Slot, SlotState, TargetState
from phoenix.core.ready import capacity_verdict
from phoenix.core.record import GroupRecord
from phoenix.core.rotation import Rotation
from phoenix.core.routine import Routine
from phoenix.core.serving import Serving
from phoenix.fleets.group_shapes import lifecycle_of
from phoenix.fleets.in_place_calls import Call, End, Enter, Exit, NotYet, Scene, Update, calls_for
from phoenix.fleets.in_place_slots import split
from tests.builders import NOON

SERVING = Serving.of(weights=False, health=True, reserve=True)


class Refused(Exception):
    """AWS's answer to a call that asks for something impossible."""


@dataclass
class Server:
    """One instance. `standby_at` is since when it has been out of service, or on its way there."""

    id: str
    zone: str
    version: str
    born_at: datetime
    bad: bool = False
    standby_at: datetime | None = None
    dead: bool = False
    held: bool = False


class OneGroup:
    """`size` servers of version 1, all in service; min and max are the owner's."""

    def __init__(self, size: int = 4, *, boot: int = 20, warm: int = 5, drain: int = 30, floor: int = 100) -> None:
        self.now = NOON
        self.boot, self.warm, self.drain = boot, warm, drain
        self.min, self.max, self.desired, self.version = min(2, size), size * 2, size, "1"
        self.hook = False
        self.suspended: set[Routine] = set()
        self.tags: dict[str, str] = {}
        self.servers: list[Server] = []
        self.versions: dict[str, str] = {}
        self.bad_versions: set[str] = set()
        self.launch_error: LaunchFailure | None = None
        self.calls: list[Call] = []
        self.actions: list[Action] = []
        self.lag = 0.0
        """Seconds by which what AWS says of the group may be old, until it has been told something."""
        self._past: list[tuple[datetime, SlotState]] = []
        self._told: SlotState | None = None
        self._born = 0
        self._rotation: Rotation | None = None
        self._settle(born_at=self.now - timedelta(hours=1))
        self.floor = share(size, floor)

    # --- the look ----------------------------------------------------------------------------------------------------

    def look(self, record: GroupRecord) -> Observation:
        """What an engine with perfect adapters would see, the capacity gate's verdict included."""
        rotation = record.in_flight
        self._rotation = record.rotation
        self._told = self._said()
        seen = Observation(
            at=self.now,
            slots=split(self._told, record.rotation),
            failures=(self.launch_error,) if self.launch_error else (),
            prepared_version=self.versions.get(rotation.id) if rotation else None,
        )
        is_asked = rotation is not None and rotation.back is None and rotation.step > 0
        if rotation is None or not is_asked or rotation.clocks.closing_since is not None:
            return seen
        return replace(seen, verdicts=(capacity_verdict(rotation, seen, "target_health"),))

    def _said(self) -> SlotState:
        """The group as it was at some time within the lag."""
        since = self.now - timedelta(seconds=self.lag)
        older = (state for at, state in self._past if at >= since) if self.lag else iter(())
        return next(older, self.whole())

    def whole(self) -> SlotState:
        """The group as if it were one slot."""
        return SlotState(
            slot=Slot.BLUE,
            auto_scaling_group="web",
            min=self.min,
            max=self.max,
            desired=self.desired,
            template_version=self.version,
            instances=tuple(self._instance(server) for server in self.servers),
            suspended=frozenset(self.suspended),
            tags=dict(self.tags),
            target_groups=("arn:tg/web",),
        )

    def words(self, server: Server) -> str:
        """The lifecycle state in AWS's words."""
        if server.standby_at is not None:
            return "EnteringStandby" if (self.now - server.standby_at).total_seconds() < self.drain else "Standby"
        if server.held:
            return "Pending:Wait" if (self.now - server.born_at).total_seconds() >= 1 else "Pending"
        return "InService" if (self.now - server.born_at).total_seconds() >= self.boot else "Pending"

    def _instance(self, server: Server) -> Instance:
        words = self.words(server)
        target = None
        if words == "InService":
            target = TargetState.HEALTHY if self.is_serving(server) else TargetState.INITIAL
            if server.bad and (self.now - server.born_at).total_seconds() >= self.boot + self.warm:
                target = TargetState.UNHEALTHY
        healthy = not server.dead
        return Instance(
            server.id, server.zone, lifecycle_of(words), healthy, server.version, target, lifecycle_words=words
        )

    def is_serving(self, server: Server) -> bool:
        """True when users are answered."""
        age = (self.now - server.born_at).total_seconds()
        is_out = server.standby_at is not None or server.held or server.bad or server.dead
        return not is_out and age >= self.boot + self.warm

    def serving(self) -> int:
        """How many servers answer users."""
        return sum(map(self.is_serving, self.servers))

    def check(self) -> None:
        """I1."""
        assert self.serving() >= self.floor, f"I1: {self.serving()} serve, {self.floor} needed"

    def of(self, version: str) -> list[Server]:
        """The servers of one template version."""
        return [server for server in self.servers if server.version == version]

    # --- the actions -------------------------------------------------------------------------------------------------

    def pass_time(self, seconds: float) -> None:
        """Let time pass."""
        self._past = [*self._past[-40:], (self.now, self.whole())]
        self.now += timedelta(seconds=seconds)

    def scale(self, desired: int) -> None:
        """What an autoscaler does: move desired within the bounds."""
        self.desired = max(self.min, min(self.max, desired))
        self._settle()

    def apply(self, action: Action) -> None:  # noqa: C901, PLR0912 - one case for each kind of action
        """Carry out one action as the in-place fleet would."""
        self.actions.append(action)
        match action:
            case SetRole():
                scene = self._scene(action)
                try:
                    calls = calls_for(action, scene)
                except NotYet:
                    return
                holds = scene.rotation is not None and scene.rotation.terms.holds
                if action.role is Role.CANDIDATE:
                    self.hook = holds
                if action.role is Role.LIVE:
                    assert not any(s.held for s in self.servers), "a hook that goes abandons what it holds"
                    self.hook = False
                for call in calls:
                    self.make(call)
            case Release(slot):
                self._release(tuple(i.id for i in split(self.whole(), self._rotation)[slot].instances))
            case MakeTemplateVersion():
                self.versions.setdefault(action.rotation, str(len(self.versions) + 2))
            case SetSchedules():
                (self.suspended.discard if action.running else self.suspended.add)(Routine.SCHEDULES)
            case ReplaceInstance() | EndInstance():
                self.servers = [s for s in self.servers if s.id != action.instance]
                self._settle()
            case WriteTags():
                for slot, written in action.tags.items():
                    self.tags |= {tags.in_one_group(key, slot): value for key, value in written.items()}
            case RemoveTags():
                for slot, keys in action.keys.items():
                    for key in keys:
                        self.tags.pop(tags.in_one_group(key, slot), None)
            case SetWeights() | SetFailover() | SetOptIns() | Drain() | Undrain() | Announce():
                raise AssertionError(f"there are no weights here, and no orchestrator: {action}")
        self.check()

    def _scene(self, action: SetRole) -> Scene:
        """The fleet reads the group anew once it has changed it, and that answer may be old again."""
        told = self._told or self._said()
        slots = {slot: _without_targets(state) for slot, state in split(told, self._rotation).items()}
        moving = self._rotation if self._rotation is not None and self._rotation.in_flight else None
        return Scene(told, slots[action.slot], slots[action.slot.other], moving)

    def _release(self, ids: tuple[str, ...]) -> None:
        for server in self._named(ids):
            if self.words(server) == "Pending:Wait":
                server.held, server.born_at = False, self.now - timedelta(seconds=self.boot)

    def make(self, call: Call) -> None:  # noqa: C901 - one case for each kind of call
        """One call to AWS."""
        self.calls.append(call)
        self._told = None
        match call:
            case Update(least, most, version):
                self.min = self.min if least is None else least
                self.max = self.max if most is None else most
                self.version = version or self.version
                if self.min > self.max:
                    raise Refused(f"min {self.min} above max {self.max}")
                self.desired = max(self.min, min(self.max, self.desired))
            case Enter(ids):
                if self.desired - len(ids) < self.min or any(self.words(s) != "InService" for s in self._named(ids)):
                    raise Refused(f"{ids} into Standby with min {self.min} and desired {self.desired}")
                self.desired -= len(ids)
                for server in self._named(ids):
                    server.standby_at = self.now
            case Exit(ids):
                if self.desired + len(ids) > self.max or any(self.words(s) != "Standby" for s in self._named(ids)):
                    raise Refused(f"{ids} out of Standby with max {self.max} and desired {self.desired}")
                self.desired += len(ids)
                for server in self._named(ids):
                    server.standby_at, server.born_at = None, self.now - timedelta(seconds=self.boot)
            case End(ids, counted):
                if counted and self.desired - len(ids) < self.min:
                    raise Refused(f"{ids} end with min {self.min} and desired {self.desired}")
                self.desired -= len(ids) if counted else 0
                self.servers = [s for s in self.servers if s.id not in ids]
        self._settle()
        self.check()

    def _named(self, ids: tuple[str, ...]) -> list[Server]:
        return [server for server in self.servers if server.id in ids]

    def _counted(self) -> list[Server]:
        return [server for server in self.servers if server.standby_at is None]

    def _settle(self, *, born_at: datetime | None = None) -> None:
        while len(self._counted()) < self.desired and self.launch_error is None:
            self._born += 1
            zone, bad = f"eu-west-1{'abc'[self._born % 3]}", self.version in self.bad_versions
            name, born = f"i-{self._born:03}", born_at or self.now
            self.servers.append(Server(name, zone, self.version, born, bad, held=self.hook))
        while len(self._counted()) > self.desired:
            # The default policy: the oldest launch template version first.
            oldest = min(self._counted(), key=lambda s: (int(s.version), s.born_at))
            self.servers.remove(oldest)


def _without_targets(state: SlotState) -> SlotState:
    """As Auto Scaling tells it: what load balancers say is known to the engine alone."""
    return replace(state, instances=tuple(replace(i, target=None) for i in state.instances))
