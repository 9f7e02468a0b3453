"""What the documents in infra/iam say, attacked with requests that phoenix never makes."""

from __future__ import annotations

import json
import re
from typing import Any

import botocore.session
import pytest

from phoenix.aws.iam import MOST_LETTERS_MANAGED, letters, never_follow, unfilled
from phoenix.aws.rights import Role
from phoenix.core.tags import MANAGED, WRITTEN
from phoenix.wiring.rights import every_document
from tests.iam.asked import ACCOUNT, arn
from tests.iam.evaluator import Context, Request, evaluate
from tests.iam.recorder import DOCUMENTS, FILLED
from tools.write_iam import FOLDER, text_of, texts

ROLES = list(Role)
WRITERS = [Role.ROTATE, Role.ROLLBACK]
GROUP = arn("autoscaling", "autoScalingGroup:3f1c:autoScalingGroupName/web-blue")
RULE = arn("elasticloadbalancing", "listener-rule/app/web/1/2/3")
LISTENER = arn("elasticloadbalancing", "listener/app/web/1/2")
TARGETS = arn("elasticloadbalancing", "targetgroup/web-blue/1")
TEMPLATE = arn("ec2", "launch-template/lt-1")
MARKED: Context = {f"aws:ResourceTag/{MANAGED}": "true"}
BY_TEMPLATE: Context = {"ec2:LaunchTemplate": TEMPLATE, "ec2:IsLaunchTemplateResource": "true"}
READ = re.compile(r"Describe|Get|List|Lookup|BatchGet|Query|AssumeRole$|Decrypt$")
WRITES = [
    ("autoscaling:UpdateAutoScalingGroup", GROUP),
    ("autoscaling:SuspendProcesses", GROUP),
    ("elasticloadbalancing:ModifyRule", RULE),
    ("elasticloadbalancing:ModifyListener", LISTENER),
    ("elasticloadbalancing:ModifyTargetGroupAttributes", TARGETS),
    ("ec2:CreateLaunchTemplateVersion", TEMPLATE),
    ("ec2:RunInstances", TEMPLATE),
]


def may(role: Role, action: str, resource: str = "*", context: Context | None = None) -> bool:
    return evaluate(DOCUMENTS[role], Request(action, resource, context or {})).allowed


def allowed(role: Role) -> list[dict[str, Any]]:
    return [each for each in DOCUMENTS[role]["Statement"] if each["Effect"] == "Allow"]


def test_the_files_are_what_the_adapters_declare() -> None:
    files = {file.name: file.read_text(encoding="utf-8") for file in FOLDER.glob("*.json")}

    assert files == texts(), "stale: make iam, and review the difference as code"
    assert {json.loads(text)["Version"] for text in files.values()} == {"2012-10-17"}


@pytest.mark.parametrize("role", ROLES)
def test_terraform_knows_every_field(role: Role) -> None:
    assert set(unfilled(every_document(role))) <= set(FILLED)


@pytest.mark.parametrize("role", ROLES)
def test_the_three_managed_policies_that_terraform_makes_of_a_document_are_short_enough(role: Role) -> None:
    statements = DOCUMENTS[role]["Statement"]

    parts = [statements[first::3] for first in range(3)]

    assert max(letters(part) for part in parts) < MOST_LETTERS_MANAGED


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(
    "field", ["topic_arn", "bus_arn", "parameter_arn", "statements_arn", "assumed_role_arn", "image_owner"]
)
def test_one_field_may_become_several_elements(role: Role, field: str) -> None:
    text = text_of(role).replace(f"${{{field}}}", 'one", "two')

    assert json.loads(text)["Version"] == "2012-10-17"


@pytest.mark.parametrize("role", ROLES)
def test_statements_have_names_that_iam_takes_each_once(role: Role) -> None:
    names = [each["Sid"] for each in DOCUMENTS[role]["Statement"]]

    assert len(set(names)) == len(names)
    assert all(re.fullmatch("[A-Za-z0-9]+", name) for name in names)


def test_the_plan_role_may_write_nothing() -> None:
    actions = [action for statement in allowed(Role.PLAN) for action in statement["Action"]]

    assert actions
    assert all(READ.match(action.partition(":")[2]) for action in actions)


def test_the_rollback_role_may_do_nothing_that_the_rotate_role_may_not() -> None:
    rotate = {(s["Sid"], action) for s in allowed(Role.ROTATE) for action in s["Action"]}
    rollback = {(s["Sid"], action) for s in allowed(Role.ROLLBACK) for action in s["Action"]}

    assert rollback < rotate
    # A way back makes the old image's version anew where the owner has replaced the template, and only there.
    assert may(Role.ROLLBACK, "ec2:CreateLaunchTemplateVersion", TEMPLATE, MARKED)
    assert not may(Role.ROLLBACK, "ec2:CreateLaunchTemplateVersion", TEMPLATE, {})


@pytest.mark.parametrize("role", ROLES)
def test_everything_is_granted_by_name_and_only_reads_on_everything(role: Role) -> None:
    for statement in allowed(role):
        assert not any("*" in action for action in statement["Action"])
        assert statement["Sid"] == "Read" or "*" not in statement["Resource"]


# --- the owner's word -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("action", "resource"), WRITES)
@pytest.mark.parametrize("value", [None, "false", "True", "yes"])
def test_nothing_is_changed_that_the_owner_has_not_marked(action: str, resource: str, value: str | None) -> None:
    context = {f"aws:ResourceTag/{MANAGED}": value} if value else {}

    assert not any(may(role, action, resource, context) for role in ROLES)
    assert may(Role.ROTATE, action, resource, MARKED)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("key", [MANAGED, "Phoenix:Managed", "PHOENIX:MANAGED"])
