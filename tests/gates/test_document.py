"""A document runs on the new instances, once each for a question, and its failure is told in its own words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from phoenix.core.model import Cause, Judgement, Observation, Slot, TargetState, Verdict
from phoenix.gates.document import Settings, SsmGate
from phoenix.sandbox.commands import Commands
from tests.account import Account
from tests.builders import a_generation, a_rotation

BLUE, GREEN = Slot.BLUE, Slot.GREEN
PASS, WAIT, FAIL = Judgement.PASS, Judgement.WAIT, Judgement.FAIL
GOSS = "phoenix-goss"


@pytest.fixture
def commands(account: Account) -> Commands:
    """The account's Run Command, with the document."""
    found = account.sandbox.world.commands
    found.documents.add(GOSS)
    return found


def a_gate(account: Account, **changes: Any) -> SsmGate:
    return account.make(SsmGate, Settings.model_validate({"document": GOSS, "ask_every": "0s"} | changes))


def look(account: Account, gate: SsmGate, memo: str = "") -> Verdict:
    blue = account.slots()[BLUE]
    healthy = tuple(replace(each, target=TargetState.HEALTHY) for each in blue.instances)
    seen = Observation(at=account.clock.now(), slots={BLUE: blue, GREEN: replace(blue, slot=GREEN, instances=healthy)})
    memos = {gate.name: memo} if memo else {}
    started = account.sandbox.world.timeline.now.replace(hour=0)
    rotation = a_rotation(new=a_generation(42, template_version="1"), started_at=started, memos=memos)
    return gate.check(rotation, seen)


def instances(account: Account) -> list[str]:
    return sorted(each.id for each in account.slots()[BLUE].instances)


def test_it_runs_once_on_each_instance_and_passes_once_all_have_succeeded(account: Account, commands: Commands) -> None:
    first = look(account, a_gate(account))
    again = look(account, a_gate(account), first.memo)
    account.clock.advance(600)
    last = look(account, a_gate(account), again.memo)

    assert [each.judgement for each in (first, again, last)] == [WAIT, WAIT, PASS]
    assert again.reason == "runs: done on 0 of 4"
    assert last.reason.startswith("succeeded on 4 instances")
    assert sorted(each.instance_id for each in commands.invocations) == instances(account)


def test_a_driver_that_died_before_it_could_note_the_run_does_not_run_it_again(
    account: Account, commands: Commands
) -> None:
    look(account, a_gate(account))
    look(account, a_gate(account))

    assert len(commands.invocations) == 4


def test_its_last_words_are_the_reason_of_a_failure_and_the_image_is_to_blame(
    account: Account, commands: Commands
) -> None:
    commands.failing.add(GOSS)
    commands.outputs[GOSS] = "Port: tcp:8080: listening: doesn't match, expect: true found: false\nFailed: 1\n"
    begun = look(account, a_gate(account))
    account.clock.advance(600)

    verdict = look(account, a_gate(account), begun.memo)

    assert (verdict.judgement, verdict.cause) == (FAIL, Cause.IMAGE)
    assert verdict.reason.startswith(f"Failed on 4 of 4, {instances(account)[0]}: Port: tcp:8080")
    assert verdict.reason.endswith("Failed: 1")


def test_a_retry_runs_it_anew_on_each(account: Account, commands: Commands) -> None:
    commands.failing.add(GOSS)
    begun = look(account, a_gate(account, retries=1))
    account.clock.advance(600)
    failed = look(account, a_gate(account, retries=1), begun.memo)
    commands.failing.clear()

    again = look(account, a_gate(account, retries=1), failed.memo)
    account.clock.advance(600)

    assert failed.reason.startswith("failed, try 1 of 2, and is asked again")
    assert look(account, a_gate(account, retries=1), again.memo).judgement is PASS
    assert len(commands.invocations) == 8


def test_an_instance_whose_agent_does_not_answer_yet_is_waited_for_and_the_others_run(
    account: Account, commands: Commands
) -> None:
    slow = instances(account)[0]
    commands.unmanaged.add(slow)

    first = look(account, a_gate(account))
    commands.unmanaged.clear()
    account.clock.advance(120)
    second = look(account, a_gate(account), first.memo)

    assert (first.judgement, first.reason) == (WAIT, f"no agent of Systems Manager answers on {slow}")
    assert second.reason == "runs: done on 3 of 4"


def test_some_may_run_it_instead_of_all(account: Account, commands: Commands) -> None:
    look(account, a_gate(account, instances=1))

    assert [each.instance_id for each in commands.invocations] == instances(account)[:1]


def test_a_comment_fits_into_what_systems_manager_takes(account: Account, commands: Commands) -> None:
    look(account, a_gate(account))

    assert {len(each.comment) <= 100 for each in commands.invocations} == {True}


def test_a_document_that_is_not_there_stops_the_start_and_looking_for_it_runs_none(account: Account) -> None:
    gate = a_gate(account)

    assert [blocker.name for blocker in gate.find_blockers({}, BLUE)] == ["ssm-document-unknown"]
    account.sandbox.world.commands.documents.add(GOSS)
    assert gate.find_blockers({}, BLUE) == []
    assert account.sandbox.world.commands.invocations == []


def test_without_the_right_to_read_the_document_it_is_said(account: Account, commands: Commands) -> None:
    account.aws.refusals["ssm:DescribeDocument"] = "AccessDeniedException"

    (blocker,) = a_gate(account).find_blockers({}, BLUE)

    assert (blocker.name, blocker.warning) == ("ssm-document-not-readable", True)


@pytest.mark.parametrize("document", ["", "a", "a b", "x" * 129])
def test_a_name_is_one_that_systems_manager_takes(document: str) -> None:
    with pytest.raises(ValidationError):
        Settings(document=document)
