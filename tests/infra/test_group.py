"""The example group, applied by Terraform to the sandbox, rotated there, and looked at by Terraform again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from phoenix.sandbox import ScaledClock, Server, environment, serve
from tests.infra.terraform import Module, missing
from tests.rotation.stage import a_policy, write_policy

GROUP = Path(__file__).parents[2] / "infra/terraform/group"
PATIENCE_S = 60
SPEED = 120
IMAGE_TAGS = {"service": "shop", "channel": "stable"}

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing())


@dataclass(frozen=True, slots=True)
class Shop:
    """The group, as Terraform knows it and as an operator does."""

    server: Server
    module: Module
    folder: Path
    planned: list[tuple[int, Any]] = field(default_factory=list)
    """What `plan` said before any test has rotated it."""

    def phoenix(self, *arguments: str) -> tuple[int, Any]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PHOENIX_"))}
        ours = {
            "PHOENIX_POLICIES": str(self.folder),
            "PHOENIX_STORE": f"sqlite:///{self.folder}/phoenix.db",
            "PHOENIX_POLL_SECONDS": "0.2",
        }
        command = [sys.executable, "-m", "phoenix", *arguments, "--group", "shop", "-o", "json"]
        surroundings = kept | environment(self.server.url) | ours
        answer = subprocess.run(
            command, env=surroundings, capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )
        return answer.returncode, json.loads(answer.stdout)

    def share(self, slot: str) -> float:
        return self.server.sandbox.serving()[f"shop-{slot}"].lowest_share


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("shop")
    # A group of its own, which brings the network along that the module wants to be told of.
    with serve(clock=ScaledClock(SPEED), groups=("single",), web_servers=False) as server:
        now = datetime.now(UTC)
        old = server.sandbox.bake_image("shop-1", created_at=now - timedelta(days=7), tags=IMAGE_TAGS)
        module = Module.copied(GROUP, folder / "module", environment(server.url))
        module.apply({**network(server), "name": "shop", "image_id": old, "clients": ["10.0.0.0/8"]})
        server.sandbox.bake_image("shop-2", created_at=now, tags=IMAGE_TAGS)
        shop = Shop(server, module, folder / "policies")
        shop.folder.mkdir()
        write_policy(shop.folder, the_policy(module))
        shop.planned.append(shop.phoenix("plan", "--detailed-exitcode"))
        yield shop


def network(server: Server) -> dict[str, Any]:
    ec2 = server.sandbox.session.client("ec2")
    found = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["web"]}])["SecurityGroups"][0]
    of_vpc = [{"Name": "vpc-id", "Values": [found["VpcId"]]}]
    subnets = [subnet["SubnetId"] for subnet in ec2.describe_subnets(Filters=of_vpc)["Subnets"]]
    return {"vpc_id": found["VpcId"], "load_balancer_subnet_ids": subnets, "instance_subnet_ids": subnets}


def the_policy(module: Module) -> dict[str, Any]:
    """With what the module says of itself, and with short rests: the command line lives in real time."""
    found = module.outputs()
    return a_policy(
        "shop",
        fleet=found["fleet"],
        traffic={"kind": "alb", "propagation": "1s"},
        strategy={"kind": "blue_green", "bake": "1s"},
        gates=[{"kind": "target_health", "healthy_for": "1s"}, {"kind": "alarm", "alarms": found["alarms"]}],
    )


def test_nothing_stands_in_the_way_of_a_group_that_terraform_has_made(shop: Shop) -> None:
    ((status, plan),) = shop.planned

    assert (status, plan["blockers"]) == (10, [])


def test_terraform_wants_nothing_back_after_a_rotation_nor_after_a_rollback(shop: Shop) -> None:
    forward, rotated = shop.phoenix("rotate")
    after_the_rotation = shop.module.changes()
    share = shop.share("green")
    back, returned = shop.phoenix("rollback")
    after_the_rollback = shop.module.changes()

    assert (forward, rotated["outcome"], share) == (0, "succeeded", 1.0)
    assert (back, returned["outcome"], shop.share("blue")) == (0, "rolled_back", 1.0)
    assert (after_the_rotation, after_the_rollback) == ("", "")
