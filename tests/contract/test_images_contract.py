"""What every image source promises, held against the real ones on a sandbox and the fake one in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import pytest

from phoenix.errors import PermanentError
from phoenix.images import KINDS
from phoenix.ports import ImageSource
from tests.account import Account, Opener
from tests.fakes import BAKED_AT, NEW_IMAGE, OLD_IMAGE, FakeImages, an_image

FOREIGN = "999999999999"


@dataclass
class Case:
    """A source that should choose `chosen`, another image of the account, and one of another account."""

    source: ImageSource
    chosen: str
    other: str
    foreign: str
    at: datetime


def _fake(_account: Account) -> Case:
    shelf = FakeImages(an_image(), an_image(OLD_IMAGE), an_image("ami-0000000000000foreign", owner=FOREIGN))
    return Case(shelf, NEW_IMAGE, OLD_IMAGE, "ami-0000000000000foreign", BAKED_AT)


def _real(kind: str, account: Account) -> Case:
    account.clock.advance(60)
    chosen, other = account.sandbox.bake_image("web-7-chosen"), account.sandbox.bake_image("other-6")
    foreign = account.sandbox.bake_image("web-8-foreign", owner=FOREIGN)
    account.client("ssm").put_parameter(Name="/images/web", Value=chosen, Type="String")
    template = {"LaunchTemplateName": "web", "SourceVersion": "1", "LaunchTemplateData": {"ImageId": chosen}}
    account.client("ec2").create_launch_template_version(VersionDescription="a new image", **template)
    known: dict[str, dict[str, Any]] = {
        "search": {"owners": ("self",), "name": "web-*"},
        "ssm": {"parameter": "/images/web"},
    }
    settings = known.get(kind, {})
    made: Any = KINDS[kind]
    return Case(account.make(made, made.settings(**settings)), chosen, other, foreign, account.clock.now())


CASES: dict[str, Callable[[Account], Case]] = {kind: partial(_real, kind) for kind in KINDS}
CASES["fake"] = _fake


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest, open_account: Opener) -> Case:
    return CASES[request.param](open_account())


def test_the_chosen_image_comes_first_and_alone_without_a_reason(case: Case) -> None:
    chosen, *rest = case.source.candidates(case.at)

    assert (chosen.image.id, chosen.rejected) == (case.chosen, None)
    assert all(candidate.rejected for candidate in rest)


def test_the_choice_does_not_change_between_two_looks(case: Case) -> None:
    assert case.source.candidates(case.at) == case.source.candidates(case.at)


def test_an_image_may_be_named_whatever_its_name(case: Case) -> None:
    candidate = case.source.named(case.other, case.at)

    assert (candidate.image.id, candidate.rejected) == (case.other, None)


def test_naming_an_image_does_not_help_against_the_owners(case: Case) -> None:
    assert FOREIGN in str(case.source.named(case.foreign, case.at).rejected)


def test_an_unknown_image_is_an_error(case: Case) -> None:
    with pytest.raises(PermanentError, match="ami-00000000000000000"):
        case.source.named("ami-00000000000000000", case.at)
