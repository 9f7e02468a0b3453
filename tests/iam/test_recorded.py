"""Every call of the representative runs held against the documents: too little fails, and too much as well."""

from __future__ import annotations

from pathlib import Path

import pytest

from phoenix.aws.rights import Role
from tests.iam import (
    runs_discovery,
    runs_failed,
    runs_in_place,
    runs_leaving,
    runs_of_persons,
    runs_of_records,
)
from tests.iam.recorder import DOCUMENTS, granted, refused, used
from tests.iam.runs import RUNS, Run

NOT_ON_THE_SANDBOX = {
    ("ActAs", "sts:AssumeRole"): "the sandbox has one account",
    ("LaunchWith", "ec2:RunInstances"): "its templates name no key, placement group or snapshot",
    ("PassInstanceRole", "iam:PassRole"): "its instances have no role",
    ("Read", "cloudwatch:GetMetricStatistics"): "its quotas name no metric",
    ("ReadParameters", "ssm:GetParameters"): "EC2 asks for it on the caller's behalf",
    ("WakeWorkers", "lambda:InvokeFunction"): "its sweep wakes workers in its own process",
}
"""Granted, and never used by a run; everything else that is granted has to be."""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Run]:
    found = (
        *RUNS,
        *runs_failed.RUNS,
        *runs_in_place.RUNS,
        *runs_leaving.RUNS,
        *runs_of_persons.RUNS,
        *runs_of_records.RUNS,
        *runs_discovery.RUNS,
    )
    return [run(tmp_path_factory.mktemp("iam") / Path(run.__name__)) for run in found]


@pytest.mark.parametrize("role", list(Role))
def test_no_document_grants_too_little(runs: list[Run], role: Role) -> None:
    asked = [request for run in runs for request in run.requests[role]]

    assert asked
    assert refused(asked, DOCUMENTS[role]) == []


def test_the_rotate_role_may_do_all_that_is_ever_asked(runs: list[Run]) -> None:
    asked = [request for run in runs for role in Role for request in run.requests[role]]

    assert refused(asked, DOCUMENTS[Role.ROTATE]) == []


@pytest.mark.parametrize("role", list(Role))
def test_the_document_of_its_own_policy_is_enough_for_every_run(runs: list[Run], role: Role) -> None:
    for run in runs:
        assert refused(run.requests[role], run.own[role]) == []


@pytest.mark.parametrize("role", list(Role))
def test_no_document_grants_too_much(runs: list[Run], role: Role) -> None:
    # A rollback may be what a tick finishes, so a driver that rotates uses all that a rollback was seen to use.
    roles = list(Role) if role is Role.ROTATE else [role]
    asked = [request for run in runs for each in roles for request in run.requests[each]]

    unused = set(granted(DOCUMENTS[role])) - used(asked, DOCUMENTS[role]) - set(NOT_ON_THE_SANDBOX)

    assert sorted(unused) == []


def test_a_right_that_is_missing_is_noticed(runs: list[Run]) -> None:
    asked = [request for run in runs for role in Role for request in run.requests[role]]

    for statement in (s for s in DOCUMENTS[Role.ROTATE]["Statement"] if s["Effect"] == "Allow"):
        if (statement["Sid"], statement["Action"][0]) in NOT_ON_THE_SANDBOX:
            continue
        without = {"Statement": [s for s in DOCUMENTS[Role.ROTATE]["Statement"] if s is not statement]}
        assert refused(asked, without), f"no run misses {statement['Sid']}"
