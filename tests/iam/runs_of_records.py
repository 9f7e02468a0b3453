"""Runs behind two load balancers, for `tests.iam.runs`: weights in records of Route 53."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from phoenix.aws.rights import Role
from phoenix.engine.request import RollbackRequest
from phoenix.engine.rollback import rollback
from phoenix.sandbox.seeding_records import ZONE
from tests.iam.runs import CANARY, Run, a_run, plans_and_looks
from tests.rotation.stage import a_policy


def back_by_records(folder: Path) -> Run:
    """A load balancer for each slot. Back by tags alone."""
    traffic = {"kind": "route53", "zone": ZONE, "name": "www.example.com", "propagation": "90s"}
    with a_run(folder, "shop", policy=a_policy("shop", traffic=traffic, strategy={**CANARY, "bake": "3m"})) as run:
        plans_and_looks(run)
        with run.by(Role.ROTATE):
            run.in_the_bake()
        plans_and_looks(run)
        (folder / "shop.yaml").unlink()
        with run.by(Role.ROLLBACK):
            found = run.stage.wiring(store=f"sqlite:///{folder}/other.db").group_for_rollback("shop")
            rollback(found, RollbackRequest(reason="it burns"))
    return run


RUNS: tuple[Callable[[Path], Run], ...] = (back_by_records,)
