"""Many sources are asked together, and each gets the answer that it would have got alone."""

from __future__ import annotations

from typing import Any

import pytest

from phoenix.images import launch_template, search, ssm
from phoenix.images.together import _pattern, chosen_images
from phoenix.keys import Kind
from tests.account import Account

STABLE = {"service": "web", "channel": "stable"}


def by_name(name: str | None = "web-*", **keys: Any) -> search.Settings:
    return search.Settings(**({"owners": ("self",), "name": name, "tags": STABLE} | keys))


def chosen(account: Account, **sources: Kind) -> dict[str, str]:
    account.sandbox.calls.clear()
    return dict(chosen_images(account.aws, sources, account.clock.now()))


def test_each_source_chooses_what_it_would_choose_alone(account: Account) -> None:
    account.sandbox.bake_image("api-7", tags={"service": "api"})
    sources = {
        "web": by_name(),
        "arm": by_name(architecture="arm64"),
        "api": by_name("api-?", tags={}),
        "no": by_name("x"),
    }

    found = chosen(account, **sources)

    alone = {
        name: next((c.image.id for c in alone_for(account, settings) if c.rejected is None), None)
        for name, settings in sources.items()
    }
    assert found == {name: image for name, image in alone.items() if image is not None}
    assert set(found) == {"web", "arm", "api"}


def alone_for(account: Account, settings: search.Settings) -> Any:
    return search.SearchImages(settings, account.scope).candidates(account.clock.now())


def test_a_thousand_names_take_five_calls_and_one_question_asked_twice_takes_one(account: Account) -> None:
    chosen(account, **{f"g{n}": by_name(f"g{n}-*") for n in range(1000)})
    assert account.operations().count("DescribeImages") == 5

    chosen(account, one=by_name(), two=by_name())
    assert account.operations() == ["DescribeImages"]


def test_sources_without_a_name_are_narrowed_down_by_their_tags(account: Account) -> None:
    assert chosen(account, web=by_name(None)) == chosen(account, web=by_name())


def test_other_owners_are_another_question(account: Account) -> None:
    theirs = account.sandbox.bake_image("web-9999", owner="999999999999")
    account.clock.advance(1)

    found = chosen(account, ours=by_name(), theirs=by_name(owners=("999999999999",)))

    assert found["theirs"] == theirs != found["ours"]


def test_parameters_are_read_ten_at_a_time_and_a_missing_one_is_left_out(account: Account) -> None:
    for number in range(12):
        account.client("ssm").put_parameter(Name=f"/images/{number}", Value=f"ami-{number:017d}", Type="String")

    found = chosen(account, **{f"g{n}": ssm.Settings(parameter=f"/images/{n}") for n in range(13)})

    assert found == {f"g{n}": f"ami-{n:017d}" for n in range(12)}
    assert account.operations() == ["GetParameters", "GetParameters"]


def test_what_cannot_be_asked_together_is_not_known(account: Account) -> None:
    assert chosen(account, web=launch_template.Settings()) == {}


@pytest.mark.parametrize(
    ("pattern", "name", "matches"),
    [
        ("web-*", "web-", True),
        ("web-*", "api-1", False),
        ("web-?", "web-1", True),
        ("web-?", "web-12", False),
        ("w.b", "web", False),
        (r"web\*", "web*", True),
        (r"web\*", "webs", False),
        ("*-1", "web-1", True),
    ],
)
def test_names_match_as_ec2_matches_them(pattern: str, name: str, matches: bool) -> None:
    assert bool(_pattern(pattern).fullmatch(name)) is matches
