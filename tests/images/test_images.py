"""Where images come from, and what keeps the wrong ones out."""

from __future__ import annotations

from typing import Any

import pytest

from phoenix.core.image import Candidate
from phoenix.errors import NotFound
from phoenix.images import launch_template, search, ssm
from phoenix.images.describe import _image
from tests.account import Account, Opener

WEB: dict[str, Any] = {"owners": ("self",), "name": "web-*", "tags": {"service": "web", "channel": "stable"}}
FOREIGN = "999999999999"


def found_by_search(account: Account, **keys: Any) -> list[Candidate]:
    """All candidates of the web policy with other keys."""
    source = account.make(search.SearchImages, search.Settings(**(WEB | keys)))
    return list(source.candidates(account.clock.now()))


def reasons(candidates: list[Candidate]) -> dict[str, str]:
    """Why each was not chosen, by name."""
    return {c.image.name: str(c.rejected) for c in candidates if c.rejected}


@pytest.mark.edge(26)
def test_the_newest_that_fits_is_chosen_in_one_call(account: Account) -> None:
    chosen, *_ = found_by_search(account)

    assert (chosen.image.name, account.operations()) == ("web-2026.11.18-9f2c1e", ["DescribeImages"])


def test_each_other_image_has_its_reason(account: Account) -> None:
    assert reasons(found_by_search(account)) == {
        "web-2026.11.18-be7a00": "tags differ: wants channel=stable",
        "web-2026.11.18-a64a64": "architecture is arm64, not x86_64",
        "web-2026.11.11-41aa07": f"older than {found_by_search(account)[0].image.id}",
    }


@pytest.mark.edge(26)
def test_another_accounts_image_of_that_name_is_not_even_looked_at(account: Account) -> None:
    account.sandbox.bake_image("web-9999-trap", owner=FOREIGN)

    assert FOREIGN not in {candidate.image.owner for candidate in found_by_search(account)}


def test_another_account_may_be_the_owner(account: Account) -> None:
    theirs = account.sandbox.bake_image("web-2026.11.18-theirs", owner=FOREIGN)
    account.clock.advance(1)

    chosen, *_ = found_by_search(account, owners=("self", FOREIGN))

    assert chosen.image.id == theirs
    assert account.operations() == ["DescribeImages", "GetCallerIdentity"]


def test_self_is_asked_for_once_however_often_images_are(account: Account) -> None:
    source = account.make(search.SearchImages, search.Settings(**(WEB | {"owners": ("self", FOREIGN)})))
    for _ in range(3):
        source.candidates(account.clock.now())

    assert account.operations().count("GetCallerIdentity") == 1


def test_too_young_an_image_waits(account: Account) -> None:
    young = account.sandbox.bake_image("web-2026.11.18-young")
    account.clock.advance(60)

    chosen, *_ = found_by_search(account, min_age="10m")

    assert chosen.image.id != young


def test_no_image_at_all_is_an_empty_answer(account: Account) -> None:
    assert found_by_search(account, name="nothing-*") == []


# --- SSM --------------------------------------------------------------------------------------------------------------


def the_parameter(account: Account, value: str, **keys: Any) -> ssm.SsmImages:
    """A source that follows /images/web, which holds this value."""
    account.client("ssm").put_parameter(Name="/images/web", Value=value, Type="String")
    return account.make(ssm.SsmImages, ssm.Settings(parameter="/images/web", **keys))


@pytest.mark.edge(30)
def test_the_parameters_version_goes_along_with_the_image(account: Account) -> None:
    baked = account.sandbox.bake_image("web-1")

    (chosen,) = the_parameter(account, baked).candidates(account.clock.now())

    assert (chosen.image.id, chosen.image.tags[ssm.PARAMETER_TAG]) == (baked, "/images/web:1")


@pytest.mark.edge(30)
def test_a_parameter_cannot_smuggle_in_another_accounts_image(account: Account) -> None:
    source = the_parameter(account, account.sandbox.bake_image("web-1", owner=FOREIGN))

    (candidate,) = source.candidates(account.clock.now())

    assert candidate.rejected == f"owner {FOREIGN} is not among the policy's owners"


def test_a_parameter_that_holds_no_image_is_an_error(account: Account) -> None:
    with pytest.raises(NotFound, match="holds 8 characters that are not an image id") as told:
        the_parameter(account, "hunter2$").candidates(account.clock.now())

    assert "hunter2" not in str(told.value)


def test_a_parameter_that_does_not_exist_is_an_error(account: Account) -> None:
    source = account.make(ssm.SsmImages, ssm.Settings(parameter="/images/none"))

    with pytest.raises(NotFound, match="ssm:GetParameter"):
        source.candidates(account.clock.now())


# --- launch template --------------------------------------------------------------------------------------------------


def new_version(account: Account, description: str, image: str) -> None:
    """Let a person make a template version."""
    account.client("ec2").create_launch_template_version(
        LaunchTemplateName=account.group, VersionDescription=description, LaunchTemplateData={"ImageId": image}
    )


def test_the_owners_newest_version_counts_and_never_one_of_ours(account: Account) -> None:
    theirs, ours = account.sandbox.bake_image("web-1"), account.sandbox.bake_image("web-2")
    new_version(account, "by the owner", theirs)
    new_version(account, "phoenix web-42-7k3f generation 42", ours)
    source = account.make(launch_template.LaunchTemplateImages, launch_template.Settings())

    (chosen,) = source.candidates(account.clock.now())

    assert (chosen.image.id, chosen.rejected) == (theirs, None)


def test_mixed_groups_have_a_template_too(open_account: Opener) -> None:
    account = open_account("workers")
    baked = account.sandbox.bake_image("workers-2")
    new_version(account, "by the owner", baked)

    source = account.make(launch_template.LaunchTemplateImages, launch_template.Settings())

    assert [c.image.id for c in source.candidates(account.clock.now())] == [baked]


def test_a_template_without_an_image_is_an_error(account: Account) -> None:
    new_version(account, "by the owner", "")
    source = account.make(launch_template.LaunchTemplateImages, launch_template.Settings())

    with pytest.raises(NotFound, match="names no image"):
        source.candidates(account.clock.now())


# --- shapes -----------------------------------------------------------------------------------------------------------


def test_dates_become_aware_times() -> None:
    described = {
        "ImageId": "ami-1",
        "OwnerId": "123456789012",
        "CreationDate": "2026-11-18T02:14:00.000Z",
        "DeprecationTime": "2028-11-18T02:14:00.000Z",
        "ImageAllowed": False,
    }

    image = _image(described)

    assert (image.created_at.utcoffset(), image.deprecated_at is not None, image.allowed) == (
        image.created_at.tzinfo.utcoffset(None),  # type: ignore[union-attr]
        True,
        False,
    )
