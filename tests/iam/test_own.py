"""The documents for exactly one's own policies, and the command that prints them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from phoenix.aws.iam import MOST_LETTERS_MANAGED, letters, unfilled
from phoenix.aws.rights import Role
from phoenix.cli import main
from phoenix.core.tags import MANAGED
from phoenix.fleets.probe import Probe
from phoenix.fleets.probe_target import find_target
from phoenix.policy.loader import load
from phoenix.policy.source import Directory
from phoenix.wiring.rights import Where, every_document, own_document
from tests.iam.asked import ACCOUNT, REGION, arn
from tests.iam.evaluator import Context, Request, evaluate
from tests.iam.recorder import FILLED, applied
from tests.iam.runs import a_run
from tests.rotation.stage import a_policy, write_policy

HERE = {name: (FILLED[name],) for name in ("account", "region", "instance_role", "key_arn")}
OTHER = "arn:aws:iam::210987654321:role/phoenix"
MARKED: Context = {"aws:ResourceTag/phoenix:managed": "true"}
Print = Callable[[str], tuple[int, str, str]]


def own(folder: Path, role: Role = Role.ROTATE, **where: Any) -> dict[str, Any]:
    return own_document(load(Directory(str(folder))), Where(**({"policies": "policies", "names": HERE} | where)), role)


def resources(document: dict[str, Any], name: str) -> Any:
    found = [s["Resource"] for s in document["Statement"] if s["Sid"] == name]
    return found[0] if found else None


def group(name: str, account: str = ACCOUNT) -> str:
    return arn("autoscaling", f"autoScalingGroup:3f1c:autoScalingGroupName/{name}", account=account)


def may(document: dict[str, Any], action: str, resource: str) -> bool:
    return evaluate(document, Request(action, resource, MARKED)).allowed


@pytest.fixture
def say(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Print:
    for name in ("AWS_REGION", "PHOENIX_STORE", "PHOENIX_POLICIES", "PHOENIX_ADVANCE"):
        monkeypatch.delenv(name, raising=False)

    def typed(words: str) -> tuple[int, str, str]:
        status = main(["iam", "--policies", str(tmp_path), *words.split()])
        said = capsys.readouterr()
        return status, said.out, said.err

    return typed


def test_only_the_groups_that_policies_name_may_be_changed(tmp_path: Path) -> None:
    write_policy(tmp_path, a_policy("web"))
    document = own(tmp_path)

    changed = {name: may(document, "autoscaling:UpdateAutoScalingGroup", group(name)) for name in ("web-blue", "shop")}

    assert changed == {"web-blue": True, "shop": False}
    assert not may(document, "autoscaling:UpdateAutoScalingGroup", group("web-blue", account="210987654321"))


def test_what_no_policy_uses_is_not_granted(tmp_path: Path) -> None:
    write_policy(tmp_path, a_policy("workers", traffic="none", gates=None))

    granted = {action for s in own(tmp_path)["Statement"] if s["Effect"] == "Allow" for action in s["Action"]}

    # Alarms themselves are read by every fleet that scales: those of its scaling policies.
    adapters = ("elasticloadbalancing:", "sns:", "s3:", "dynamodb:", "cloudwatch:DescribeAlarmHistory")
    assert granted
    assert not {action for action in granted if action.startswith(adapters)}


@pytest.mark.parametrize("role", list(Role))
def test_nothing_is_granted_that_the_document_for_all_policies_does_not_grant(tmp_path: Path, role: Role) -> None:
    write_policy(tmp_path, a_policy("web"))
    pairs = [
        {(s["Sid"], a) for s in d["Statement"] for a in s["Action"]}
        for d in (own(tmp_path, role), every_document(role))
    ]

    assert pairs[0] < pairs[1]


@pytest.mark.parametrize(
    ("parameter", "expected"),
    [
        ("/images/web:3", arn("ssm", "parameter/images/web")),
        ("web", arn("ssm", "parameter/web")),
        (arn("ssm", "parameter/images/web") + ":stable", arn("ssm", "parameter/images/web")),
        (
            "/aws/service/ami-amazon-linux-latest/al2023",
            arn("ssm", "parameter/aws/service/ami-amazon-linux-latest/al2023", account=""),
        ),
    ],
)
def test_a_parameter_is_granted_by_its_name_without_version(tmp_path: Path, parameter: str, expected: str) -> None:
    write_policy(tmp_path, a_policy(image={"kind": "ssm", "parameter": parameter}))

    assert resources(own(tmp_path), "ReadParameters") == [expected]


def test_only_images_of_the_owners_in_the_policies_may_be_launched(tmp_path: Path) -> None:
    image = {"kind": "search", "owners": ["self", "210987654321"], "name": "web-*"}
    write_policy(tmp_path, a_policy(image=image))

    (statement,) = (s for s in own(tmp_path)["Statement"] if s["Sid"] == "LaunchImage")

    owners = statement["Condition"]["StringEquals"]["ec2:Owner"]
    assert owners == [ACCOUNT, "210987654321", "amazon", "aws-marketplace"]


@pytest.mark.parametrize(
    ("owners", "owner", "expected"),
    [
        (["self"], ACCOUNT, True),
        (["self"], "amazon", False),
        (["137112412989"], "amazon", True),  # Amazon Linux
        (["self", "137112412989"], "amazon", True),
        (["679593333241"], "aws-marketplace", True),
        (["137112412989"], "099720109477", False),
    ],
)
def test_an_image_with_an_owner_alias_may_be_launched_if_its_owner_is_not_oneself(
    tmp_path: Path, owners: list[str], owner: str, expected: bool
) -> None:
    write_policy(tmp_path, a_policy(image={"kind": "search", "owners": owners, "name": "web-*"}))
    launched = {"ec2:LaunchTemplate": arn("ec2", "launch-template/lt-1"), "ec2:Owner": owner}

    asked = Request("ec2:RunInstances", arn("ec2", "image/ami-1", account=""), launched)

    assert evaluate(own(tmp_path), asked).allowed is expected


def test_rights_on_keys_are_granted_where_a_key_is_named(tmp_path: Path) -> None:
    topic = [{"kind": "sns", "topic": arn("sns", "oncall")}]
    write_policy(tmp_path, a_policy(notify=topic))
    where: dict[str, Any] = {"policies": "s3://policies/live", "store": "dynamodb://records"}
    keyless = {name: values for name, values in HERE.items() if name != "key_arn"}

    with_key, without = own(tmp_path, **where), own(tmp_path, **where, names=keyless)

    assert resources(with_key, "UseKeys") == [FILLED["key_arn"]]
    assert resources(without, "UseKeys") is None


def test_a_document_for_fifty_groups_is_written_as_managed_policies_that_grant_the_same(
    tmp_path: Path, say: Print
) -> None:
    folder = tmp_path / "managed"
    names = [f"shop-frontend-{number:02}" for number in range(50)]
    for name in names:
        write_policy(tmp_path, a_policy(name))

    _, printed, warned = say("")
    status, written, _ = say(f"--managed {folder} --account {ACCOUNT} --region {REGION} --instance-role x")
    documents = [json.loads(Path(file).read_text()) for file in written.split()]

    assert "--managed DIR" in warned
    assert status == 0
    assert len(documents) > 1
    assert all(letters(document) <= MOST_LETTERS_MANAGED for document in documents)
    together = {"Version": "2012-10-17", "Statement": [s for d in documents for s in d["Statement"]]}
    assert all(may(together, "autoscaling:UpdateAutoScalingGroup", group(f"{name}-blue")) for name in names)
    assert evaluate(together, Request("autoscaling:DeleteAutoScalingGroup", group("shop"), MARKED)).by.startswith(
        "Never"
    )
    assert {a for s in json.loads(printed)["Statement"] for a in s["Action"]} == {
        a for s in together["Statement"] for a in s["Action"]
    }


def test_managed_policies_of_a_longer_answer_before_are_taken_away(tmp_path: Path, say: Print) -> None:
    folder = tmp_path / "managed"
    folder.mkdir()
    (folder / "phoenix-rotate-9.json").write_text("{}")
    (folder / "mine.json").write_text("{}")
    write_policy(tmp_path, a_policy())

    say(f"--managed {folder}")

    assert "phoenix-rotate-9.json" not in {file.name for file in folder.iterdir()}
    assert (folder / "mine.json").exists()


def test_news_goes_to_the_topics_and_buses_of_the_policies(tmp_path: Path) -> None:
    topic, bus = arn("sns", "oncall"), arn("events", "event-bus/shared", account="210987654321")
    news = [{"kind": "sns", "topic": topic}, {"kind": "eventbridge", "bus": bus}, {"kind": "eventbridge"}]
    write_policy(tmp_path, a_policy(notify=news))

    document = own(tmp_path)

    assert resources(document, "PublishNews") == [topic]
    assert resources(document, "PutNews") == sorted([bus, arn("events", "event-bus/default")])
    assert resources(own(tmp_path, Role.PLAN), "PublishNews") is None


def test_bucket_table_and_function_are_those_of_the_settings(tmp_path: Path) -> None:
    write_policy(tmp_path, a_policy())
    store = "dynamodb://records?region=eu-central-1"

    document = own(tmp_path, policies="s3://policies/live", store=store, function="phoenix-advance")

    assert resources(document, "ReadPolicies") == ["arn:aws:s3:::policies/live/*"]
    assert resources(document, "WriteRecords") == [arn("dynamodb", "table/records", region="eu-central-1")]
    assert resources(document, "WakeWorkers") == [arn("lambda", "function:phoenix-advance")]


def test_a_group_of_another_role_is_that_roles_business(tmp_path: Path) -> None:
    write_policy(tmp_path, a_policy("web"))
    write_policy(tmp_path, a_policy("internal", role_arn=OTHER, region="eu-central-1"))

    caller, theirs = own(tmp_path), own(tmp_path, acting_as=OTHER, names={})

    assert resources(caller, "ActAs") == [OTHER]
    assert not may(caller, "autoscaling:SuspendProcesses", group("internal-blue", account="210987654321"))
    assert all(":eu-central-1:210987654321:" in each for each in resources(theirs, "ChangeGroups"))
    assert resources(theirs, "ActAs") is None


# --- the command ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", list(Role))
def test_the_command_prints_a_document_and_nothing_else(
    tmp_path: Path, say: Print, golden: Callable[[str, str], None], role: Role
) -> None:
    write_policy(tmp_path, a_policy(notify=[{"kind": "sns", "topic": arn("sns", "oncall")}]))

    status, out, err = say(f"--role {role} --account {ACCOUNT} --region {REGION} --instance-role web-app")

    assert (status, err) == (0, "")
    golden(f"iam_{role}", out)


def test_json_is_the_same_document(tmp_path: Path, say: Print) -> None:
    write_policy(tmp_path, a_policy())

    assert json.loads(say("-o json")[1]) == json.loads(say("")[1])


def test_a_name_that_is_not_given_is_left_for_the_user_and_said(tmp_path: Path, say: Print) -> None:
    write_policy(tmp_path, a_policy())

    _, out, err = say("")

    assert unfilled(out) == ("account", "instance_role", "partition", "region")
    assert err == "to be filled in: ${account}, ${instance_role}, ${partition}, ${region}\n"


def test_the_documents_of_other_roles_are_announced_and_printed_when_asked_for(tmp_path: Path, say: Print) -> None:
    write_policy(tmp_path, a_policy("internal", role_arn=OTHER, region=REGION))

    assert f"its own document: phoenix iam --acting-as {OTHER}" in say("")[2]
    assert may(json.loads(say(f"--acting-as {OTHER} --instance-role x")[1]), "autoscaling:SuspendProcesses",
               group("internal-blue", account="210987654321"))  # fmt: skip
    assert say("--acting-as arn:aws:iam::1:role/unknown")[0] == 2


@pytest.mark.parametrize(
    "options",
    [
        "--key-arn alias/phoenix",
        "--account 12",
        "--account 1234567890ab",
        "--region *",
        "--instance-role *",
        '--instance-role a"b',
    ],
)
def test_what_is_no_name_does_not_get_into_a_document(tmp_path: Path, say: Print, options: str) -> None:
    write_policy(tmp_path, a_policy())

    status, printed, said = say(options)

    assert (status, printed) == (2, "")
    assert options.split(maxsplit=1)[0] in said


def test_without_policies_there_is_no_document(say: Print) -> None:
    status, printed, said = say("")

    assert (status, printed) == (2, "")
    assert "there are no policies" in said


def test_a_policy_that_cannot_be_read_has_unknown_needs(tmp_path: Path, say: Print) -> None:
    write_policy(tmp_path, a_policy("web"))
    (tmp_path / "broken.yaml").write_text("version: 1\ngroup: broken\n")

    status, out, _ = say("")

    assert (status, out) == (2, "")


def test_a_probe_needs_no_more_than_its_document_allows_and_that_is_for_its_group_alone(tmp_path: Path) -> None:
    with a_run(tmp_path / "policies") as run:
        ec2, scaling = run.stage.client("ec2"), run.stage.client("autoscaling")
        blue = scaling.describe_auto_scaling_groups(AutoScalingGroupNames=["web-blue"])["AutoScalingGroups"][0]
        found = ec2.describe_launch_template_versions(LaunchTemplateName="web", Versions=["1"])
        managed = [{"Key": MANAGED, "Value": "true"}]
        ec2.create_launch_template(
            LaunchTemplateName="web-probe",
            LaunchTemplateData=found["LaunchTemplateVersions"][0]["LaunchTemplateData"],
            TagSpecifications=[{"ResourceType": "launch-template", "Tags": managed}],
        )
        scaling.create_auto_scaling_group(
            AutoScalingGroupName="web-probe",
            LaunchTemplate={"LaunchTemplateName": "web-probe", "Version": "1"},
            MinSize=0,
            MaxSize=0,
            VPCZoneIdentifier=blue["VPCZoneIdentifier"],
            Tags=[{**managed[0], "PropagateAtLaunch": False}],
        )
        run.stage.deny("DeleteLaunchTemplateVersions")  # the account is asked for their content below
        target = find_target(run.stage.aws, "web-probe", {})
        Probe(run.stage.aws, run.stage.clock, target, 2, "1f0c").run()
        run.stage.box.stop_intercepting()
        requests = run.recorder.requests()
        document = applied(own(tmp_path / "policies", probed="web-probe"))

    assert "ec2:DeleteLaunchTemplateVersions" in {request.action for request in requests}
    assert [request for request in requests if not evaluate(document, request).allowed] == []
    assert not may(document, "autoscaling:UpdateAutoScalingGroup", group("web-other"))
    assert not may(own(tmp_path / "policies"), "ec2:DeleteLaunchTemplateVersions", arn("ec2", "launch-template/lt-1"))


@pytest.mark.parametrize("words", ["--probe *", "--probe web-probe --role rollback"])
def test_a_probe_of_every_group_or_by_another_role_is_refused(tmp_path: Path, say: Print, words: str) -> None:
    write_policy(tmp_path, a_policy("web"))

    assert say(words)[0] == 2


def test_the_rights_for_a_probe_are_printed(tmp_path: Path, say: Print) -> None:
    write_policy(tmp_path, a_policy("web"))

    assert "autoScalingGroupName/web-probe" in say("--probe web-probe")[1]
