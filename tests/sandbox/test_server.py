"""The sandbox over HTTP: for other programs, for the AWS CLI, and for probes of single instances."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from phoenix.sandbox import ManualClock, Physics, Server, environment, serve

PORT = 8080


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serve(clock=ManualClock(), groups=("web",), physics=Physics(boot_spread=0)) as running:
        yield running


def client_of(server: Server, service: str) -> Any:
    session: Any = boto3.Session("SANDBOX", "sandbox", region_name="eu-west-1")
    return session.client(service, endpoint_url=server.url)


def test_any_boto3_program_can_use_it(server: Server) -> None:
    groups = client_of(server, "autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]

    assert server.url.startswith("http://127.0.0.1:")
    assert [group["AutoScalingGroupName"] for group in groups] == ["web-blue", "web-green"]


def test_errors_arrive_in_their_service_s_protocol(server: Server) -> None:
    with pytest.raises(ClientError, match="ValidationError.*name not found"):
        client_of(server, "autoscaling").update_auto_scaling_group(AutoScalingGroupName="unknown", MinSize=1)


def test_throttling_is_retried_by_a_real_sdk(server: Server) -> None:
    server.sandbox.calls.clear()
    server.sandbox.throttle(["DescribeTargetGroups"], count=1)

    client_of(server, "elbv2").describe_target_groups()

    assert [call.error for call in server.sandbox.calls] == ["Throttling", None]


@pytest.mark.skipif(shutil.which("aws") is None, reason="the aws command is not installed")
def test_the_aws_command_line_works_with_the_environment_alone(server: Server) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    command = ["aws", "autoscaling", "describe-auto-scaling-groups", "--output", "json"]

    surroundings = kept | environment(server.url) | {"AWS_PAGER": ""}
    done = subprocess.run(command, env=surroundings, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)["AutoScalingGroups"]) == 2


def test_each_instance_answers_on_its_own_loopback_address(server: Server) -> None:
    instance, address = one_instance(server, 0)
    assert probe(address) == 200

    server.sandbox.make_unhealthy(instance)

    assert probe(address) == 503


def test_an_instance_answers_on_its_address_out_of_service_too(server: Server) -> None:
    instance, address = one_instance(server, 1)
    asked = {"AutoScalingGroupName": "web-blue", "ShouldDecrementDesiredCapacity": True}

    client_of(server, "autoscaling").enter_standby(InstanceIds=[instance], **asked)

    assert probe(address) == 200


def one_instance(server: Server, number: int) -> tuple[str, str]:
    """Another one for each test: they share the server."""
    found = client_of(server, "ec2").describe_instances()["Reservations"][number]["Instances"][0]
    return found["InstanceId"], found["PrivateIpAddress"]


def probe(address: str) -> int:
    connection = HTTPConnection(address, PORT, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status
    finally:
        connection.close()
