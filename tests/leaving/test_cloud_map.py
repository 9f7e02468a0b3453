"""Cloud Map: operations that fail, health, what was forgotten, and a service that cannot be read."""

from __future__ import annotations

from typing import Any

import pytest

from phoenix.core.model import Slot
from phoenix.core.work import Stage
from phoenix.errors import LimitReached, TransientError
from phoenix.leaving.cloud_map import CloudMap, Settings
from phoenix.orchestrator import Leavers
from tests.account import Account


class Bench:
    """One service, and the first live instance."""

    def __init__(self, account: Account, port: int | None = 8080, **service: Any) -> None:
        self.account, self.known = account, account.sandbox.world.registry
        self.service = self.known.add_service(**service)
        self.registry = account.make(CloudMap, Settings(service=self.service, port=port))
        self.slots = account.slots()
        self.id = self.slots[Slot.BLUE].instances[0].id
        self.leavers = Leavers((self.id,), "web-42-test", account.clock.now(), generation=7)

    def announce(self) -> None:
        self.registry.undrain(self.leavers)
        self.account.clock.advance(15)
        self.account.sandbox.world.catch_up()

    def stage(self) -> Stage:
        return self.registry.observe(self.leavers)[self.id].stage

    def words(self) -> str:
        return self.registry.observe(self.leavers)[self.id].words


def test_it_is_not_found_before_the_operation_has_succeeded(account: Account) -> None:
    bench = Bench(account)

    bench.registry.undrain(bench.leavers)

    assert (bench.stage(), bench.words()) == (Stage.DRAINED, "is being registered")


def test_a_registration_that_failed_says_why(account: Account) -> None:
    bench = Bench(account)
    bench.known.failing[bench.id] = "The hosted zone was not found."

    bench.announce()

    assert bench.words() == "could not be registered: The hosted zone was not found."


def test_the_ttl_of_its_records_is_time_in_which_clients_may_know_it(account: Account) -> None:
    bench = Bench(account, records=(("A", 300),))
    bench.announce()
    bench.registry.drain(bench.leavers)

    account.clock.advance(310)
    then = (bench.stage(), "may be known to clients until" in bench.words())
    account.clock.advance(20)

    assert then == (Stage.LEAVING, True)
    assert bench.stage() is Stage.DRAINED


def test_in_an_http_namespace_there_is_no_ttl(account: Account) -> None:
    bench = Bench(account, namespace="HTTP")
    bench.announce()
    bench.registry.drain(bench.leavers)

    account.clock.advance(25)

    assert bench.stage() is Stage.DRAINED


def test_one_that_is_unhealthy_to_its_custom_check_is_not_found_and_its_health_is_left_alone(account: Account) -> None:
    bench = Bench(account, custom_health=True)
    bench.announce()
    (found,) = bench.known.backend.services[bench.service].instances
    assert found.attributes["AWS_INIT_HEALTH_STATUS"] == "HEALTHY"
    found.health_status = "UNHEALTHY"

    bench.announce()

    assert (bench.stage(), bench.words()) == (Stage.PARTLY, "is registered, and UNHEALTHY to Cloud Map")


def test_a_registration_that_was_not_asked_about_is_told_of(account: Account) -> None:
    bench = Bench(account)
    bench.announce()

    found = bench.registry.observe(Leavers((), "web-42-test", account.clock.now()))

    assert {each: work.stage for each, work in found.items()} == {bench.id: Stage.ACTIVE}


def test_a_service_that_is_full_is_a_limit(account: Account) -> None:
    bench = Bench(account)
    for number in range(1000):
        bench.known.backend.register_instance(bench.service, f"other-{number}", "", {})

    with pytest.raises(LimitReached, match="ResourceLimitExceeded"):
        bench.registry.undrain(bench.leavers)
    assert [b.name for b in bench.registry.find_blockers(bench.slots, Slot.BLUE)] == ["cloud-map-full"]


def test_throttling_is_tried_again_later(account: Account) -> None:
    bench = Bench(account)
    account.aws.refusals["servicediscovery:RegisterInstance"] = "RequestLimitExceeded"

    with pytest.raises(TransientError):
        bench.registry.undrain(bench.leavers)


def test_a_port_is_needed_for_srv_records(account: Account) -> None:
    bench = Bench(account, port=None, records=(("SRV", 60),))

    assert [b.name for b in bench.registry.find_blockers(bench.slots, Slot.BLUE)] == ["port-missing"]


@pytest.mark.parametrize(
    ("refusal", "name"),
    [("AccessDeniedException", "cloud-map-not-readable"), ("ServiceNotFound", "unknown-cloud-map-service")],
)
def test_a_service_that_cannot_be_read_stands_in_the_way(account: Account, refusal: str, name: str) -> None:
    bench = Bench(account)
    account.aws.refusals["servicediscovery:GetService"] = refusal

    (found,) = bench.registry.find_blockers(bench.slots, Slot.BLUE)

    assert found.name == name
    assert set(found.unchecked) == set(bench.registry.checks)
