"""Which template version is the owner's newest."""

from __future__ import annotations

import pytest

from phoenix.aws.templates import (
    TemplateUse,
    newest_first,
    newest_of_the_owner,
    read_version,
    template_of,
    versions_to_copy,
)
from phoenix.errors import NotFound
from tests.account import Account

SPECIFICATION = {"LaunchTemplateId": "lt-1", "LaunchTemplateName": "web", "Version": "7"}


def a_template(account: Account, *descriptions: str) -> str:
    """A template with these versions, oldest first; returns its id."""
    ec2 = account.client("ec2")
    content = {"ImageId": "ami-0123456789abcdef0"}
    first, *more = descriptions
    made = ec2.create_launch_template(LaunchTemplateName="t", VersionDescription=first, LaunchTemplateData=content)
    template = str(made["LaunchTemplate"]["LaunchTemplateId"])
    for text in more:
        ec2.create_launch_template_version(
            LaunchTemplateId=template, VersionDescription=text, LaunchTemplateData=content
        )
    return template


def test_a_group_may_name_its_template_directly() -> None:
    assert template_of({"LaunchTemplate": SPECIFICATION}) == TemplateUse("lt-1", "7")


def test_a_group_may_name_its_template_in_a_mixed_instances_policy() -> None:
    mixed = {"MixedInstancesPolicy": {"LaunchTemplate": {"LaunchTemplateSpecification": SPECIFICATION}}}

    assert template_of(mixed) == TemplateUse("lt-1", "7")


@pytest.mark.edge(22)
def test_no_version_means_the_default_one() -> None:
    assert template_of({"LaunchTemplate": {"LaunchTemplateId": "lt-1"}}) == TemplateUse("lt-1", "$Default")


def test_a_launch_configuration_is_no_template() -> None:
    assert template_of({"LaunchConfigurationName": "old"}) is None


def test_versions_come_newest_first_across_windows(account: Account) -> None:
    template = a_template(account, *(f"version {n}" for n in range(1, 231)))

    assert [version.number for version in newest_first(account.aws, template)] == list(range(230, 0, -1))


@pytest.mark.edge(25)
def test_versions_of_ours_are_not_the_owners_wish(account: Account) -> None:
    template = a_template(
        account, "baseline", "the owner's", "phoenix web-2-a generation 2", "phoenix web-3-b generation 3"
    )

    assert newest_of_the_owner(account.aws, template).description == "the owner's"


@pytest.mark.edge(25)
def test_what_terraform_makes_out_of_a_version_of_ours_is_the_owners_wish(account: Account) -> None:
    ours = "phoenix web-2-a generation 2"
    template = a_template(account, "baseline", ours, ours, "phoenix web-3-b generation 3")

    assert newest_of_the_owner(account.aws, template).number == 3


def test_one_call_is_enough_when_the_owner_came_last(account: Account) -> None:
    template = a_template(account, "baseline", "the owner's")
    account.sandbox.calls.clear()

    newest_of_the_owner(account.aws, template)

    assert account.operations() == ["DescribeLaunchTemplateVersions"]


def test_a_template_that_is_all_ours_is_an_error(account: Account) -> None:
    template = a_template(account, "phoenix web-2-a generation 2")

    with pytest.raises(NotFound, match="made by phoenix"):
        newest_of_the_owner(account.aws, template)


def test_where_the_owners_versions_are_all_deleted_our_newest_is_copied(account: Account) -> None:
    ours = ("phoenix web-2-a generation 2", "phoenix web-3-b generation 3")

    to_copy = versions_to_copy(account.aws, a_template(account, *ours))

    assert (to_copy.source.number, len(to_copy.versions), to_copy.is_ours) == (2, 2, True)


def test_a_version_that_is_gone_is_an_error(account: Account) -> None:
    with pytest.raises(NotFound):
        read_version(account.aws, a_template(account, "baseline"), "7")
