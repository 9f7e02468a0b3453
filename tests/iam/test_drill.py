"""The rights of drills: a group that is never drilled does not need them, and a crash has a document of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from phoenix.aws.rights import Role
from phoenix.core.tags import MANAGED
from phoenix.policy.loader import load
from phoenix.policy.source import Directory
from phoenix.wiring.rights import Where, crash_document, own_document
from tests.iam.asked import arn
from tests.iam.evaluator import Request, evaluate
from tests.iam.recorder import DOCUMENTS, FILLED, applied
from tests.rotation.stage import a_policy, write_policy

END, CRASH = "autoscaling:TerminateInstanceInAutoScalingGroup", "ec2:TerminateInstances"
INSTANCE = arn("ec2", "instance/i-0b7e19c2d4a85f361")
GROUP = arn("autoscaling", "autoScalingGroup:3f1c:autoScalingGroupName/web-blue")
MARKED = {f"aws:ResourceTag/{MANAGED}": "true"}


@pytest.mark.parametrize(("section", "may"), [(None, False), ({"most": 1, "floor": "75%"}, True)])
def test_a_pair_may_end_instances_only_where_its_policy_has_the_section(
    tmp_path: Path, section: dict[str, object] | None, may: bool
) -> None:
    write_policy(tmp_path, a_policy(drill=section))
    names = {name: (FILLED[name],) for name in ("account", "region", "instance_role")}
    where = Where(str(tmp_path), f"sqlite:///{tmp_path}/db", names=names)

    document = own_document(load(Directory(str(tmp_path))), where, Role.ROTATE)

    assert evaluate(document, Request(END, GROUP, MARKED)).allowed is may
    assert not evaluate(document, Request(END, GROUP, {})).allowed


def test_a_crash_is_in_no_role_and_its_document_asks_for_the_owners_tag_on_the_instance() -> None:
    crash = applied(crash_document())

    assert not any(evaluate(found, Request(CRASH, INSTANCE, MARKED)).allowed for found in DOCUMENTS.values())
    assert evaluate(crash, Request(CRASH, INSTANCE, MARKED)).allowed
    assert not evaluate(crash, Request(CRASH, INSTANCE, {})).allowed
