"""`tick` on the command line: what cron puts into its mail."""

from __future__ import annotations

import pytest

from phoenix.cli.tick import _Pass, _trouble_of
from phoenix.core.many.limits import IDLE
from phoenix.errors import Throttled
from tests.cli.conftest import Terminal


def test_tick_tells_several_problems_line_by_line(phoenix: Terminal) -> None:
    (phoenix.folder / "web.yaml").write_text("version: 1\ngroup: web\nflet: {}\ntrafic: {}\n")

    answer = phoenix("tick")

    assert answer.status == 2
    assert "\\x0a" not in answer.err


def test_one_pass_starts_goes_on_and_comes_to_rest(phoenix: Terminal) -> None:
    said = [phoenix("tick")]
    while phoenix("status web -o json").document["outcome"] == "in_progress":
        phoenix.clock.sleep(60)
        said.append(phoenix("tick"))

    assert {answer.status for answer in said} == {0}
    assert said[-1].out == "web: generation 2 has all traffic; nothing temporary is left\n"


def test_idle_groups_are_looked_at_together_and_answered_for(phoenix: Terminal) -> None:
    phoenix("rotate web -q")
    phoenix.clock.sleep(7200)
    phoenix("tick")
    phoenix.clock.sleep(60)

    answer = phoenix("tick -o json")

    assert [(each["group"], each["outcome"]) for each in answer.document] == [("web", "none")]
    assert (phoenix.writes, len(phoenix.sandbox.calls) <= 4) == ([], True)


def test_limits_may_be_passed_over_by_hand(phoenix: Terminal) -> None:
    (phoenix.folder / "phoenix.yaml").write_text("limits: {in_flight: 1}\nbreaker: {rollbacks: 1, within: 6h}\n")
    phoenix("rotate web -q")
    phoenix("rollback web -q")

    assert phoenix("plan web --force --ignore breaker -o json").document["blockers"][0]["name"] == "quarantine"
    assert phoenix("plan web --force --ignore limit,breaker,quarantine").status == 0


def test_a_group_that_meets_a_defect_is_named_and_makes_the_pass_fail(capsys: pytest.CaptureFixture[str]) -> None:
    done = _Pass()

    with _trouble_of("web", done):
        raise ZeroDivisionError("division by zero")

    assert (done.exit_status, done.documents["web"]["group"]) == (1, "web")
    assert "web: " in (said := capsys.readouterr().err)
    assert "a defect in phoenix: ZeroDivisionError" in said


def test_idle_groups_that_could_not_be_looked_at_make_the_pass_fail(capsys: pytest.CaptureFixture[str]) -> None:
    done = _Pass()

    done.fail_for_all(Throttled("slow down"))

    assert (done.exit_status, done.documents, [*done.errors]) == (1, {}, [IDLE])
    assert capsys.readouterr().err == "phoenix: the idle groups could not be looked at: slow down\n"


@pytest.mark.parametrize("command", ["tick", "tick web"])
def test_a_broken_file_is_told_and_what_is_in_flight_goes_on(phoenix: Terminal, command: str) -> None:
    phoenix("rotate web -q --no-wait")
    (phoenix.folder / "phoenix.yaml").write_text("freezes: [\n")
    phoenix.clock.sleep(60)

    answer = phoenix(f"{command} -v")

    assert (answer.status, phoenix.writes != []) == (2, True)
    assert "phoenix.yaml:" in answer.err
    assert answer.out.startswith("web: ")


def test_the_doctor_tells_where_the_file_for_all_groups_is_broken(phoenix: Terminal) -> None:
    (phoenix.folder / "phoenix.yaml").write_text("freezes: [\n")

    answer = phoenix("doctor -o json")

    checks = {check["name"]: check for check in answer.document["checks"]}
    assert (answer.status, checks["policies"]["passed"]) == (1, False)
    assert "phoenix.yaml:" in str(checks["policies"])
