"""`plan`: names that AWS does not know, and all groups at once."""

from __future__ import annotations

import logging

import pytest

from tests.cli.conftest import POLICY, Terminal


def test_a_name_that_aws_does_not_know_is_found_by_plan_with_its_place_and_a_guess(phoenix: Terminal) -> None:
    file = phoenix.folder / "web.yaml"
    file.write_text(file.read_text().replace("blue: web-blue", "blue: web-bleu"))

    answer = phoenix("plan web")

    assert answer.status == 5
    assert answer.err.startswith(f"{file}:4:27: no Auto Scaling group web-bleu; did you mean web-blue")
    assert phoenix("plan web -o json").document["error"]["code"] == "blocked"
    assert phoenix.writes == []


def test_all_names_that_aws_does_not_know_are_told_at_once(phoenix: Terminal) -> None:
    file = phoenix.folder / "web.yaml"
    file.write_text(file.read_text().replace("web-blue", "web-bleu").replace("web-green", "web-gren"))

    said = phoenix("rotate web").err.splitlines()

    assert [line.split(": ")[1].split(";")[0] for line in said[:2]] == [
        "no Auto Scaling group web-bleu",
        "no Auto Scaling group web-gren",
    ]


def other_groups(phoenix: Terminal) -> None:
    """One more that is sound, one that names a group in AWS wrongly, one whose file is broken."""
    phoenix.sandbox.seed("internal")
    for name in ("internal", "shop"):
        text = POLICY.replace("web-*", f"{name}-*").replace("service: web", f"service: {name}")
        text = text.replace("group: web", f"group: {name}").replace("web-", f"{name}-").replace("-5xx", "-5xx")
        (phoenix.folder / f"{name}.yaml").write_text(text.replace("gates: [{kind: alarm, alarms: [", "# ["))
    (phoenix.folder / "broken.yaml").write_text("version: 1\ngroup: broken\n")


def test_without_a_group_there_is_a_line_for_each_and_the_worst_status(phoenix: Terminal) -> None:
    other_groups(phoenix)

    answer = phoenix("plan --detailed-exitcode")

    lines = {line.split()[0]: " ".join(line.split()[1:3]) for line in answer.out.splitlines()[1:5]}
    assert {name: said.split()[0] for name, said in lines.items()} == {
        "broken": "ERROR",
        "internal": "DUE",
        "shop": "BLOCKED",
        "web": "DUE",
    }
    assert answer.status == 2
    assert phoenix.writes == []


def test_all_plans_as_json_are_one_array(phoenix: Terminal) -> None:
    other_groups(phoenix)
    (phoenix.folder / "broken.yaml").unlink()

    answer = phoenix("plan -o json")

    assert [each["group"] for each in answer.document] == ["internal", "shop", "web"]
    assert ["error" in each for each in answer.document] == [False, True, False]
    assert answer.status == 5


def test_due_groups_alone_end_with_10_if_that_is_asked_for(phoenix: Terminal) -> None:
    assert phoenix("plan").status == 0
    assert phoenix("plan --detailed-exitcode").status == 10


def test_an_image_is_planned_for_one_group_only(phoenix: Terminal) -> None:
    answer = phoenix("plan --image ami-1")

    assert (answer.status, "which group?" in answer.err) == (2, True)


def test_who_promoted_resumed_and_rolled_back_is_told_with_the_reason(phoenix: Terminal) -> None:
    phoenix("rotate web --no-wait")
    phoenix("pause web --reason lunch")
    phoenix("resume web --reason back")
    phoenix("promote web --full --reason hurry")
    phoenix("rollback web --reason INC-1")

    told = phoenix("history web -v").out

    for words in ("by tester: lunch", "by tester: back", "by tester: hurry", "by tester: INC-1"):
        assert words in told


def test_verbose_says_more_and_what_was_asked_of_aws_is_logged_for_twice(
    phoenix: Terminal, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, logger="phoenix.aws"):
        plain, once = phoenix("status web"), phoenix("status web -v")

    assert "InService" not in plain.out
    assert once.out.count("InService") == 4
    asked = {vars(record)["call"] for record in caplog.records if record.message == "aws.asked"}
    assert "auto-scaling.DescribeAutoScalingGroups" in asked


def test_what_was_not_quarantined_is_tried_again_by_rotating(phoenix: Terminal) -> None:
    phoenix.sandbox.fail_launches("no-capacity", auto_scaling_group="web-green")
    ended = phoenix("rotate web")
    again = phoenix("status web")

    assert ended.status == 3
    for said in (ended.out, again.out):
        assert "phoenix retry" not in said
        assert "phoenix rotate --group web" in said