@pytest.mark.parametrize(
    "action",
    ["autoscaling:CreateOrUpdateTags", "autoscaling:DeleteTags", "ec2:CreateTags", "ec2:DeleteTags",
     "elasticloadbalancing:AddTags", "elasticloadbalancing:RemoveTags"],
)  # fmt: skip
def test_no_role_writes_the_owners_word_in_any_spelling(role: Role, key: str, action: str) -> None:
    for resource in (GROUP, RULE, TEMPLATE, arn("ec2", "instance/*")):
        context = {**MARKED, "aws:TagKeys": (*WRITTEN[:1], key), "ec2:CreateAction": "RunInstances"}
        answer = evaluate(DOCUMENTS[role], Request(action, resource, context))
        assert (answer.allowed, answer.by) == (False, "NeverTheOwnersWord")


@pytest.mark.parametrize("role", WRITERS)
@pytest.mark.parametrize(
    ("keys", "expected"),
    [(WRITTEN, True), (WRITTEN[:1], True), ((*WRITTEN, "team"), False), (("phoenix:owner",), False), ((), False)],
)
def test_tags_are_written_under_our_own_keys_only(role: Role, keys: tuple[str, ...], expected: bool) -> None:
    context = {**MARKED, **({"aws:TagKeys": keys} if keys else {})}

    assert may(role, "autoscaling:CreateOrUpdateTags", GROUP, context) is expected
    assert may(role, "autoscaling:DeleteTags", GROUP, context) is expected


# --- launches ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", WRITERS)
@pytest.mark.parametrize("kind", ["instance", "volume", "subnet", "security-group", "network-interface", "key-pair"])
def test_nothing_is_launched_but_from_a_template(role: Role, kind: str) -> None:
    assert not may(role, "ec2:RunInstances", arn("ec2", f"{kind}/x"))
    assert may(role, "ec2:RunInstances", arn("ec2", f"{kind}/x"), BY_TEMPLATE)


@pytest.mark.parametrize("role", WRITERS)
@pytest.mark.parametrize(("owner", "expected"), [(ACCOUNT, True), ("999999999999", False), ("amazon", False)])
def test_only_images_of_known_owners_are_launched(role: Role, owner: str, expected: bool) -> None:
    image = arn("ec2", "image/ami-1", account="")

    assert may(role, "ec2:RunInstances", image, {**BY_TEMPLATE, "ec2:Owner": owner}) is expected


@pytest.mark.parametrize("role", WRITERS)
@pytest.mark.parametrize(
    ("name", "service", "expected"),
    [("web-app", "ec2.amazonaws.com", True), ("web-app", "lambda.amazonaws.com", False),
     ("admin", "ec2.amazonaws.com", False)],
)  # fmt: skip
def test_only_the_instances_role_is_passed_and_only_to_ec2(role: Role, name: str, service: str, expected: bool) -> None:
    resource = arn("iam", f"role/{name}", region="")

    assert may(role, "iam:PassRole", resource, {"iam:PassedToService": service}) is expected
    assert not may(role, "iam:PassRole", resource)


@pytest.mark.parametrize("role", WRITERS)
def test_tags_on_instances_come_with_their_launch_or_not_at_all(role: Role) -> None:
    instance, tags = arn("ec2", "instance/*"), {"aws:TagKeys": ("service",)}

    assert may(role, "ec2:CreateTags", instance, {**tags, "ec2:CreateAction": "RunInstances"})
    assert not may(role, "ec2:CreateTags", instance, tags)
    assert not may(role, "ec2:CreateTags", TEMPLATE, {**tags, "ec2:CreateAction": "RunInstances"})


def test_a_group_is_never_left_to_follow_its_template_or_a_launch_configuration() -> None:
    update = "autoscaling:UpdateAutoScalingGroup"

    answers = {
        value: evaluate(
            never_follow(), Request(update, GROUP, {"autoscaling:LaunchTemplateVersionSpecified": value})
        ).by
        for value in ("true", "false")
    }

    assert answers == {"true": "", "false": "NeverFollowTemplate"}
    assert not may(Role.ROLLBACK, update, GROUP, {**MARKED, "autoscaling:LaunchConfigurationName": "other"})


@pytest.mark.parametrize("context", [{}, {"autoscaling:LaunchTemplateVersionSpecified": "false"}])
def test_capacity_can_be_changed_whichever_way_aws_describes_an_update_without_a_template(context: Context) -> None:
    assert all(may(role, "autoscaling:UpdateAutoScalingGroup", GROUP, {**MARKED, **context}) for role in WRITERS)


# --- what no role may ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ROLES)
def test_nothing_in_iam_is_changed(role: Role) -> None:
    model: Any = botocore.session.get_session().get_service_model("iam")
    writes = [name for name in model.operation_names if not re.match("Get|List|Simulate|Generate", name)]

    answers = {evaluate(DOCUMENTS[role], Request(f"iam:{name}")).by for name in writes}

    assert len(writes) > 80
    assert answers == {"NeverIam"}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("force", ["true", "false"])
def test_no_group_is_deleted_by_force_or_otherwise(role: Role, force: str) -> None:
    request = Request("autoscaling:DeleteAutoScalingGroup", GROUP, {**MARKED, "autoscaling:ForceDelete": force})

    assert evaluate(DOCUMENTS[role], request).by == "NeverDeleteGroups"
