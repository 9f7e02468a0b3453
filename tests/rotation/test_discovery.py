"""Whole rotations of groups whose clients look instances up in Cloud Map: there is always one to be found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from phoenix.core.model import Outcome
from phoenix.sandbox import Call
from tests.rotation.conftest import OneOpener, Opener
from tests.rotation.one_stage import STRATEGIES, OneStage, an_in_place_policy
from tests.rotation.stage import Stage, a_policy, write_policy

REMEMBERED = 60
"""Seconds for which clients use an answer of DNS: the TTL of the service."""


class Clients:
    """The instances that clients know: those that are registered, and those that were within the TTL."""

    def __init__(self, stage: Stage, service: str) -> None:
        self.stage, self.service = stage, service
        self.found_none: list[str] = []
        self.dead: list[str] = []
        self.last: dict[str, Any] = {}
        self.has_begun = False
        stage.box.intercept(self._look)

    @property
    def found(self) -> set[str]:
        return self.stage.box.world.registry.found(self.service)

    def _look(self, call: Call, when: str) -> None:
        world = self.stage.box.world
        now, found = world.timeline.now, self.found
        self.has_begun = self.has_begun or bool(found)
        self.last |= dict.fromkeys(found, now)
        serving = {
            member.instance_id
            for group in world.scaling.groups.values()
            for member in group.members
            if member.lifecycle == "InService"
        }
        if self.has_begun and not found & serving:
            self.found_none.append(f"{now:%H:%M:%S} {call.operation}")
        known = {each for each, at in self.last.items() if (now - at).total_seconds() < REMEMBERED}
        if known - serving:
            self.dead.append(f"{now:%H:%M:%S} {call.operation}: {sorted(known - serving)}")


def with_service(stage: Stage, policy: dict[str, Any], **service: Any) -> Clients:
    """The policy with a service of Cloud Map, and its clients."""
    made = stage.box.world.registry.add_service(stage.name, **service)
    write_policy(stage.folder, policy | {"discovery": [{"kind": "cloud_map", "service": made, "port": 8080}]})
    return Clients(stage, made)


def assert_all_was_well(clients: Clients) -> None:
    assert clients.found_none == []
    assert clients.dead == []


def in_service(stage: Stage, *groups: str) -> set[str]:
    found = stage.box.world.scaling.groups
    return {m.instance_id for name in groups for m in found[name].members if m.lifecycle == "InService"}


POLICIES: dict[str, Callable[[], dict[str, Any]]] = {
    "blue_green": a_policy,
    "canary": lambda: a_policy(strategy=STRATEGIES["canary"]),
    "rolling": lambda: a_policy(strategy=STRATEGIES["rolling"]),
    "workers": lambda: a_policy("workers", traffic="none", gates=[], strategy=STRATEGIES["rolling"]),
}


@pytest.mark.parametrize("policy", POLICIES)
def test_a_pair_is_found_by_clients_from_beginning_to_end(open_stage: Opener, policy: str) -> None:
    stage = open_stage(POLICIES[policy]()["group"])
    clients = with_service(stage, POLICIES[policy]())

    stage.rotate()
    stage.clock.advance(300)
    stage.tick()

    assert stage.rotation.outcome is Outcome.SUCCEEDED, stage.rotation.reason
    stage.clock.advance(120)
    stage.box.world.catch_up()
    assert clients.found == in_service(stage, f"{stage.name}-green")
    assert_all_was_well(clients)


@pytest.mark.parametrize("policy", POLICIES)
def test_the_way_back_announces_the_old_generation_before_it_withdraws_the_new_one(
    open_stage: Opener, policy: str
) -> None:
    stage = open_stage(POLICIES[policy]()["group"])
    clients = with_service(stage, POLICIES[policy]())
    stage.rotate()

    stage.rollback()
    stage.tick()
    stage.clock.advance(120)
    stage.box.world.catch_up()

    assert stage.rotation.outcome is Outcome.ROLLED_BACK
    assert clients.found == in_service(stage, f"{stage.name}-blue")
    assert_all_was_well(clients)


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("group", ["api", "batch"])
def test_in_one_group_clients_find_an_instance_all_the_way_and_back(
    open_one: OneOpener, group: str, strategy: str
) -> None:
    stage: OneStage = open_one(group, strategy)
    clients = with_service(stage, an_in_place_policy(group, strategy=STRATEGIES[strategy], timeouts={"launch": "5m"}))

    stage.rotate()
    there = clients.found == in_service(stage, group)
    stage.rollback()
    stage.tick()

    assert there
    assert stage.rotation.outcome is Outcome.ROLLED_BACK
    assert clients.found == in_service(stage, group)
    assert_all_was_well(clients)
