"""Representative runs of groups whose instances are drained before they leave, with everything they asked of AWS."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from phoenix.aws.rights import Role
from tests.iam.runs import ROLLING, Run, a_run, plans_and_looks
from tests.rotation.stage import a_policy

STATIONS = [
    {"kind": "ecs", "cluster": "shop"},
    {"kind": "ssm", "document": "phoenix-logs", "undo": "phoenix-undo"},
]


def drained_in_one_group(folder: Path) -> Run:
    """In place: drained into Standby, and out of it again."""
    fleet = {"kind": "in_place", "auto_scaling_group": "web-blue"}
    policy = a_policy(fleet=fleet, traffic="attached", before_leaving=STATIONS)
    with a_run(folder, policy=policy) as run:
        _join(run, "web-blue")
        plans_and_looks(run)
        with run.by(Role.ROTATE):
            run.stage.rotate()
        plans_and_looks(run)
        with run.by(Role.ROLLBACK):
            run.stage.rollback()
    return run


def drained_in_a_pair(folder: Path) -> Run:
    """A pair that shrinks step by step, so that the drained instances, and no others, are ended."""
    with a_run(folder, policy=a_policy(strategy=ROLLING, before_leaving=STATIONS)) as run:
        _join(run, "web-blue", "web-green")
        with run.by(Role.ROTATE):
            run.stage.rotate()
    return run


def _join(run: Run, *groups: str) -> None:
    for group in groups:
        run.stage.box.join_cluster(group, "shop")
    provider = {
        "autoScalingGroupArn": run.stage.slot("blue")["AutoScalingGroupARN"],
        "managedTerminationProtection": "DISABLED",
    }
    with run.stage.unnoticed():
        ecs = run.stage.client("ecs")
        ecs.create_capacity_provider(name="web", autoScalingGroupProvider=provider)
        ecs.put_cluster_capacity_providers(
            cluster="shop", capacityProviders=["web"], defaultCapacityProviderStrategy=[]
        )
    run.stage.box.world.commands.documents.update({"phoenix-logs", "phoenix-undo"})


RUNS: tuple[Callable[[Path], Run], ...] = (drained_in_one_group, drained_in_a_pair)
