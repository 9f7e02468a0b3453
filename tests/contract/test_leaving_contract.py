"""What every orchestrator promises: stages in words, absolute calls, and blockers before a start."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from phoenix.core.model import Slot, SlotState
from phoenix.core.work import Stage, Work
from phoenix.leaving import KINDS
from phoenix.leaving.consul import Consul
from phoenix.leaving.consul import Settings as ConsulSettings
from phoenix.orchestrator import Leavers, Orchestrator
from tests.account import Account, Opener
from tests.leaving.servers import FakeConsul, FakeKubernetes, kubeconfig, serving

BLUE = Slot.BLUE
STRANGER = "i-00000000000000000"


@dataclass
class Bench:
    """An orchestrator, and the live instances on which it has work. `finish` lets what was asked for come to its end;
    `leave_out` takes an instance from what it knows."""

    orchestrator: Orchestrator
    account: Account
    finish: Callable[[], object]
    leave_out: Callable[[str], object]
    slots: dict[Slot, SlotState] = field(default_factory=dict)
    began: datetime = field(init=False)

    def __post_init__(self) -> None:
        self.began = self.account.clock.now()

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(i.id for i in self.slots[BLUE].instances)

    def leavers(self, *ids: str) -> Leavers:
        return Leavers(ids or self.ids, "web-42-test", self.began)

    def stages(self) -> set[Stage]:
        return {work.stage for work in self.works().values()}

    def works(self) -> dict[str, Work]:
        return dict(self.orchestrator.observe(self.leavers()))

    def drain(self, *ids: str, rounds: int = 4) -> None:
        """As the engine does: told as long as there is something to tell."""
        for _ in range(rounds):
            works = self.orchestrator.observe(self.leavers(*ids))
            told = tuple(i for i, work in works.items() if work.stage in (Stage.ACTIVE, Stage.PARTLY))
            if told:
                self.orchestrator.drain(self.leavers(*told))
            self.finish()


def _made(kind: str, account: Account, **keys: Any) -> Any:
    made: Any = KINDS[kind]
    return account.make(made, made.settings(**keys))


def _ecs(account: Account, stack: ExitStack, folder: Path) -> Bench:
    cluster = account.sandbox.join_cluster("web-blue", "shop")
    account.sandbox.join_cluster("web-green", "shop")
    made: Any = _made("ecs", account, cluster="shop")

    def finish() -> None:
        for each in cluster.containers.values():
            each.tasks = 0 if each.status == "DRAINING" else each.tasks

    return Bench(made, account, finish, cluster.containers.pop, account.slots())


def _ssm(account: Account, stack: ExitStack, folder: Path) -> Bench:
    known = account.sandbox.world.commands
    known.documents.update({"phoenix-logs", "phoenix-undo"})
    made: Any = _made("ssm", account, document="phoenix-logs", undo="phoenix-undo")
    return Bench(made, account, lambda: account.clock.advance(30), known.unmanaged.add, account.slots())


def _kubernetes(account: Account, stack: ExitStack, folder: Path) -> Bench:
    fake, slots = FakeKubernetes(), account.slots()
    nodes = {i.id: fake.add(i.id) for i in slots[BLUE].instances}
    config = folder / "kubeconfig"
    config.write_text(kubeconfig(stack.enter_context(serving(fake.respond))), encoding="utf-8")
    made: Any = _made("kubernetes", account, kubeconfig=str(config), context="shop")
    return Bench(made, account, fake.finish, lambda instance: fake.nodes.pop(nodes[instance]), slots)


def _consul(account: Account, stack: ExitStack, folder: Path) -> Bench:
    """Every agent is reached by the same address here, so the adapter is told of them by their names."""
    fake, slots = FakeConsul(), account.slots()
    agents: dict[str, str] = {}
    for live in account.fleet.live_instances(BLUE):
        address = str(live.private_address)
        fake.add(live.id, address)
        agents[address] = stack.enter_context(serving(fake.agent(f"node-{live.id}")))
    made: Any = Consul(
        ConsulSettings(address=stack.enter_context(serving(fake.respond))), account.scope, agents.__getitem__
    )

    def finish() -> None:
        account.clock.advance(11)
        fake.finish()

    return Bench(made, account, finish, lambda instance: fake.nodes.pop(f"node-{instance}"), slots)


BENCHES: dict[str, Callable[[Account, ExitStack, Path], Bench]] = {
    "ecs": _ecs,
    "ssm": _ssm,
    "kubernetes": _kubernetes,
    "consul": _consul,
}


@pytest.fixture(params=KINDS)
def bench(request: pytest.FixtureRequest, open_account: Opener, tmp_path: Path) -> Iterator[Bench]:
    with ExitStack() as stack:
        yield BENCHES[request.param](open_account(), stack, tmp_path)


def test_an_instance_that_takes_work_is_active_and_what_is_there_is_said(bench: Bench) -> None:
    assert bench.stages() == {Stage.ACTIVE}
    assert all(work.words and work.words == work.words.strip() for work in bench.works().values())


def test_once_told_it_is_empty_after_a_while(bench: Bench) -> None:
    bench.drain()

    assert {work.stage.has_none for work in bench.works().values()} == {True}


def test_only_the_instances_that_were_named_are_drained(bench: Bench) -> None:
    first, *others = bench.ids

    bench.drain(first)

    works = bench.works()
    assert works[first].stage.has_none
    assert {works[each].stage for each in others} == {Stage.ACTIVE}


def test_to_be_told_twice_changes_nothing(bench: Bench) -> None:
    bench.orchestrator.drain(bench.leavers())
    once = bench.works()

    bench.orchestrator.drain(bench.leavers())

    assert bench.works() == once


def test_what_stays_takes_work_again_and_twice_is_no_more(bench: Bench) -> None:
    bench.drain()

    for _ in range(2):
        bench.orchestrator.undrain(bench.leavers())
        bench.finish()

    assert {work.is_usable for work in bench.works().values()} == {True}


def test_what_was_never_drained_may_be_told_to_take_work(bench: Bench) -> None:
    bench.orchestrator.undrain(bench.leavers())

    assert bench.stages() == {Stage.ACTIVE}


def test_an_instance_that_comes_back_may_be_drained_again(bench: Bench) -> None:
    bench.drain()
    bench.orchestrator.undrain(bench.leavers())
    bench.finish()

    bench.drain()

    assert {work.stage.has_none for work in bench.works().values()} == {True}


def test_an_instance_that_it_does_not_know_is_no_error(bench: Bench) -> None:
    leavers = bench.leavers(STRANGER)

    bench.orchestrator.drain(leavers)
    bench.orchestrator.undrain(leavers)

    # Systems Manager is told what runs where, not who is there: one without an agent is waited for.
    assert {work.stage for work in bench.orchestrator.observe(leavers).values()} <= {Stage.ACTIVE}


def test_nothing_stands_in_the_way_of_a_start_on_a_good_day(bench: Bench) -> None:
    assert list(bench.orchestrator.find_blockers(bench.slots, BLUE)) == []


def test_a_live_instance_that_it_does_not_know_stands_in_the_way_of_a_start(bench: Bench) -> None:
    bench.leave_out(bench.ids[0])

    (blocker,) = bench.orchestrator.find_blockers(bench.slots, BLUE)

    assert blocker.name in bench.orchestrator.checks
    assert bench.ids[0] in blocker.text
    assert blocker.remedy


def test_a_live_group_without_instances_is_no_reason_to_refuse(bench: Bench) -> None:
    empty = {slot: replace(state, instances=()) for slot, state in bench.slots.items()}

    assert list(bench.orchestrator.find_blockers(empty, BLUE)) == []
