"""`init --as pair`: the script that it prints makes a second half with which the group can trade places."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from phoenix.sandbox import Sandbox
from tests.cli.conftest import CountingClock, Terminal
from tests.infra.terraform import Module, missing
from tests.remedies import commands_of, parameters_of

GROUPS = ("api", "tcp", "legacy", "batch")
_SETS = re.compile(r"(?P<name>[A-Z_0-9]+)=\$\((?P<command>.*)\)")


@pytest.fixture
def owner(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Terminal]:
    """A person with four plain groups and no policy."""
    clock = CountingClock()
    with Sandbox(clock=clock, seed_group=False) as sandbox:
        for group in GROUPS:
            sandbox.seed(group)
        yield Terminal(sandbox, tmp_path, capsys, clock)


def run(session: Any, script: str) -> list[str]:
    """Run a script as bash and the AWS CLI would; the operations that were called."""
    known: dict[str, str] = {}
    ran = []
    for line in script.replace("\\\n", " ").splitlines():
        if not line.strip() or line.startswith(("#", "set ")):
            continue
        sets = _SETS.fullmatch(line)
        command = sets["command"] if sets else line
        for name, value in known.items():
            command = command.replace(f'"${{{name}}}"', shlex.quote(value))
            command = command.replace(f'"${{{name}##*:}}"', shlex.quote(value.rpartition(":")[2]))
        ((program, service, operation, *words),) = commands_of(command)
        assert (program, "${" in command) == ("aws", False), command
        query = words[words.index("--query") + 1] if sets else None
        client = session.client(service)
        words = words[: words.index("--query")] if sets else words
        answer = getattr(client, operation.replace("-", "_"))(**parameters_of(client, operation, words))
        if sets and query is not None:
            known[sets["name"]] = answer["PolicyARN"] if query == "PolicyARN" else _arn(answer, query)
        ran.append(operation)
    return ran


def _arn(answer: Any, query: str) -> str:
    assert query == "TargetGroups[0].TargetGroupArn"
    return str(answer["TargetGroups"][0]["TargetGroupArn"])


def make_pair(owner: Terminal, group: str) -> list[str]:
    answer = owner.type(["init", "--group", group, "--as", "pair", "--write", str(owner.folder), "-o", "json"])
    assert answer.status == 0, answer.err
    assert owner.writes == []
    (found,) = answer.document["groups"]
    return run(owner.sandbox.session, Path(found["script_written"]).read_text())


def described(owner: Terminal, name: str) -> dict[str, Any]:
    autoscaling: Any = owner.sandbox.session.client("autoscaling")
    found = autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"]
    return dict(found[0])


@pytest.mark.parametrize("group", ["api", "tcp", "batch"])
def test_the_pair_rotates_and_comes_back_with_nothing_edited(owner: Terminal, group: str) -> None:
    make_pair(owner, group)

    plan = owner(f"plan {group} -o json").document
    assert plan["blockers"] == []
    assert owner(f"rotate {group} -o json").document["outcome"] == "succeeded"
    assert owner(f"rollback {group} -o json").document["outcome"] == "rolled_back"


def test_the_second_half_is_empty_and_its_target_group_gets_no_request(owner: Terminal) -> None:
    make_pair(owner, "api")

    green = described(owner, "api-green")
    assert (green["MinSize"], green["MaxSize"], green["Instances"]) == (0, 0, [])
    elbv2: Any = owner.sandbox.session.client("elbv2")
    listener = elbv2.describe_listeners(
        LoadBalancerArn=elbv2.describe_load_balancers(Names=["api"])["LoadBalancers"][0]["LoadBalancerArn"]
    )["Listeners"][0]
    weights = [each["Weight"] for each in listener["DefaultActions"][0]["ForwardConfig"]["TargetGroups"]]
    assert weights == [100, 0]


def test_everything_beside_the_group_is_carried_over(owner: Terminal) -> None:
    autoscaling: Any = owner.sandbox.session.client("autoscaling")
    _furnish(owner)

    make_pair(owner, "api")

    name = {"AutoScalingGroupName": "api-green"}
    policies = {each["PolicyName"]: each for each in autoscaling.describe_policies(**name)["ScalingPolicies"]}
    actions = autoscaling.describe_scheduled_actions(**name)["ScheduledUpdateGroupActions"]
    assert {*policies} == {"cpu-60", "requests", "step-up"}
    assert [each["LifecycleHookName"] for each in autoscaling.describe_lifecycle_hooks(**name)["LifecycleHooks"]] == [
        "api-logs-shipped"
    ]
    assert [(each["ScheduledActionName"], each["TimeZone"]) for each in actions] == [("evening", "Europe/Berlin")]
    label = policies["requests"]["TargetTrackingConfiguration"]["PredefinedMetricSpecification"]["ResourceLabel"]
    assert "targetgroup/api-green/" in label
    alarm = owner.sandbox.session.client("cloudwatch").describe_alarms(AlarmNames=["api-busy-green"])["MetricAlarms"][0]
    assert alarm["AlarmActions"] == [policies["step-up"]["PolicyARN"]]
    assert alarm["Dimensions"] == [{"Name": "AutoScalingGroupName", "Value": "api-green"}]
    assert (alarm["TreatMissingData"], alarm["DatapointsToAlarm"]) == ("notBreaching", 2)


def _furnish(owner: Terminal) -> None:
    session: Any = owner.sandbox.session
    autoscaling, elbv2 = session.client("autoscaling"), session.client("elbv2")
    name = {"AutoScalingGroupName": "api"}
    arn = described(owner, "api")["TargetGroupARNs"][0]
    balancer = elbv2.describe_load_balancers(Names=["api"])["LoadBalancers"][0]["LoadBalancerArn"]
    label = f"{balancer.partition(':loadbalancer/')[2]}/{arn.rpartition(':')[2]}"
    specification = {"PredefinedMetricType": "ALBRequestCountPerTarget", "ResourceLabel": label}
    tracking = {"PredefinedMetricSpecification": specification, "TargetValue": 500.0}
    autoscaling.put_scaling_policy(
        **name, PolicyName="requests", PolicyType="TargetTrackingScaling", TargetTrackingConfiguration=tracking
    )
    steps = [{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 1}]
    policy = autoscaling.put_scaling_policy(
        **name, PolicyName="step-up", PolicyType="StepScaling", AdjustmentType="ChangeInCapacity", StepAdjustments=steps
    )
    session.client("cloudwatch").put_metric_alarm(
        AlarmName="api-busy", Namespace="AWS/EC2", MetricName="CPUUtilization", Statistic="Average", Period=60,
        Dimensions=[{"Name": "AutoScalingGroupName", "Value": "api"}], EvaluationPeriods=3, DatapointsToAlarm=2,
        Threshold=80.0, ComparisonOperator="GreaterThanThreshold", TreatMissingData="notBreaching",
        AlarmActions=[policy["PolicyARN"]],
    )  # fmt: skip
    autoscaling.put_scheduled_update_group_action(
        **name, ScheduledActionName="evening", Recurrence="0 20 * * *", TimeZone="Europe/Berlin", MinSize=2
    )


def test_a_classic_load_balancer_has_no_weights_and_is_refused(owner: Terminal) -> None:
    answer = owner("init --group legacy --as pair -o json")

    assert answer.status == 5
    assert "rotates it in place" in answer.document["error"]["hint"]


def test_a_second_half_that_exists_is_not_made_again(owner: Terminal) -> None:
    make_pair(owner, "batch")
    (owner.folder / "batch.yaml").unlink()

    answer = owner("init --group batch --as pair -o json")

    assert answer.status == 5
    assert "is a pair already" in json.dumps(answer.document)


@pytest.mark.parametrize("words", ["init --as pair", "init --all --as pair"])
def test_a_pair_is_made_of_one_named_group(owner: Terminal, words: str) -> None:
    assert owner(words).status == 2


def test_the_terraform_says_what_the_script_makes(owner: Terminal, golden: Callable[[str, str], None]) -> None:
    _furnish(owner)

    (found,) = owner("init --group api --as pair -o json").document["groups"]

    ids = r"(?<=lt-)[0-9a-f]{17}|(?<=subnet-)[0-9a-f]+|(?<=vpc-)[0-9a-f]+|(?<=/)[0-9a-f]{16}(?=[/\"])"
    golden("init_pair_terraform", re.sub(ids, "0a1b2c3d4e5f60718", found["terraform"]))


@pytest.mark.skipif(bool(missing()), reason=missing())
def test_terraform_takes_what_is_written(owner: Terminal, tmp_path: Path) -> None:
    _furnish(owner)
    (found,) = owner("init --group api --as pair -o json").document["groups"]
    source = tmp_path / "source"
    source.mkdir()
    (source / "main.tf").write_text(found["terraform"])

    module = Module.copied(source, tmp_path / "module", {})

    module.run("fmt", "-check", "-diff")
    module.run("validate", "-no-color")
