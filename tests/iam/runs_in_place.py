"""Representative runs of one Auto Scaling group in place, with everything they asked of AWS."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from phoenix.aws.rights import Role
from tests.iam.runs import CANARY, Run, a_run, plans_and_looks
from tests.rotation.stage import BRISK, Stage, a_policy

HALF = {"kind": "canary", "steps": [{"weight": 50, "bake": "10m"}], "bake": "30s"}


def in_one_group(folder: Path) -> Run:
    """In place: hot again, then cold, and a look at every turn."""
    fleet = {"kind": "in_place", "auto_scaling_group": "web-blue"}
    gates = [BRISK, {"kind": "http", "path": "/healthz"}]
    with a_run(folder, policy=a_policy(fleet=fleet, traffic="attached", strategy=CANARY, gates=gates)) as run:
        stage = run.stage
        stage.box.open_web_servers()
        plans_and_looks(run)
        with run.by(Role.ROTATE):
            stage.rotate()
        plans_and_looks(run)
        with run.by(Role.ROLLBACK):
            stage.rollback()
        with run.by(Role.ROTATE):
            stage.rotate(force=True, ignore=frozenset({"quarantine"}), reason="once more")
            stage.clock.advance(3601)
            stage.tick_until(lambda _: stage.record.hot_until is None, every=60)
        with run.by(Role.ROLLBACK):
            stage.rollback()
    return run


def out_of_a_lost_reserve(folder: Path) -> Run:
    """In place behind a Classic Load Balancer and VPC Lattice. Instances of the old generation end while they stand by:
    the way back launches them anew, and lets them go on where the candidate's would have been held."""
    fleet = {"kind": "in_place", "auto_scaling_group": "legacy", "hooks": "harmless"}
    gates = [BRISK, {"kind": "http", "path": "/healthz", "port": 8080}]
    policy = a_policy("legacy", fleet=fleet, traffic="attached", strategy=HALF, gates=gates)
    with a_run(folder, "legacy", policy) as run:
        stage = run.stage
        stage.box.open_web_servers()
        _attach_lattice(stage)
        plans_and_looks(run)
        with run.by(Role.ROTATE):
            run.in_the_bake()
        for each in _standing_by(stage):
            stage.box.kill_instance(each)
        stage.clock.advance(60)
        with run.by(Role.ROLLBACK):
            stage.rollback()
    return run


def _attach_lattice(stage: Stage) -> None:
    arn = "arn:aws:vpc-lattice:eu-west-1:123456789012:targetgroup/tg-0123456789abcdef0"
    with stage.unnoticed():
        stage.client("autoscaling").attach_traffic_sources(
            AutoScalingGroupName=stage.name, TrafficSources=[{"Identifier": arn, "Type": "vpc-lattice"}]
        )
    stage.clock.advance(300)


def _standing_by(stage: Stage) -> list[str]:
    with stage.unnoticed():
        found = stage.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[stage.name])
    members = found["AutoScalingGroups"][0]["Instances"]
    return [str(each["InstanceId"]) for each in members if each["LifecycleState"] == "Standby"]


RUNS: tuple[Callable[[Path], Run], ...] = (in_one_group, out_of_a_lost_reserve)
