"""The adapters that tests of everything else use: a world in memory, which passes the same contract tests.
Nothing here takes time unless a test says so: `boots` False leaves launched instances pending until `settle`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import ClassVar, assert_never

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
from phoenix.core.blocker import UNKNOWN_AHEAD, Ahead, Blocker
from phoenix.core.difference import Difference
from phoenix.core.generation import Generation
from phoenix.core.image import Candidate, Image, Wanted, choose, unlaunchable
from phoenix.core.launch_failure import LaunchFailure
from phoenix.core.lifecycle import Lifecycle
from phoenix.core.model import Instance, Route, Slot, SlotState, TargetState
from phoenix.core.remedy import Remedy
from phoenix.core.roles import numbers
from phoenix.core.rotation import Rotation
from phoenix.core.routine import Routine
from phoenix.core.tags import TAINTED
from phoenix.core.trigger import LiveInstance
from phoenix.errors import ForeignWeights, NotFound, PermanentError
from phoenix.fleets.group_commands import command
from phoenix.ports import FleetView, Traffic
from tests.fakes_arrival import FakeArrival
from tests.fakes_instances import FakeInstances
from tests.fakes_opt_ins import FakeOptIns

ACCOUNT = "123456789012"
BAKED_AT = datetime(2026, 11, 18, 2, 14, tzinfo=UTC)
OLD_IMAGE, NEW_IMAGE = "ami-0b7e19c2d4a85f361", "ami-0d3c5e71a9f4b2086"
ZONES = ("eu-west-1a", "eu-west-1b", "eu-west-1c")


def an_image(image: str = NEW_IMAGE, name: str = "web-2026.11.18-9f2c1e", **facts: object) -> Image:
    """An image that anybody may launch, 27 minutes old on the night of the examples."""
    plain = Image(image, name, BAKED_AT, ACCOUNT, "x86_64", tags={"service": "web", "channel": "stable"})
    return replace(plain, **facts)  # type: ignore[arg-type]


class FakeFleet(FakeInstances):
    """Two groups in memory. Break things through the attributes: `failure`, `blockers`, `scales`, `error`."""

    checks: ClassVar[tuple[str, ...]] = ("fleet-is-fit",)
    revival_checks: ClassVar[tuple[str, ...]] = ("template-version-gone", "image-gone")

    def __init__(self, desired: int = 4, *, live: Slot = Slot.BLUE, boots: bool = True) -> None:
        super().__init__()
        self.versions = {1: ("baseline", OLD_IMAGE)}
        self.boots = boots
        self.applied: list[Action] = []
        self.failures: list[LaunchFailure] = []
        self.failure: LaunchFailure | None = None
        """While set, launches fail with it."""
        self.blockers: list[Blocker] = []
        self.gone: set[str] = set()
        """Images that are no more."""
        self.changed: tuple[str, ...] = ()
        """What the owner has changed in the template."""
        self.ahead = UNKNOWN_AHEAD  # what the last search for blockers was told of the future
        self.error: Exception | None = None  # while set, every call raises it
        self.scales = False
        self._launched = 0
        self.state = {slot: _empty(slot) for slot in Slot}
        self.state[live] = replace(self.state[live], min=2, max=12, desired=desired)
        self._reconcile(live)
        self.settle()

    def observe(self, rotation: Rotation | None) -> FleetView:
        self._fail_if_told()
        rotation = rotation if rotation is not None and rotation.in_flight else None
        waits = rotation is not None and rotation.growth.since is not None
        awaited = waits and rotation is not None and rotation.clocks.proved_at is None and rotation.back is None
        since = rotation.growth.since if rotation is not None else None
        seen = tuple(f for f in reversed(self.failures) if since is not None and f.at >= since) if awaited else ()
        return FleetView(dict(self.state), seen, self._prepared(rotation))

    def apply(self, action: Action) -> None:
        self._fail_if_told()
        self.applied.append(action)
        match action:
            case WriteTags() | RemoveTags():
                self._change_tags(action)
            case MakeTemplateVersion():
                wanted = f"phoenix {action.rotation} generation {action.generation}"
                if wanted not in {description for description, _ in self.versions.values()}:
                    self.versions[max(self.versions) + 1] = (wanted, action.image)
            case SetRole():
                self._set_role(action)
            case SetSchedules():
                others = self.state[action.slot].suspended - {Routine.SCHEDULES}
                self._change(action.slot, suspended=others if action.running else others | {Routine.SCHEDULES})
            case ReplaceInstance() | EndInstance():
                kept = tuple(i for i in self.state[action.slot].instances if i.id != action.instance)
                self._change(action.slot, instances=kept)
                self._reconcile(action.slot)
            case SetWeights() | SetFailover() | SetOptIns() | Release() | Drain() | Undrain() | Announce():
                raise PermanentError("traffic is the router's, not the fleet's")
            case _:
                assert_never(action)

    def live_instances(self, slot: Slot) -> Sequence[LiveInstance]:
        self._fail_if_told()
        return [self._live(instance) for instance in self.state[slot].instances]

    def launched_at(self, ids: Sequence[str]) -> Mapping[str, datetime]:
        self._fail_if_told()
        known = {i.id for state in self.state.values() for i in state.instances}
        return {each: BAKED_AT - timedelta(days=3) for each in ids if each in known}

    def images_of(self, ids: Sequence[str]) -> Mapping[str, str]:
        return {each.id: each.image for slot in Slot for each in self.live_instances(slot) if each.id in ids}

    def resolve_version(self, slot: Slot) -> str:
        self._fail_if_told()
        return self.state[slot].template_version or str(max(self.versions))

    def identify(self, generation: Generation) -> Generation:
        self._fail_if_told()
        state = self.state[generation.slot]
        known = generation.template in (None, state.template)
        numbers = [generation.template_version] if known else []
        numbers += [i.template_version for i in state.instances] + [self.resolve_version(generation.slot)]
        for number in filter(None, numbers):
            if self.versions.get(int(number), ("", ""))[1] == generation.image or generation.image == "unknown":
                return replace(generation, template_version=number, template=state.template)
        return replace(generation, template_version=None, template=None)

    def find_losses(self, generation: Generation) -> Sequence[Blocker]:
        self._fail_if_told()
        image = generation.image
        return [Blocker("image-gone", image, f"{image} is gone.", "restore it")] if image in self.gone else []

    def has_scaling_policies(self, slot: Slot) -> bool:
        return self.scales

    def differences(self, live: Slot) -> Sequence[Difference]:
        self._fail_if_told()
        return [Difference("template", name, "before", "after") for name in self.changed]

    def template_changes(self, live: Slot) -> tuple[str, ...]:
        self._fail_if_told()
        return self.changed

    def find_blockers(self, live: Slot, image: Image, need: int, ahead: Ahead = UNKNOWN_AHEAD) -> Sequence[Blocker]:
        self._fail_if_told()
        self.ahead = ahead
        return list(self.blockers)

    def find_revival_blockers(self, generation: Generation, count: int) -> Sequence[Blocker]:
        self._fail_if_told()
        if not self.versions:
            return [Blocker("template-version-gone", "1", "no version of 1 is its owner's.")]
        return self.find_losses(generation)

    def command(self, remedy: Remedy) -> str:
        return command(remedy, self.state[remedy.slot].auto_scaling_group)

    def settle(self) -> None:
        """Let everything that was launched come up."""
        for slot in Slot:
            up = tuple(replace(i, lifecycle=Lifecycle.IN_SERVICE) for i in self.state[slot].instances)
            self._change(slot, instances=up)

    def _change_tags(self, action: WriteTags | RemoveTags) -> None:
        if isinstance(action, WriteTags):
            for slot, tags in action.tags.items():
                self._change(slot, tags={**self.state[slot].tags, **tags})
            return
        for slot, keys in action.keys.items():
            self._change(slot, tags={k: v for k, v in self.state[slot].tags.items() if k not in keys})

    def _set_role(self, action: SetRole) -> None:
        before = self.state[action.slot]
        then = numbers(action.role, action.count, action.owner)
        desired = before.desired if then.desired is None else then.desired
        self._change(
            action.slot,
            min=then.min,
            max=then.max,
            desired=min(max(desired, then.min), then.max),
            template_version=None if action.version == "$Latest" else action.version or before.template_version,
        )
        self._reconcile(action.slot)

    def _reconcile(self, slot: Slot) -> None:
        state = self.state[slot]
        missing = state.desired - len(state.instances)
        if missing > 0 and self.failure is not None:
            self.failures.append(self.failure)
            return
        launched = tuple(self._launch(slot) for _ in range(missing))
        self._change(slot, instances=(state.instances + launched)[: state.desired])

    def _launch(self, slot: Slot) -> Instance:
        self._launched += 1
        lifecycle = Lifecycle.IN_SERVICE if self.boots else Lifecycle.PENDING
        zone = ZONES[self._launched % len(ZONES)]
        return Instance(f"i-{self._launched:017x}", zone, lifecycle, True, self.resolve_version(slot))

    def _live(self, instance: Instance) -> LiveInstance:
        version = instance.template_version
        image = self.versions[int(version or 1)][1]
        taint = self.taints.get(instance.id)
        tags = {TAINTED: taint} if taint is not None else {}
        born = BAKED_AT - timedelta(days=3)
        return LiveInstance(instance.id, image, born, version, tags, private_address="10.0.0.1")

    def _prepared(self, rotation: Rotation | None) -> str | None:
        if rotation is None or rotation.new.template_version is not None or rotation.back is not None:
            return None
        wanted = f"phoenix {rotation.id} generation {rotation.new.number}"
        return next((str(number) for number, (said, _) in self.versions.items() if said == wanted), None)

    def _change(self, slot: Slot, **changes: object) -> None:
        self.state[slot] = replace(self.state[slot], **changes)  # type: ignore[arg-type]

    def _fail_if_told(self) -> None:
        if self.error is not None:
            raise self.error


def _empty(slot: Slot) -> SlotState:
    return SlotState(slot, f"web-{slot}", 0, 0, 0, "1", "lt-1", target_groups=(f"arn:tg/web-{slot}",))


ROUTES = ("arn:rule/443", "arn:rule/api")


class FakeRouter(FakeOptIns, FakeArrival):
    """Weights on some routes, and the health of a fake fleet's instances: healthy unless listed in `sick`."""

    checks: ClassVar[tuple[str, ...]] = ("routes-are-fit",)

    def __init__(self, fleet: FakeFleet, live: Slot = Slot.BLUE, routes: Sequence[str] = ROUTES) -> None:
        self.fleet = fleet
        self.weights: dict[str, dict[Slot, int]] = {arn: {live: 100, live.other: 0} for arn in routes}
        self.sticky = dict.fromkeys(routes, 0)
        self.sick, self.shifts, self.failovers = set[str](), list[SetWeights](), list[SetFailover]()
        super().__init__()
        self.blockers, self.ahead = list[Blocker](), UNKNOWN_AHEAD
        self.by_zone = False
        self.failover: dict[Slot, str] = dict.fromkeys(Slot, "1/off")
        self.error: Exception | None = None  # while set, every call raises it

    def read_failover(self, target_groups: Mapping[Slot, Sequence[str]]) -> Mapping[Slot, str]:
        self._fail_if_told()
        return {slot: self.failover[slot] for slot in target_groups}

    def set_failover(self, action: SetFailover, target_groups: Mapping[Slot, Sequence[str]]) -> None:
        self._fail_if_told()
        self.failovers.append(action)
        self.failover[action.slot] = action.thresholds

    def serves_by_zone(self, target_groups: Mapping[Slot, Sequence[str]]) -> bool:
        self._fail_if_told()
        return self.by_zone

    def find(self, target_groups: Mapping[Slot, Sequence[str]]) -> tuple[Route, ...]:
        self._fail_if_told()
        return tuple(self._route(arn) for arn in self.weights)

    def observe(
        self, target_groups: Mapping[Slot, Sequence[str]], routes: Sequence[str], want_health: frozenset[Slot]
    ) -> Traffic:
        self._fail_if_told()
        health = {slot: {i.id: self._health(i) for i in self.fleet.state[slot].instances} for slot in want_health}
        return Traffic(tuple(self._route(arn) for arn in routes), health)

    def shift(
        self, action: SetWeights, target_groups: Mapping[Slot, Sequence[str]], routes: Sequence[str]
    ) -> tuple[Route, ...]:
        self._fail_if_told()
        for route in (self._route(arn) for arn in routes):
            found = route.percent(action.slot)
            if action.only_from and found not in action.only_from | {action.percent}:
                raise ForeignWeights(route.name, str(sorted(action.only_from)), found)
        self.shifts.append(action)
        for arn in routes:
            if action.unrefer and action.slot not in self.weights[arn]:
                continue
            self.weights[arn] = Counter({action.slot: action.percent, action.slot.other: 100 - action.percent})
            if arn in action.unrefer and not action.percent:
                self.weights[arn].pop(action.slot, None)
            if action.suspend_stickiness:
                self.sticky[arn] = 0
            self.sticky[arn] = action.restore_stickiness.get(arn, self.sticky[arn])
        return tuple(self._route(arn) for arn in routes)

    def find_blockers(
        self, slots: Mapping[Slot, SlotState], live: Slot, ahead: Ahead = UNKNOWN_AHEAD
    ) -> Sequence[Blocker]:
        self._fail_if_told()
        self.ahead = ahead
        return list(self.blockers)

    def _route(self, arn: str) -> Route:
        name = arn.rsplit("/", 1)[-1]
        return Route(arn, f":{name}" if name.isdigit() else f"rule /{name}", dict(self.weights[arn]), self.sticky[arn])

    def _health(self, instance: Instance) -> TargetState:
        if not instance.in_service:
            return TargetState.INITIAL
        return TargetState.UNHEALTHY if instance.id in self.sick else TargetState.HEALTHY

    def _fail_if_told(self) -> None:
        if self.error is not None:
            raise self.error


class FakeImages:
    """A shelf of images; those of `wanted.owners` and architecture fit."""

    def __init__(self, *images: Image, wanted: Wanted | None = None) -> None:
        self.images = list(images or (an_image(),))
        self.wanted = wanted or Wanted(frozenset({ACCOUNT}), "x86_64")

    def candidates(self, at: datetime) -> Sequence[Candidate]:
        return choose(self.images, self.wanted, at)

    def named(self, image: str, at: datetime) -> Candidate:
        found = next((each for each in self.images if each.id == image), None)
        if found is None:
            raise NotFound(f"there is no image {image}")
        return Candidate(found, unlaunchable(found, self.wanted.owners, self.wanted.architecture, at))
