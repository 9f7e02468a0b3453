"""Registries that are slow, refuse, or are silent, and what others do to the instances that clients look up."""

from __future__ import annotations

from typing import Any

import pytest

from phoenix.core.model import Outcome
from phoenix.engine.control import pause
from phoenix.engine.plan import make_plan
from phoenix.engine.repair import find_repairs, repair
from phoenix.engine.request import RotateRequest
from phoenix.sandbox import Physics
from tests.rotation.conftest import OneOpener, Opener
from tests.rotation.one_stage import an_in_place_policy
from tests.rotation.stage import STEADY, Stage, a_policy
from tests.rotation.test_discovery import Clients, assert_all_was_well, in_service, with_service

SLOW = Physics(boot_spread=0, cloud_map=90)


def registered(clients: Clients, instance: str) -> dict[str, str]:
    """The attributes of a registration."""
    found = clients.stage.box.world.registry.backend.services[clients.service].instances
    return next(dict(each.attributes) for each in found if each.instance_id == instance)


def later(stage: Stage, seconds: float = 120, ticks: int = 3) -> None:
    """Cron goes on."""
    for _ in range(ticks):
        stage.clock.advance(seconds)
        stage.tick()
    stage.clock.advance(seconds)
    stage.box.world.catch_up()


@pytest.mark.parametrize("group", ["web", "workers"])
def test_a_slow_registry_is_waited_for_and_the_sentence_says_so(open_stage: Opener, group: str) -> None:
    traffic: dict[str, Any] = {} if group == "web" else {"traffic": "none", "gates": []}
    stage = open_stage(group, physics=SLOW)
    clients = with_service(stage, a_policy(group, retain={"hot_for": "0s"}, **traffic))

    stage.rotate()

    assert stage.rotation.outcome is Outcome.SUCCEEDED, stage.rotation.reason
    assert any("announced: i-" in said and "is being registered" in said for said in stage.said)
    assert_all_was_well(clients)


def test_each_registration_has_the_address_the_port_and_whose_it_is(open_stage: Opener) -> None:
    stage = open_stage()
    clients = with_service(stage, a_policy())

    stage.rotate()

    found = registered(clients, min(clients.found))
    assert found["AWS_INSTANCE_IPV4"]
    assert {**found, "AWS_INSTANCE_IPV4": ""} == {
        "AWS_INSTANCE_IPV4": "",
        "AWS_INSTANCE_PORT": "8080",
        "phoenix:group": "web",
        "phoenix:generation": "2",
    }


def test_a_registration_that_fails_keeps_the_old_instances_and_holds_with_the_reason(open_one: OneOpener) -> None:
    stage = open_one("batch")
    clients = with_service(stage, an_in_place_policy("batch", timeouts={"launch": "5m"}))
    old = in_service(stage, "batch")

    def fail(report: Any) -> None:
        if "baking" not in report.sentence and clients.found == old:
            stage.box.world.registry.failing[""] = "The hosted zone was not found."

    report = stage.rotate(fail)

    assert report.outcome is Outcome.HELD
    assert "could not be registered: The hosted zone was not found." in report.sentence
    assert clients.found == old
    assert_all_was_well(clients)


# --- the way back -----------------------------------------------------------------------------------------------------


def test_a_registry_that_does_not_answer_keeps_no_weight_from_going_back(open_stage: Opener) -> None:
    stage = open_stage()
    with_service(stage, a_policy())
    stage.rotate()
    stage.mark()
    stage.box.fail_calls(("ListInstances", "RegisterInstance", "ListOperations", "GetService"))
    looks: list[str] = []

    def watch(report: Any) -> None:
        looks.append(report.sentence)
        if len(looks) > 12:
            stage.box.mend_calls()

    stage.rollback(watch)

    assert stage.writes()[0] in ("ModifyListener", "ModifyRule")
    assert any("0 of 4 announced: i-" in told and "is not known" in told for told in looks)
    assert stage.rotation.outcome is Outcome.ROLLED_BACK


def test_the_first_write_of_a_rollback_waits_for_no_registry(open_stage: Opener) -> None:
    stage = open_stage()
    with_service(stage, a_policy())
    stage.rotate()
    stage.mark()

    stage.rollback()

    calls = [call.operation for call in stage.calls()]
    shift = next(n for n, name in enumerate(calls) if name in ("ModifyListener", "ModifyRule"))
    assert not {"ListInstances", "ListOperations", "GetService"} & set(calls[:shift])


# --- at rest, and what others do --------------------------------------------------------------------------------------


def a_success(open_stage: Opener, **sections: Any) -> tuple[Stage, Clients]:
    stage = open_stage(physics=STEADY)
    clients = with_service(stage, a_policy(**sections))
    stage.rotate()
    return stage, clients


def test_a_scale_out_at_rest_is_announced_and_a_scale_in_withdrawn_by_the_next_looks(open_stage: Opener) -> None:
    stage, clients = a_success(open_stage)

    stage.resize("green", DesiredCapacity=6)
    later(stage)
    more = set(clients.found)
    stage.resize("green", DesiredCapacity=3)
    later(stage)

    assert len(more) == 6
    assert clients.found == in_service(stage, "web-green")
    assert len(clients.found) == 3
    assert clients.found_none == []


