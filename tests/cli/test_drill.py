"""A game day as its person types it, on the sandbox: its question, its screen, and its place in the history."""

from __future__ import annotations

import pytest

from tests.cli.conftest import POLICY, Terminal

DRILL = 'drill: {most: 1, floor: "75%"}\n'


@pytest.fixture
def drilling(phoenix: Terminal) -> Terminal:
    """The policy allows drills."""
    (phoenix.folder / "web.yaml").write_text(POLICY + DRILL)
    return phoenix


def test_a_policy_without_the_section_is_refused_with_the_lines_to_write(phoenix: Terminal) -> None:
    answer = phoenix("drill web --yes")

    assert (answer.status, phoenix.writes) == (5, [])
    assert "has no drill section" in answer.err
    assert "drill: {most: 1, floor: 75%}" in answer.err


def test_a_dry_run_names_instance_floor_and_seed_and_changes_nothing(drilling: Terminal) -> None:
    first = drilling("drill web --dry-run --seed tuesday -o json")
    shown = drilling("drill web --dry-run --seed tuesday")

    assert (first.status, shown.status, drilling.writes) == (0, 0, [])
    (victim,) = first.document["drill"]["instances"]
    assert victim in shown.out, "the same seed chooses the same instance"
    assert "75 %: at least 3 stay healthy" in shown.out
    assert "--seed tuesday" in shown.out
    assert max(map(len, shown.out.splitlines())) <= 80


def test_a_drill_needs_a_yes(drilling: Terminal) -> None:
    answer = drilling("drill web --no-input")

    assert (answer.status, drilling.writes) == (2, [])
    assert "this needs a yes: end i-" in answer.err


def test_a_drill_ends_one_instance_measures_and_is_kept_in_the_history(drilling: Terminal) -> None:
    told = drilling("drill web --yes --reason game-day -o json")

    assert told.status == 0
    assert drilling.writes == ["TerminateInstanceInAutoScalingGroup"]
    drill = told.document
    assert (drill["ending"], drill["healthy_before"], drill["floor"], drill["reason"]) == ("whole", 4, 3, "game-day")
    line = [drill[f"{name}_at"] for name in ("ended", "noticed", "replaced", "in_service", "healthy")]
    assert line == sorted(line)
    assert drill["whole_after_seconds"] > 30

    kept = drilling("history web -o json").document["drills"]
    assert kept == [drill]
    assert "whole after" in drilling("history web").out
    assert "WHOLE AGAIN" in drilling("history web -v").out


def test_a_crash_ends_the_machine_and_the_group_notices_later(drilling: Terminal) -> None:
    told = drilling("drill web --yes --hard -o json").document

    assert drilling.writes == ["TerminateInstances"]
    assert told["ending"] == "whole"
    assert told["noticed_at"] > told["ended_at"]


def test_more_than_the_policy_allows_is_refused_and_nothing_is_ended(drilling: Terminal) -> None:
    answer = drilling("drill web --yes --instances 2 -o json")

    assert (answer.status, drilling.writes) == (5, [])
    assert {each["name"] for each in answer.document["blockers"]} == {"most", "floor"}


def test_an_alarm_that_rings_refuses_a_drill(drilling: Terminal) -> None:
    drilling.sandbox.set_alarm("web-5xx", "ALARM")

    answer = drilling("drill web --yes")

    assert (answer.status, drilling.writes) == (5, [])
    assert "web-5xx" in answer.out


def test_the_report_ranks_groups_and_says_which_were_never_drilled(drilling: Terminal) -> None:
    single = POLICY.replace("web", "single").replace("team-single", "team-web")
    (drilling.folder / "single.yaml").write_text(single)
    drilling("drill web --yes")

    ranked = drilling("drill --all --report -o json")
    shown = drilling("drill --all --report").out

    assert [each["group"] for each in ranked.document] == ["web", "single"]
    assert ranked.document[0]["longest_seconds"] > 30
    assert ranked.document[1]["longest_seconds"] is None
    assert "1 group never drilled." in shown
    assert drilling("drill --all").status == 2


def test_a_stopped_command_leaves_the_measuring_to_the_next_tick_and_abort_ends_it(drilling: Terminal) -> None:
    began = drilling("drill web --yes --no-wait -o json")
    assert (began.status, began.document["ending"]) == (0, None)

    second = drilling("drill web --yes")
    assert (second.status, drilling.writes) == (5, [])

    ended = drilling("abort web --reason lunch")
    assert (ended.status, drilling.writes) == (0, [])
    assert "stopped by tester: lunch" in ended.out
    assert drilling("history web -o json").document["drills"][0]["ending"] == "stopped"


def test_status_and_plan_name_the_drill_in_flight(drilling: Terminal) -> None:
    drilling("drill web --yes --no-wait")

    status, document = drilling("status web").out, drilling("status web -o json").document
    blocked = drilling("plan web -o json").document

    assert "drill" in status
    assert "phoenix abort --group web ends the measuring" in " ".join(status.split())
    assert document["drill"]["instances"]
    assert [each["name"] for each in blocked["blockers"]] == ["drill"]
