"""What every registry of `discovery` promises: who is found, calls that may be repeated, and no instance forgotten."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from phoenix.core.model import Slot
from phoenix.core.work import Stage, Work
from phoenix.leaving import REGISTRIES
from phoenix.leaving.consul import Registry, RegistryKeys
from phoenix.orchestrator import Leavers, Orchestrator
from tests.account import Account, Opener
from tests.leaving.servers import FakeConsul, serving

BLUE = Slot.BLUE
STRANGER = "i-00000000000000000"


@dataclass
class Bench:
    """A registry in which no live instance is found yet. `finish` lets what was asked for come to its end;
    `take_over` makes one another writer's business."""

    registry: Orchestrator
    account: Account
    finish: Callable[[], object]
    take_over: Callable[[str], object]

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(i.id for i in self.account.slots()[BLUE].instances)

    def leavers(self, *ids: str) -> Leavers:
        return Leavers(ids or self.ids, "web-42-test", self.account.clock.now(), generation=42)

    def works(self, *ids: str) -> dict[str, Work]:
        return dict(self.registry.observe(self.leavers(*ids)))

    def stages(self) -> set[Stage]:
        return {work.stage for work in self.works().values()}

    def announce(self, *ids: str) -> None:
        self.registry.undrain(self.leavers(*ids))
        self.finish()

    def withdraw(self, *ids: str) -> None:
        self.registry.drain(self.leavers(*ids))
        self.finish()


def _cloud_map(account: Account, stack: ExitStack) -> Bench:
    known = account.sandbox.world.registry
    service = known.add_service(records=(("A", 60), ("SRV", 60)))
    made: Any = REGISTRIES["cloud_map"]
    registry = account.make(made, made.settings(service=service, port=8080))

    def take_over(instance: str) -> None:
        known.backend.register_instance(service, instance, "", {"AWS_INSTANCE_IPV4": "10.0.0.1"})

    return Bench(registry, account, lambda: account.clock.advance(90), take_over)


def _consul(account: Account, stack: ExitStack) -> Bench:
    """Agents have started in maintenance, as an image with phoenix in mind lets them."""
    fake = FakeConsul()
    agents: dict[str, str] = {}
    for live in account.fleet.live_instances(BLUE):
        address = str(live.private_address)
        fake.add(live.id, address)
        fake.maintenance[f"node-{live.id}"] = "phoenix: not announced yet"
        agents[address] = stack.enter_context(serving(fake.agent(f"node-{live.id}")))
    keys = RegistryKeys(address=stack.enter_context(serving(fake.respond)))
    registry = Registry(keys, account.scope, agents.__getitem__)

    def take_over(instance: str) -> None:
        fake.maintenance[f"node-{instance}"] = "disk is being replaced"

    return Bench(registry, account, lambda: account.clock.advance(11), take_over)


BENCHES: dict[str, Callable[[Account, ExitStack], Bench]] = {"cloud_map": _cloud_map, "consul": _consul}


@pytest.fixture(params=REGISTRIES)
def bench(request: pytest.FixtureRequest, open_account: Opener) -> Iterator[Bench]:
    with ExitStack() as stack:
        yield BENCHES[request.param](open_account(), stack)


def test_an_instance_is_not_found_by_itself_and_why_is_said(bench: Bench) -> None:
    assert bench.stages() == {Stage.DRAINED}
    assert all(work.words and work.words == work.words.strip() for work in bench.works().values())


def test_once_announced_it_is_found(bench: Bench) -> None:
    bench.announce()

    assert bench.stages() == {Stage.ACTIVE}


def test_only_the_instances_that_were_named_are_announced(bench: Bench) -> None:
    first, *others = bench.ids

    bench.announce(first)

    assert [bench.works()[each].stage for each in (first, *others)] == [Stage.ACTIVE, *[Stage.DRAINED] * len(others)]


def test_to_be_told_twice_changes_nothing(bench: Bench) -> None:
    for _ in range(2):
        bench.registry.undrain(bench.leavers())
    bench.finish()
    found = bench.works()
    bench.announce()
    assert bench.works() == found

    for _ in range(2):
        bench.registry.drain(bench.leavers())
    bench.finish()

    assert bench.stages() == {Stage.DRAINED}


def test_what_is_withdrawn_may_be_known_to_clients_for_a_while(bench: Bench) -> None:
    bench.announce()

    bench.registry.drain(bench.leavers())
    bench.account.clock.advance(10 if isinstance(bench.registry, Registry) is False else 1)
    soon = bench.stages()
    bench.finish()

    assert soon == {Stage.LEAVING}
    assert bench.stages() == {Stage.DRAINED}


def test_what_is_withdrawn_may_be_announced_again_at_once(bench: Bench) -> None:
    bench.announce()
    bench.withdraw()

    bench.announce()

    assert bench.stages() == {Stage.ACTIVE}


def test_another_writers_business_is_left_as_it_is(bench: Bench) -> None:
    first = bench.ids[0]
    bench.take_over(first)
    theirs = bench.works()[first]

    bench.announce(first)
    bench.withdraw(first)

    assert bench.works()[first] == theirs
    assert (theirs.stage, bool(theirs.words)) == (Stage.ABSENT, True)


def test_an_instance_that_there_is_not_has_an_answer_and_is_no_error(bench: Bench) -> None:
    bench.announce(STRANGER)
    bench.withdraw(STRANGER)

    assert bench.works(STRANGER)[STRANGER].stage is Stage.DRAINED


def test_nothing_stands_in_the_way_of_a_start_on_a_good_day(bench: Bench) -> None:
    assert list(bench.registry.find_blockers(bench.account.slots(), BLUE)) == []