def test_also_while_the_group_is_paused(open_stage: Opener) -> None:
    stage, clients = a_success(open_stage)
    pause(stage.group, "not tonight")

    stage.resize("green", DesiredCapacity=5)
    later(stage)

    assert clients.found == in_service(stage, "web-green")


def test_an_instance_that_dies_is_withdrawn_and_its_successor_announced(open_stage: Opener) -> None:
    stage, clients = a_success(open_stage)
    dead = min(clients.found)

    stage.box.kill_instance(dead)
    later(stage)

    assert dead not in clients.found
    assert clients.found == in_service(stage, "web-green")
    assert clients.found_none == []


def test_repair_names_a_registration_without_an_instance_and_withdraws_it(open_stage: Opener) -> None:
    stage, clients = a_success(open_stage)
    dead = min(clients.found)
    stage.box.kill_instance(dead)
    stage.clock.advance(300)

    found = find_repairs(stage.group)
    repair(stage.group, found)
    stage.clock.advance(30)
    stage.box.world.catch_up()

    assert any("without traffic still announced" in text and dead in text for text in found.texts)
    assert dead not in clients.found


def test_a_registration_of_another_writer_is_never_touched(open_stage: Opener) -> None:
    stage, clients = a_success(open_stage)
    with stage.unnoticed():
        stage.client("servicediscovery").register_instance(
            ServiceId=clients.service, InstanceId="legacy-1", Attributes={"AWS_INSTANCE_IPV4": "10.0.9.9"}
        )

    later(stage)

    assert "legacy-1" in clients.found


# --- before a start ---------------------------------------------------------------------------------------------------


def blockers(stage: Stage) -> dict[str, str]:
    return {each.name: each.text for each in make_plan(stage.group, RotateRequest()).in_the_way}


def test_live_instances_that_another_writer_has_registered_stand_in_the_way(open_stage: Opener) -> None:
    stage = open_stage()
    clients = with_service(stage, a_policy())
    first = min(in_service(stage, "web-blue"))
    with stage.unnoticed():
        stage.client("servicediscovery").register_instance(
            ServiceId=clients.service, InstanceId=first, Attributes={"AWS_INSTANCE_IPV4": "10.0.0.10"}
        )
    stage.clock.advance(30)

    plan = make_plan(stage.group, RotateRequest())

    (found,) = plan.in_the_way
    assert found.name == "registered-by-another"
    assert "--attributes AWS_INSTANCE_IPV4=10.0.0.10,phoenix:group=web" in str(found.remedy)


@pytest.mark.parametrize(
    ("service", "name"),
    [
        ({"namespace": "DNS_PUBLIC"}, "public-namespace"),
        ({"records": (("AAAA", 60),)}, "wrong-record-type"),
    ],
)
def test_a_service_that_instances_do_not_fit_stands_in_the_way(
    open_stage: Opener, service: dict[str, Any], name: str
) -> None:
    stage = open_stage()
    with_service(stage, a_policy(), **service)

    assert set(blockers(stage)) == {name}


def test_a_plan_writes_nothing_and_names_the_registry(open_stage: Opener) -> None:
    stage = open_stage()
    with_service(stage, a_policy())
    stage.mark()

    plan = make_plan(stage.group, RotateRequest())

    assert stage.writes() == []
    assert [station.kind for station in plan.discovery] == ["cloud_map"]


def test_a_full_service_holds_with_the_words_of_cloud_map(open_stage: Opener) -> None:
    stage = open_stage()
    with_service(stage, a_policy())
    stage.limit("RegisterInstance", code="ResourceLimitExceeded")

    report = stage.rotate()

    assert report.outcome is Outcome.HELD
    assert "RegisterInstance" in report.sentence


# --- with an orchestrator ---------------------------------------------------------------------------------------------


def test_clients_lose_sight_of_an_instance_before_its_tasks_move_and_all_of_it_comes_back(open_one: OneOpener) -> None:
    stage = open_one("api")
    stations = [{"kind": "ecs", "cluster": "shop", "timeout": "10m"}]
    clients = with_service(stage, an_in_place_policy("api", before_leaving=stations, timeouts={"launch": "5m"}))
    cluster = stage.box.join_cluster("api", "shop")

    stage.rotate()
    first = [call for call in stage.writes() if call in ("DeregisterInstance", "UpdateContainerInstancesState")]
    succeeded = stage.rotation.outcome
    stage.rollback()
    stage.tick()

    assert (succeeded, first[0]) == (Outcome.SUCCEEDED, "DeregisterInstance")
    assert stage.rotation.outcome is Outcome.ROLLED_BACK
    serving = in_service(stage, "api")
    assert clients.found == serving
    assert {cluster.containers[each].status for each in serving} == {"ACTIVE"}
    assert cluster.cut_off == 0
    assert_all_was_well(clients)
