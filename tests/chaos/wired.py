"""A wired group at the model: each port of the engine, as thin as it can be, before one driver's `Ports`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import ClassVar

from phoenix.core.action import Action, Drain, SetFailover, SetOptIns, SetWeights, Undrain
from phoenix.core.blocker import UNKNOWN_AHEAD, Ahead, Blocker
from phoenix.core.difference import Difference
from phoenix.core.drift import Compared
from phoenix.core.generation import Generation
from phoenix.core.image import Image
from phoenix.core.model import Observation, Route, Slot, SlotState, Verdict
from phoenix.core.opt_in import OptInRule, OptIns
from phoenix.core.ready import capacity_verdict
from phoenix.core.remedy import Remedy
from phoenix.core.rotation import Rotation
from phoenix.core.trigger import LiveInstance
from phoenix.core.work import Work
from phoenix.engine.group import Group
from phoenix.orchestrator import Leavers
from phoenix.ports import FleetView, Traffic
from phoenix.telemetry.spans import NoTracer
from tests.chaos.drivers import LEASE_SECONDS, POLL_SECONDS, Ports
from tests.chaos.leaving import work_of
from tests.fakes_arrival import FakeArrival


class ChaosFleet:
    """The fleet port."""

    checks: ClassVar[tuple[str, ...]] = ()
    revival_checks: ClassVar[tuple[str, ...]] = ()

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    def observe(self, rotation: Rotation | None) -> FleetView:
        return self._ports.observe_fleet(rotation)

    def apply(self, action: Action) -> None:
        self._ports.write(action)

    def live_instances(self, slot: Slot) -> Sequence[LiveInstance]:
        return ()

    def differences(self, live: Slot) -> Sequence[Difference]:
        return ()

    def launched_at(self, ids: Sequence[str]) -> Mapping[str, datetime]:
        return {}

    def images_of(self, ids: Sequence[str]) -> Mapping[str, str]:
        return {}

    def resolve_version(self, slot: Slot) -> str:
        return self._ports.run.model.places[slot].version

    def identify(self, generation: Generation) -> Generation:
        return generation

    def find_losses(self, generation: Generation) -> Sequence[Blocker]:
        return ()

    def has_scaling_policies(self, slot: Slot) -> bool:
        return False

    def compare(self, *, deep: bool = False) -> Mapping[str, Compared]:
        return {}

    def mark_tainted(self, instances: Sequence[str], value: str | None) -> None:
        raise AssertionError("only a person marks an instance, and there is none in the model")

    def has_schedules(self, slot: Slot) -> bool:
        return False

    def template_changes(self, live: Slot) -> tuple[str, ...]:
        return ()

    def find_blockers(self, live: Slot, image: Image, need: int, ahead: Ahead = UNKNOWN_AHEAD) -> Sequence[Blocker]:
        return ()

    def find_revival_blockers(self, generation: Generation, count: int) -> Sequence[Blocker]:
        return ()

    def console_of(self, instance: str) -> str:
        return ""

    def command(self, remedy: Remedy) -> str:
        return repr(remedy)


class ChaosRouter(FakeArrival):
    """The router port; without a load balancer it has nothing to say."""

    checks: ClassVar[tuple[str, ...]] = ()

    def __init__(self, ports: Ports) -> None:
        super().__init__()
        self._ports = ports
        self.is_balanced = ports.run.model.balanced

    def find(self, target_groups: Mapping[Slot, Sequence[str]]) -> tuple[Route, ...]:
        return self._ports.find(target_groups) if self.is_balanced else ()

    def observe(
        self, target_groups: Mapping[Slot, Sequence[str]], routes: Sequence[str], want_health: frozenset[Slot]
    ) -> Traffic:
        return self._ports.observe_traffic(want_health) if self.is_balanced else Traffic()

    def shift(
        self, action: SetWeights, target_groups: Mapping[Slot, Sequence[str]], routes: Sequence[str]
    ) -> tuple[Route, ...]:
        return self._ports.shift(action) if self.is_balanced else ()

    def read_failover(self, target_groups: Mapping[Slot, Sequence[str]]) -> Mapping[Slot, str]:
        return {slot: self._ports.run.model.failover[slot] for slot in target_groups}

    def set_failover(self, action: SetFailover, target_groups: Mapping[Slot, Sequence[str]]) -> None:
        self._ports.write(action)

    def read_opt_ins(
        self, wanted: SetOptIns, target_groups: Mapping[Slot, Sequence[str]], routes: Sequence[str]
    ) -> OptIns:
        there = self._ports.run.model.opt_ins
        missing = tuple(str(each) for each in wanted.opt_ins if each not in there)
        stray = tuple(str(each) for each in there if each not in wanted.opt_ins)
        return OptIns(tuple(OptInRule(str(each), str(each)) for each in there), missing, stray)

    def set_opt_ins(
        self, action: SetOptIns, target_groups: Mapping[Slot, Sequence[str]], routes: Sequence[str]
    ) -> None:
        self._ports.write(action)

    def serves_by_zone(self, target_groups: Mapping[Slot, Sequence[str]]) -> bool:
        return False

    def find_blockers(
        self, slots: Mapping[Slot, SlotState], live: Slot, ahead: Ahead = UNKNOWN_AHEAD
    ) -> Sequence[Blocker]:
        return ()


class ChaosOrchestrator:
    """The one station of `before_leaving`, or of `discovery`: there a machine takes work while clients find it."""

    name = "ecs shop"
    checks: ClassVar[tuple[str, ...]] = ()

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    def observe(self, leavers: Leavers) -> Mapping[str, Work]:
        model = self._ports.run.model
        machines = (m for place in model.places.values() for m in place.machines)
        return {m.id: work_of(m, model.now) for m in machines if m.id in leavers.instances}

    def drain(self, leavers: Leavers) -> None:
        for slot, ids in self._by_slot(leavers):
            self._ports.write(Drain(slot, ids))

    def undrain(self, leavers: Leavers) -> None:
        for slot, ids in self._by_slot(leavers):
            self._ports.write(Undrain(slot, ids))

    def _by_slot(self, leavers: Leavers) -> Iterator[tuple[Slot, tuple[str, ...]]]:
        for slot, place in self._ports.run.model.places.items():
            ids = tuple(m.id for m in place.machines if m.id in leavers.instances)
            if ids:
                yield slot, ids

    def find_blockers(self, slots: Mapping[Slot, SlotState], live: Slot) -> Sequence[Blocker]:
        return ()


class CapacityGate:
    """The implied gate; the counting is the core's."""

    checks: ClassVar[tuple[str, ...]] = ()
    name = "target_health"
    before_traffic_only = False
    judges_alone = True
    begins_something = False

    def check(self, rotation: Rotation, seen: Observation) -> Verdict:
        return capacity_verdict(rotation, seen, self.name)

    def find_blockers(self, slots: Mapping[Slot, SlotState], live: Slot) -> Sequence[Blocker]:
        return ()


def driver(ports: Ports) -> Group:
    """A wired group for this driver; `claim` and `drive` do the rest."""
    rotation = ports.run.rotation
    gates = (CapacityGate(),)
    return Group(
        name="web",
        terms=rotation.terms,
        slots={slot: f"web-{slot.value}" for slot in Slot},
        fleet=ChaosFleet(ports),
        router=ChaosRouter(ports),
        gates=gates,
        images=None,
        registries=(ChaosOrchestrator(ports),) if rotation.terms.discovery else (),
        orchestrators=(ChaosOrchestrator(ports),) if rotation.terms.before_leaving else (),
        store=ports.store_kind(ports),
        clock=ports,
        tracer=NoTracer(),
        driver=f"{ports.name}/1",
        by=ports.name,
        lease_seconds=LEASE_SECONDS,
        poll_seconds=POLL_SECONDS,
    )
