"""`init`: from an account without a policy to one that rotates and comes back, with nothing edited."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from phoenix.policy.loader import load_files
from phoenix.sandbox import Call, Sandbox
from phoenix.sandbox.seed import GROUPS, PLAIN
from tests.cli.conftest import Answer, CountingClock, Terminal

Golden = Callable[[str, str], None]


@pytest.fixture
def newcomer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Terminal]:
    """A person with all the example groups, and no policy."""
    clock = CountingClock()
    with Sandbox(clock=clock, seed_group=False) as sandbox:
        for group in GROUPS:
            sandbox.seed(group)
        yield Terminal(sandbox, tmp_path, capsys, clock)


def write(newcomer: Terminal, *words: str) -> Answer:
    return newcomer.type(["init", "--write", str(newcomer.folder), "-o", "json", *words])


def tag(newcomer: Terminal, group: str, key: str, value: str = "x") -> None:
    asked = {"ResourceId": group, "ResourceType": "auto-scaling-group", "Key": key, "Value": value}
    autoscaling: Any = newcomer.sandbox.session.client("autoscaling")
    autoscaling.create_or_update_tags(Tags=[asked | {"PropagateAtLaunch": False}])


def unmark(newcomer: Terminal, group: str) -> None:
    asked = {"ResourceId": group, "ResourceType": "auto-scaling-group", "Key": "phoenix:managed"}
    autoscaling: Any = newcomer.sandbox.session.client("autoscaling")
    autoscaling.delete_tags(Tags=[asked])


# --- a policy that is written works -----------------------------------------------------------------------------------


def what_is_there(newcomer: Terminal, group: str) -> dict[str, Any]:
    """Sizes, suspended processes, hooks and instances of the group that is live, as AWS tells."""
    autoscaling: Any = newcomer.sandbox.session.client("autoscaling")
    name = group if group in PLAIN else f"{group}-blue"
    (found,) = autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"]
    hooks = autoscaling.describe_lifecycle_hooks(AutoScalingGroupName=name)["LifecycleHooks"]
    return {
        "sizes": (found["MinSize"], found["MaxSize"], found["DesiredCapacity"]),
        "suspended": sorted(each["ProcessName"] for each in found["SuspendedProcesses"]),
        "hooks": sorted(each["LifecycleHookName"] for each in hooks),
        "states": Counter(each["LifecycleState"] for each in found["Instances"]),
        "versions": {each["LaunchTemplate"]["Version"] for each in found["Instances"]},
    }


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_rotates_and_comes_back_with_nothing_edited(newcomer: Terminal, group: str) -> None:
    assert write(newcomer, "--all").status == 0
    before = what_is_there(newcomer, group)

    assert newcomer(f"plan {group}").status == 0
    assert newcomer(f"rotate {group} -o json").document["outcome"] == "succeeded"
    assert newcomer(f"rollback {group} -o json").document["outcome"] == "rolled_back"
    newcomer.clock.advance(300)
    assert what_is_there(newcomer, group) == before


class Killed(BaseException):
    """The process is gone."""


@pytest.mark.parametrize(
    ("group", "operation"), [("api", "EnterStandby"), ("legacy", "TerminateInstanceInAutoScalingGroup")]
)
def test_killed_in_the_middle_the_next_one_goes_on(newcomer: Terminal, group: str, operation: str) -> None:
    write(newcomer, "--all")
    before = what_is_there(newcomer, group)
    deaths: list[str] = []

    def kill(call: Call, moment: str) -> None:
        if moment == "after" and call.operation == operation and not deaths:
            deaths.append(operation)
            raise Killed

    newcomer.sandbox.intercept(kill)
    said = [type_until_killed(newcomer, f"{command} {group} -o json") for command in ("rotate", "rollback")]

    newcomer.clock.advance(300)
    assert deaths == [operation]
    assert said == ["succeeded", "rolled_back"]
    assert what_is_there(newcomer, group) == before


def type_until_killed(newcomer: Terminal, command: str) -> str:
    """The outcome; of the next process, once no lease holds, if the first one was killed."""
    try:
        answer = newcomer(command)
    except Killed:
        newcomer.clock.advance(600)
        answer = newcomer(command)
    return str(answer.document["outcome"])


def test_every_policy_that_is_written_loads(newcomer: Terminal) -> None:
    assert write(newcomer, "--all").status == 0

    assert newcomer("policy validate -o json").document == {"valid": True, "groups": sorted(GROUPS), "problems": []}


@pytest.mark.parametrize("commented", ["# strategy: {kind: canary", "# windows: ", "# owner: ", "# runbook: "])
def test_what_stands_in_a_comment_loads_without_the_comment(newcomer: Terminal, commented: str) -> None:
    text = newcomer("init api").out
    assert commented in text
    if "strategy" in commented:
        text = text.replace("strategy: blue_green\n", "")

    file = newcomer.folder / "api.yaml"
    file.write_text(text.replace(commented, commented.removeprefix("# ")))

    assert load_files([file]).all_problems == ()


def test_init_changes_nothing_in_aws(newcomer: Terminal) -> None:
    write(newcomer, "--all")

    assert newcomer.writes == []


# --- the screens ------------------------------------------------------------------------------------------------------


def test_the_overview_says_how_each_group_can_be_rotated(newcomer: Terminal, golden: Golden) -> None:
    tag(newcomer, "tcp", "eks:nodegroup-name")
    tag(newcomer, "legacy", "ManagedBy", "terraform")
    unmark(newcomer, "batch")

    golden("init", newcomer("init").out)


@pytest.mark.parametrize("group", ["api", "batch", "web"])
def test_a_policy_is_printed_with_what_was_found(newcomer: Terminal, golden: Golden, group: str) -> None:
    unmark(newcomer, "batch")

    told = newcomer(f"init --group {group}").out

    golden(f"init_{group}", re.sub(r"ami-[0-9a-f]{17}", "ami-0d3c5e71a9f4b2086", told))


def test_the_document_of_the_overview_has_every_group(newcomer: Terminal) -> None:
    document = newcomer("init -o json").document

    api = next(group for group in document["groups"] if group["group"] == "api")
    assert [group["group"] for group in document["groups"]] == sorted(GROUPS)
    assert api == {
        "group": "api",
        "auto_scaling_groups": ["api"],
        "size": {"min": 2, "max": 12, "desired": 4},
        "attached": [{"kind": "alb", "name": "api"}],
        "made_by": None,
        "policies": [],
        "fleet": "in_place",
        "traffic": "attached",
        "blockers": [],
        "missing": [],
        "lifecycle_hooks": ["api-logs-shipped"],
        "image": None,
    }


def test_the_document_of_a_policy_holds_its_text_and_its_place(newcomer: Terminal) -> None:
    (found,) = write(newcomer, "--group", "api").document["groups"]

    assert found["written"] == str(newcomer.folder / "api.yaml")
    assert Path(found["written"]).read_text() == found["policy"]
    assert (found["image"]["pattern"], found["image"]["matches"]) == ("api-*", 2)


# --- refusals ---------------------------------------------------------------------------------------------------------


def test_a_file_is_never_written_over_without_a_yes(newcomer: Terminal) -> None:
    file = newcomer.folder / "api.yaml"
    file.write_text("mine\n")

    answer = write(newcomer, "--all")

    assert (answer.status, file.read_text()) == (2, "mine\n")
    assert [path.name for path in newcomer.folder.glob("*.yaml")] == ["api.yaml"]
    assert write(newcomer, "--all", "--yes").status == 0
    assert "group: api" in file.read_text()


def test_a_group_with_a_policy_is_left_out_of_all(newcomer: Terminal) -> None:
    write(newcomer, "--group", "api")

    answer = newcomer("init --all -o json")

    assert {group["group"] for group in answer.document["groups"]} == {*GROUPS} - {"api"}
    assert "left out: api: policy api is about it" in answer.err


def test_a_group_that_cannot_be_rotated_is_refused_with_the_reason(newcomer: Terminal) -> None:
    tag(newcomer, "tcp", "eks:nodegroup-name")

    answer = newcomer("init --group tcp -o json")

    assert answer.status == 5
    assert "EKS drives tcp" in answer.document["error"]["message"]


def test_an_unknown_group_is_refused_with_a_suggestion(newcomer: Terminal) -> None:
    answer = newcomer("init --group web-bleu -o json")

    assert answer.status == 2
    assert "did you mean web-blue" in answer.document["error"]["message"]


@pytest.mark.parametrize("words", ["init --all --group api", "init --write there"])
def test_contradictions_are_refused(newcomer: Terminal, words: str) -> None:
    assert newcomer(words).status == 2


def test_an_account_without_groups_is_said_to_have_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clock = CountingClock()
    with Sandbox(clock=clock, seed_group=False) as sandbox:
        answer = Terminal(sandbox, tmp_path, capsys, clock)("init")

    assert answer.status == 0
    assert answer.out == "There is no Auto Scaling group in account 123456789012, eu-west-1.\n"


def test_nodes_of_a_kubernetes_cluster_are_drained_by_the_policy_that_is_written(newcomer: Terminal) -> None:
    tag(newcomer, "tcp", "kubernetes.io/cluster/shop", "owned")

    told = newcomer("init --group tcp")
    write(newcomer, "--group", "tcp")

    assert "before_leaving:\n  - {kind: kubernetes}\n" in told.out
    assert newcomer("policy validate").status == 0
    blockers = newcomer("plan tcp -o json").document["blockers"]
    assert "owned-by-another-service" not in [each["name"] for each in blockers]


def test_instances_of_ecs_are_not_rotated_before_their_cluster_is_named(newcomer: Terminal) -> None:
    tag(newcomer, "tcp", "AmazonECSManaged")

    found = next(each for each in newcomer("init -o json").document["groups"] if each["group"] == "tcp")

    assert "before_leaving: [{kind: ecs, cluster: NAME}]" in str(found)


def test_a_pair_with_a_load_balancer_for_each_group_is_told_of_records(newcomer: Terminal) -> None:
    newcomer.sandbox.seed("shop")

    assert "Weighted records of" in newcomer("init shop").out
    assert "Weighted records of" not in newcomer("init web").out
