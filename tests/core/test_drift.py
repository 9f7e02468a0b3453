"""A difference is what a person has changed, and never what neither template nor group says."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from phoenix.core.drift import Compared, Found, Fresh, Volume, differences, of_generation
from tests.builders import NEW_IMAGE, NOON, OLD_IMAGE, a_generation

BORN = NOON - timedelta(days=3)
ROOT = {"/dev/xvda": Volume(15, "gp3", True, "vol-1", BORN)}
FOUND = Found(
    "i-1",
    OLD_IMAGE,
    BORN,
    "m7i.large",
    "1",
    security_groups=frozenset({"sg-a"}),
    profile="web",
    metadata={"HttpTokens": "required", "HttpPutResponseHopLimit": "1"},
    tags={"service": "web", "aws:autoscaling:groupName": "web-blue"},
    volumes=ROOT,
    user_data="aa",
    protected=False,
)
FRESH = Fresh(
    types=frozenset({"m7i.large", "m6i.large"}),
    security_groups=frozenset({"sg-a"}),
    profile="web",
    metadata={"HttpTokens": "required"},
    tags={"service": "web"},
    volumes={"/dev/xvda": Volume(15, "gp3", True)},
    devices=frozenset({"/dev/xvda"}),
    user_data="aa",
    protected=False,
)


def told(fresh: Fresh | None = FRESH, most: timedelta | None = None, **changed: Any) -> list[str]:
    return [each.text for each in differences(Compared(replace(FOUND, **changed), fresh), NOON, most)]


def extra(after: timedelta, **facts: Any) -> dict[str, Volume]:
    return ROOT | {"/dev/sdf": Volume(10, "gp3", False, "vol-2", BORN + after, **facts)}


CHANGES = {
    "type": ({"type": "m5.large"}, "type: m5.large, template and group launch m6i.large, m7i.large"),
    "group added": (
        {"security_groups": frozenset({"sg-a", "sg-b"})},
        "security-groups: sg-b added, template has sg-a",
    ),
    "group gone": ({"security_groups": frozenset()}, "security-groups: sg-a taken away, template has sg-a"),
    "profile": ({"profile": "admin"}, "profile: admin, template has web"),
    "no profile": ({"profile": ""}, "profile: none, template has web"),
    "metadata": (
        {"metadata": {"HttpTokens": "optional"}},
        "metadata: HttpTokens=optional, template has HttpTokens=required",
    ),
    "tag": ({"tags": {"service": "x"}}, "tag:service: x, a new instance gets web"),
    "tag gone": ({"tags": {}}, "tag:service: missing, a new instance gets web"),
    "user data": ({"user_data": "bb"}, "user-data: sha256 bb, template has aa"),
    "protection": ({"protected": True}, "protection: on, template says off"),
    "volume grown": (
        {"volumes": {"/dev/xvda": Volume(30, "gp3", True, "vol-1", BORN)}},
        "volumes: /dev/xvda vol-1 30 GiB, template has 15 GiB",
    ),
    "volume not encrypted": (
        {"volumes": {"/dev/xvda": Volume(15, "gp2", False, "vol-1", BORN)}},
        "volumes: /dev/xvda vol-1 gp2, not encrypted, template has gp3, encrypted",
    ),
    "volume gone": ({"volumes": {}}, "volumes: /dev/xvda is not attached, template has it"),
    "volume added": (
        {"volumes": extra(timedelta(hours=1))},
        "volumes: /dev/sdf vol-2 is attached, template and image have none there",
    ),
}


@pytest.mark.parametrize(("changed", "sentence"), CHANGES.values(), ids=CHANGES)
def test_what_a_person_has_changed_is_told(changed: dict[str, Any], sentence: str) -> None:
    assert told(**changed) == [sentence]


QUIET = {
    "a fresh one": {},
    "another of the allowed types": {"type": "m6i.large"},
    "a tag of AWS": {"tags": {**FOUND.tags, "aws:ssm:state": "x"}},
    "a tag of another writer": {"tags": {**FOUND.tags, "cost-center": "17"}},
    "an option that only the account sets": {"metadata": {**FOUND.metadata, "HttpProtocolIpv6": "enabled"}},
    "a volume that the server attaches as it boots": {"volumes": extra(timedelta(minutes=4))},
    "a volume of a pod": {"volumes": extra(timedelta(hours=1), tags={"ebs.csi.aws.com/cluster": "true"})},
    "a root volume that was replaced": {"volumes": {"/dev/xvda": Volume(15, "gp3", True, "vol-9", NOON)}},
    "a volume that is not listed yet": {"volumes": {"/dev/xvda": Volume(id="vol-1", attached_at=BORN)}},
    "what was not read": {"user_data": None, "protected": None},
}


@pytest.mark.parametrize("changed", QUIET.values(), ids=QUIET)
def test_what_changes_by_itself_is_no_difference(changed: dict[str, Any]) -> None:
    assert told(**changed) == []


def test_encryption_that_the_account_adds_is_no_difference() -> None:
    assert told(replace(FRESH, volumes={"/dev/xvda": Volume(15, "gp3", False)})) == []


FOUNDS = some.builds(
    Found,
    some.just("i-1"),
    some.text(),
    some.just(BORN),
    some.text(),
    security_groups=some.frozensets(some.text()),
    profile=some.text(),
    metadata=some.dictionaries(some.text(), some.text()),
    tags=some.dictionaries(some.text(), some.text()),
    user_data=some.none() | some.text(),
    protected=some.none() | some.booleans(),
)


@given(FOUNDS)
def test_what_neither_template_nor_group_says_is_no_difference(found: Found) -> None:
    assert differences(Compared(found, Fresh()), NOON) == ()
    assert differences(Compared(found, None), NOON) == ()


@given(FOUNDS)
def test_an_instance_that_is_as_a_fresh_one_never_differs(found: Found) -> None:
    fresh = Fresh(
        frozenset({found.type}),
        found.security_groups,
        found.profile,
        found.metadata,
        found.tags,
        user_data=found.user_data,
        protected=found.protected,
    )

    assert differences(Compared(found, fresh), NOON) == ()


def test_age_is_told_past_the_limit_and_since_then() -> None:
    (old,) = differences(Compared(FOUND, FRESH), NOON, timedelta(days=2))

    assert (old.text, old.since) == ("age: 3d, limit 2d", BORN + timedelta(days=2))
    assert told(most=timedelta(days=4)) == []


def test_an_instance_is_of_its_generation_by_image_and_version() -> None:
    live, retained = a_generation(41), a_generation(40, image="ami-before", template_version="0")

    assert of_generation(FOUND, live, [live, retained]) == ()
    assert of_generation(replace(FOUND, image="ami-before", version="0"), retained, [live, retained]) == ()
    strange = of_generation(replace(FOUND, image=NEW_IMAGE, version="7"), live, [live, retained])
    assert [each.what for each in strange] == ["image", "version"]


def test_a_generation_that_is_hardly_known_has_no_strangers() -> None:
    unknown = a_generation(41, image="unknown", template_version=None)

    assert of_generation(FOUND, unknown, [unknown]) == ()
    assert of_generation(FOUND, None, []) == ()
