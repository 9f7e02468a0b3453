from __future__ import annotations

from typing import Any

import pytest

from phoenix.inventory.pairs import find_pairs


def a_group(name: str, desired: int = 2, **differently: Any) -> dict[str, Any]:
    return {
        "AutoScalingGroupName": name, "DesiredCapacity": desired, "VPCZoneIdentifier": "subnet-a,subnet-b",
        "TargetGroupARNs": [f"arn:tg/{name}"],
    } | differently  # fmt: skip


def stems(*groups: dict[str, Any]) -> list[str]:
    return [pair.stem for pair in find_pairs(groups)]


@pytest.mark.parametrize(
    ("names", "stem"),
    [(("web-blue", "web-green"), "web"), (("blue.web", "green.web"), "web"), (("web-red-1", "web-black-1"), "web-1")],
)
def test_colours_make_a_pair(names: tuple[str, str], stem: str) -> None:
    assert stems(*map(a_group, names)) == [stem]


def test_the_fuller_half_comes_first() -> None:
    (pair,) = find_pairs([a_group("web-blue", 0), a_group("web-green", 4)])

    assert [half["AutoScalingGroupName"] for half in pair.fuller_first] == ["web-green", "web-blue"]


def test_two_shards_that_both_run_are_no_pair() -> None:
    assert stems(a_group("web-1"), a_group("web-2")) == []


def test_letters_make_a_pair_where_one_half_is_empty() -> None:
    assert stems(a_group("web-a"), a_group("web-b", 0)) == ["web"]


@pytest.mark.parametrize(
    "differently",
    [{"VPCZoneIdentifier": "subnet-c"}, {"TargetGroupARNs": []}, {"TargetGroupARNs": ["arn:tg/web-blue"]}],
)
def test_other_subnets_or_shared_target_groups_are_no_pair(differently: dict[str, Any]) -> None:
    assert stems(a_group("web-blue"), a_group("web-green", **differently)) == []


def test_a_second_half_beside_a_group_that_kept_its_name_makes_a_pair() -> None:
    (pair,) = find_pairs([a_group("api"), a_group("api-green", 0)])

    assert (pair.stem, pair.green["AutoScalingGroupName"]) == ("api", "api-green")


def test_a_colour_within_a_word_is_no_colour() -> None:
    assert stems(a_group("bluebird"), a_group("greenbird")) == []
