"""Runs that fail, and are asked why."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from phoenix.aws.rights import Role
from tests.iam.runs import ALARM, CANARY, Run, a_run
from tests.rotation.stage import a_policy


def back_from_a_bad_image(folder: Path) -> Run:
    """An alarm rings in the bake, and one of the new instances is sick: both are asked why."""
    with a_run(folder, policy=a_policy(gates=ALARM, strategy=CANARY)) as run:
        with run.by(Role.ROTATE):
            run.in_the_bake()
            run.stage.box.make_unhealthy(run.stage.instances("green")[0]["InstanceId"])
            run.stage.clock.advance(20)
            run.stage.box.set_alarm("web-5xx", "ALARM")
            run.stage.tick()
        evidence = run.stage.rotation.chronicle.evidence
        assert evidence is not None
        assert evidence.instances
        assert evidence.series
    return run


RUNS: tuple[Callable[[Path], Run], ...] = (back_from_a_bad_image,)
