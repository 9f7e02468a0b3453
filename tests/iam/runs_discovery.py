"""Representative runs of groups whose clients look instances up, with everything they asked of AWS."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from phoenix.aws.rights import Role
from phoenix.engine.request import RollbackRequest
from phoenix.engine.rollback import rollback
from tests.iam.runs import ROLLING, Run, a_run, plans_and_looks
from tests.rotation.stage import a_policy

SERVICE = "srv-0123456789abcdef"


def found_in_one_group(folder: Path) -> Run:
    """In place: announced, withdrawn into Standby, and announced out of it again."""
    fleet = {"kind": "in_place", "auto_scaling_group": "web-blue"}
    return _there_and_back(folder, a_policy(fleet=fleet, traffic="attached"))


def found_in_a_pair(folder: Path) -> Run:
    """A pair that shrinks step by step, so that the withdrawn instances, and no others, are ended."""
    return _there_and_back(folder, a_policy(strategy=ROLLING))


def _there_and_back(folder: Path, policy: dict[str, Any]) -> Run:
    with a_run(folder, policy=policy | {"discovery": [{"kind": "cloud_map", "service": SERVICE}]}) as run:
        run.stage.box.world.registry.add_service(custom_health=True, called=SERVICE)
        plans_and_looks(run)
        with run.by(Role.ROTATE):
            run.stage.rotate()
        plans_and_looks(run)
        with run.by(Role.ROLLBACK):
            rollback(run.stage.driver("there/2"), RollbackRequest())
    return run


RUNS: tuple[Callable[[Path], Run], ...] = (found_in_one_group, found_in_a_pair)
