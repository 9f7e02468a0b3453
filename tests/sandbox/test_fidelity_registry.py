"""Cloud Map on the sandbox: operations, refusals and limits, as its API reference says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from phoenix.sandbox import ManualClock, Sandbox

ADDRESS = {"AWS_INSTANCE_IPV4": "10.0.0.1"}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def box(clock: ManualClock) -> Iterator[Sandbox]:
    with Sandbox(clock=clock, seed_group=False) as opened:
        yield opened


def cloud_map(box: Sandbox) -> Any:
    session: Any = box.session
    return session.client("servicediscovery")


def registered(box: Sandbox, service: str) -> list[str]:
    return [each["Id"] for each in cloud_map(box).list_instances(ServiceId=service)["Instances"]]


def refusal(call: Any, **parameters: Any) -> str:
    with pytest.raises(ClientError) as refused:
        call(**parameters)
    return str(refused.value.response["Error"]["Code"])


def test_an_instance_is_listed_once_its_operation_has_succeeded(box: Sandbox, clock: ManualClock) -> None:
    service = box.world.registry.add_service()

    operation = cloud_map(box).register_instance(ServiceId=service, InstanceId="i-1", Attributes=ADDRESS)["OperationId"]
    statuses = [cloud_map(box).get_operation(OperationId=operation)["Operation"]["Status"]]
    assert registered(box, service) == []
    for _ in range(2):
        clock.advance(6)
        statuses.append(cloud_map(box).get_operation(OperationId=operation)["Operation"]["Status"])

    assert statuses == ["SUBMITTED", "PENDING", "SUCCESS"]
    assert registered(box, service) == ["i-1"]


def test_one_operation_on_an_instance_at_a_time(box: Sandbox) -> None:
    service = box.world.registry.add_service()
    cloud_map(box).register_instance(ServiceId=service, InstanceId="i-1", Attributes=ADDRESS)

    again = refusal(
        cloud_map(box).register_instance, ServiceId=service, InstanceId="i-1", Attributes=ADDRESS, CreatorRequestId="b"
    )

    assert again == "DuplicateRequest"


def test_registering_again_changes_what_is_there(box: Sandbox, clock: ManualClock) -> None:
    service = box.world.registry.add_service()
    for port in ("80", "81"):
        cloud_map(box).register_instance(
            ServiceId=service, InstanceId="i-1", Attributes={**ADDRESS, "AWS_INSTANCE_PORT": port}
        )
        clock.advance(12)

    (found,) = cloud_map(box).list_instances(ServiceId=service)["Instances"]

    assert found["Attributes"]["AWS_INSTANCE_PORT"] == "81"


@pytest.mark.parametrize(
    ("records", "attributes"),
    [
        ((("A", 60),), {"AWS_INSTANCE_PORT": "80"}),
        ((("SRV", 60),), ADDRESS),
        ((("A", 60),), {"AWS_EC2_INSTANCE_ID": "i-1"}),
        ((("A", 60),), {**ADDRESS, "AWS_INIT_HEALTH_STATUS": "HEALTHY"}),
        ((("A", 60),), {**ADDRESS, **{f"key-{n}": "1" for n in range(31)}}),
    ],
    ids=["no address", "no port", "EC2 id with DNS", "no custom health", "31 attributes"],
)
def test_attributes_that_do_not_fit_are_refused(
    box: Sandbox, records: tuple[tuple[str, int], ...], attributes: dict[str, str]
) -> None:
    service = box.world.registry.add_service(records=records)

    told = refusal(cloud_map(box).register_instance, ServiceId=service, InstanceId="i-1", Attributes=attributes)

    assert told == "InvalidInput"


def test_an_unknown_service_and_an_unknown_instance_have_codes_of_their_own(box: Sandbox) -> None:
    service = box.world.registry.add_service()

    assert refusal(cloud_map(box).get_service, Id="srv-none") == "ServiceNotFound"
    assert refusal(cloud_map(box).deregister_instance, ServiceId=service, InstanceId="i-9") == "InstanceNotFound"
    assert refusal(cloud_map(box).get_operation, OperationId="none") == "OperationNotFound"


def test_operations_are_found_by_service_kind_and_time(box: Sandbox, clock: ManualClock) -> None:
    service = box.world.registry.add_service()
    cloud_map(box).register_instance(ServiceId=service, InstanceId="i-1", Attributes=ADDRESS)
    clock.advance(12)
    now = int(clock.now().timestamp())

    def found(name: str, condition: str, *values: str) -> int:
        asked = [{"Name": name, "Condition": condition, "Values": list(values)}]
        return len(cloud_map(box).list_operations(Filters=asked)["Operations"])

    assert found("SERVICE_ID", "EQ", service) == 1
    assert found("TYPE", "IN", "DEREGISTER_INSTANCE") == 0
    assert found("UPDATE_DATE", "BETWEEN", str(now - 60), str(now)) == 1
    assert found("UPDATE_DATE", "BETWEEN", str(now + 60), str(now + 90)) == 0
