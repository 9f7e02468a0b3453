"""A program passes with 0, is asked again after 75, and fails with anything else; its last words are the reason."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest
from pydantic import ValidationError

from phoenix.core.model import Cause, Judgement, Observation, Slot, TargetState, Verdict
from phoenix.gates.command import FUNCTION, CommandGate, Settings
from phoenix.gates.command_runs import Asked, Ended, Runs
from tests.account import Account
from tests.builders import a_generation, a_rotation
from tests.fakes_gate import FakeRuns

BLUE, GREEN = Slot.BLUE, Slot.GREEN
PASS, WAIT, FAIL = Judgement.PASS, Judgement.WAIT, Judgement.FAIL
ON_PATH = {"PATH": "/usr/bin:/bin"}


def a_gate(account: Account, runs: Any, environ: Mapping[str, str] = ON_PATH, **changes: Any) -> CommandGate:
    settings = Settings(**({"command": ("/srv/checks/smoke", "--fast")} | changes))
    return account.make(CommandGate, settings, runs=runs, environ=environ)


def look(account: Account, gate: CommandGate, memo: str = "") -> Verdict:
    blue = account.slots()[BLUE]
    healthy = tuple(replace(each, target=TargetState.HEALTHY) for each in blue.instances)
    green = replace(blue, slot=GREEN, instances=healthy)
    rotation = a_rotation(new=a_generation(42, template_version="1"), memos={gate.name: memo} if memo else {})
    return gate.check(rotation, Observation(at=account.clock.now(), slots={BLUE: blue, GREEN: green}))


@pytest.mark.parametrize(
    ("ended", "judgement", "reason", "cause"),
    [
        (Ended(0, "9 passed\n"), PASS, "9 passed", Cause.IMAGE),
        (Ended(0, ""), PASS, "exit status 0", Cause.IMAGE),
        (Ended(75, "3 of 9\n"), WAIT, "3 of 9", Cause.ENVIRONMENT),
        (Ended(1, "checkout\n  answered 500\n"), FAIL, "exit status 1: checkout answered 500", Cause.IMAGE),
        (Ended(-9, ""), FAIL, "was ended by signal 9:", Cause.ENVIRONMENT),
        (Ended(None, "/srv/checks/smoke: Permission denied"), FAIL, "could not be started", Cause.ENVIRONMENT),
        (Ended(None, "still going", late=True), FAIL, "was stopped after 10m: still going", Cause.ENVIRONMENT),
        (None, WAIT, "runs", Cause.ENVIRONMENT),
    ],
)
def test_the_exit_status_is_the_verdict(
    account: Account, ended: Ended | None, judgement: Judgement, reason: str, cause: Cause
) -> None:
    verdict = look(account, a_gate(account, FakeRuns(ended)))

    assert (verdict.judgement, verdict.cause) == (judgement, cause)
    assert verdict.reason.startswith(reason)


def test_the_program_gets_the_candidates_addresses_in_its_environment_and_all_of_it_as_json(account: Account) -> None:
    runs = FakeRuns()

    look(account, a_gate(account, runs))

    ((name, asked),) = runs.begun.items()
    question = json.loads(asked.question)
    instances = sorted(question["candidate"]["instances"], key=lambda each: str(each["id"]))
    assert list(asked.command) == ["/srv/checks/smoke", "--fast"]
    assert (question["id"], question["group"], question["phase"]) == (name, "web", "before traffic")
    assert [each["id"] for each in instances] == sorted(i.id for i in account.slots()[BLUE].instances)
    assert asked.environment["PHOENIX_ADDRESSES"].split() == [each["private_address"] for each in instances]
    assert asked.environment["PHOENIX_GENERATION"] == "42"


def test_another_process_goes_on_with_the_run_that_the_record_names(account: Account) -> None:
    runs = FakeRuns(None)
    begun = look(account, a_gate(account, runs))
    runs.ends = Ended(0, "fine")

    verdict = look(account, a_gate(account, runs), begun.memo)

    assert verdict.judgement is PASS
    assert len(runs.begun) == 1


def test_a_run_that_was_lost_with_its_machine_is_begun_again(account: Account) -> None:
    begun = look(account, a_gate(account, FakeRuns(None), ask_every="0s"))

    lost = look(account, a_gate(account, FakeRuns(), ask_every="0s"), begun.memo)
    verdict = look(account, a_gate(account, FakeRuns(), ask_every="0s"), lost.memo)

    assert (lost.judgement, lost.reason) == (WAIT, "its run was lost with its process, and is begun again")
    assert verdict.judgement is PASS


def test_a_run_on_another_machine_is_begun_again_here(account: Account) -> None:
    begun = look(account, a_gate(account, FakeRuns(None)))
    elsewhere = begun.memo.replace(a_gate(account, FakeRuns())._host + ":", "other-machine:")

    verdict = look(account, a_gate(account, FakeRuns()), elsewhere)

    assert (verdict.judgement, verdict.reason) == (WAIT, "its run was on other-machine, and is begun again here")


def test_in_a_function_nothing_is_run(account: Account) -> None:
    runs = FakeRuns()
    gate = a_gate(account, runs, environ=ON_PATH | {FUNCTION: "phoenix-advance"})

    assert [blocker.name for blocker in gate.find_blockers({}, BLUE)] == ["command-in-function"]
    assert look(account, gate).judgement is FAIL
    assert runs.begun == {}


def test_a_program_that_is_not_there_stops_the_start(account: Account) -> None:
    assert [each.name for each in a_gate(account, FakeRuns()).find_blockers({}, BLUE)] == ["command-not-found"]
    assert a_gate(account, FakeRuns(), command=("true",)).find_blockers({}, BLUE) == []


@pytest.mark.parametrize("command", [(), ("",), ("checks/smoke",), ("./smoke",)])
def test_the_program_is_on_the_path_or_absolute(command: tuple[str, ...]) -> None:
    with pytest.raises(ValidationError):
        Settings(command=command)


def test_two_programs_of_one_name_are_told_apart_by_the_name_that_the_policy_gives(account: Account) -> None:
    assert a_gate(account, FakeRuns()).name == "command smoke"
    assert a_gate(account, FakeRuns(), name="load test").name == "command load test"


class Waited(Runs):
    """Real programs, each waited for: a test does not look again and again."""

    def begin(self, name: str, asked: Asked, at: datetime) -> Popen[bytes] | None:
        begun = super().begin(name, asked, at)
        if begun is not None:
            begun.wait(30)
        return begun


def test_a_real_program_reads_the_question_and_is_judged(account: Account, tmp_path: Path) -> None:
    command = ("sh", "-c", 'test -n "$PHOENIX_INSTANCES" && grep -o "before traffic"')

    verdict = look(account, a_gate(account, Waited(tmp_path / "gates"), command=command))

    assert (verdict.judgement, verdict.reason.split(" (")[0]) == (PASS, "before traffic")
