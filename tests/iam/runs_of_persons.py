"""What persons ask, and mark, without a rotation."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from phoenix.aws.rights import Role
from phoenix.engine.drift import find_drift
from phoenix.engine.taint import taint, untaint
from phoenix.inventory.half_facts import read_original
from phoenix.inventory.read import Question, read_account
from tests.iam.runs import Run, a_run


def a_snowflake(folder: Path) -> Run:
    """An instance is looked into by hand: found, marked, and let be."""
    with a_run(folder) as run:
        stage = run.stage
        with run.by(Role.PLAN):
            find_drift(stage.group, deep=True)
        with run.by(Role.ROTATE):
            instance = stage.instances("blue")[0]["InstanceId"]
            stage.wiring().groups_of_instances([instance])
            taint(stage.group, [instance], "looking into the cache")
            untaint(stage.group, [instance])
    return run


def before_any_policy(folder: Path) -> Run:
    """What `phoenix init` asks of an account, policies included."""
    with a_run(folder) as run, run.by(Role.PLAN):
        found = read_account(run.stage.aws, Question(run.stage.clock.now(), wanted=None))
        read_original(run.stage.aws, found.described["web-blue"])
    return run


RUNS: tuple[Callable[[Path], Run], ...] = (before_any_policy, a_snowflake)
