"""Consul nodes: whose maintenance it is, tokens, and an agent that leaves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from phoenix.core.model import Slot
from phoenix.core.work import Stage
from phoenix.errors import AccessDenied, Unreachable
from phoenix.leaving.consul import Consul, Settings
from phoenix.orchestrator import Leavers
from tests.account import Account
from tests.leaving.servers import FakeConsul, serving


class Bench:
    """One node of a catalog, with its agent."""

    def __init__(self, account: Account, stack: ExitStack, **keys: Any) -> None:
        self.fake, self.account = FakeConsul(), account
        live = account.fleet.live_instances(Slot.BLUE)[0]
        self.id, self.name = live.id, f"node-{live.id}"
        self.fake.add(live.id, str(live.private_address))
        agent = stack.enter_context(serving(self.fake.agent(self.name)))
        settings = Settings(address=stack.enter_context(serving(self.fake.respond)), **keys)
        self.nodes = Consul(settings, account.scope, lambda address: agent)
        self.leavers = Leavers((live.id,), "web-42-test", account.clock.now())

    def stage(self) -> Stage:
        found = self.nodes.observe(self.leavers)
        return found[self.id].stage if found else Stage.ABSENT


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


def test_a_node_in_maintenance_is_drained_once_clients_have_forgotten_it(account: Account, stack: ExitStack) -> None:
    bench = Bench(account, stack)

    bench.nodes.drain(bench.leavers)
    assert bench.stage() is Stage.LEAVING
    account.clock.advance(11)

    assert bench.stage() is Stage.DRAINED


def test_the_maintenance_that_a_person_has_begun_is_never_ended(account: Account, stack: ExitStack) -> None:
    bench = Bench(account, stack)
    bench.fake.maintenance[bench.name] = "disk is being replaced"

    bench.nodes.undrain(bench.leavers)

    assert bench.fake.maintenance == {bench.name: "disk is being replaced"}
    assert bench.stage() is Stage.DRAINED


def test_an_agent_that_is_to_leave_does_so_after_the_maintenance(account: Account, stack: ExitStack) -> None:
    bench = Bench(account, stack, deregister=True)
    bench.nodes.drain(bench.leavers)
    assert bench.fake.leaving == set()
    account.clock.advance(11)

    bench.nodes.drain(bench.leavers)
    bench.fake.finish()

    assert bench.stage() is Stage.ABSENT


def test_the_token_is_the_one_of_the_named_variable(
    account: Account, stack: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(account, stack, token_env="SHOP_TOKEN")
    bench.fake.token = "s3cret"
    with pytest.raises(AccessDenied, match="403") as refused:
        bench.stage()
    assert "SHOP_TOKEN" in str(refused.value.hint)

    monkeypatch.setenv("SHOP_TOKEN", "s3cret")

    assert bench.stage() is Stage.ACTIVE


def test_a_consul_that_does_not_answer_is_unreachable_and_stands_in_the_way(account: Account) -> None:
    nodes = Consul(Settings(address="http://127.0.0.1:9"), account.scope)
    slots = account.slots()

    with pytest.raises(Unreachable):
        nodes.observe(Leavers((slots[Slot.BLUE].instances[0].id,), "web-42-test", account.clock.now()))
    assert [b.name for b in nodes.find_blockers(slots, Slot.BLUE)] == ["consul-unreachable"]
