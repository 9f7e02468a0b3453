"""The six questions, and the age of a base."""

from __future__ import annotations

from datetime import timedelta

import pytest

from phoenix.core.image import Image, Wanted, choose, unanswered
from phoenix.core.provenance import REQUIRED, answers, base_of, read_time, too_old_a_base
from tests.builders import NOON

DAY = timedelta(days=1)


def an_image(**tags: str) -> Image:
    return Image("ami-1", "web-1", NOON, "123456789012", "x86_64", tags=tags)


def test_an_image_without_tags_leaves_all_six_questions_open() -> None:
    assert len(answers({})) == 6
    assert [tag for answer in answers({}) for tag in answer.missing] == list(REQUIRED)


def test_a_tag_that_says_nothing_is_no_answer() -> None:
    assert unanswered({"commit": "  ", "built_by": "ann"}, ("commit", "built_by")) == ("commit",)


def test_an_address_is_shown_without_its_user() -> None:
    (said,) = (a.said for a in answers({"repository": "https://bob:pa55@git.example.com/web"}) if a.said)

    assert said == {"repository": "https://...@git.example.com/web"}


def test_an_image_without_the_required_tags_gives_way_to_an_older_one_with_them() -> None:
    old = Image("ami-0", "web-0", NOON - DAY, "123456789012", "x86_64", tags={"commit": "9f2c1e"})

    chosen, refused = choose(
        [an_image(), old], Wanted(frozenset({"123456789012"}), "x86_64", required=("commit",)), NOON
    )

    assert chosen.image.id == "ami-0"
    assert refused.rejected == "it cannot say where it comes from: no tag commit"


def test_the_base_is_the_lowest_layer_that_the_tags_name_else_the_parent() -> None:
    both = an_image(parent="ami-p", parent_built_at="2026-11-01T00:00:00Z", base="ami-b", base_built_at="2026-10-01")
    one = an_image(parent="ami-p", parent_name="al2023", parent_built_at="2026-11-01T00:00:00.000Z")

    assert [base and base.id for base in (base_of(both), base_of(one), base_of(an_image()))] == ["ami-b", "ami-p", None]


@pytest.mark.parametrize(("age", "told"), [(30 * DAY, False), (30 * DAY + timedelta(seconds=1), True)])
def test_a_base_is_too_old_from_the_limit_on_and_not_at_it(age: timedelta, told: bool) -> None:
    image = an_image(base="ami-b", base_built_at=f"{NOON - age:%Y-%m-%dT%H:%M:%SZ}")

    assert (too_old_a_base(image, 30 * DAY, NOON) is not None) is told


def test_a_base_of_unknown_age_and_a_policy_without_a_limit_say_nothing() -> None:
    old = an_image(base="ami-b", base_built_at="2020-01-01")

    assert too_old_a_base(an_image(base="ami-b", base_built_at="last week"), DAY, NOON) is None
    assert too_old_a_base(old, None, NOON) is None


def test_a_time_without_a_zone_is_utc_and_anything_else_is_no_time() -> None:
    assert read_time("2026-11-18T02:14:00") == read_time("2026-11-18T02:14:00Z")
    assert read_time("yesterday") is None
