"""The choice of an image: the same one whatever the order of the API, and a reason for every other."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phoenix.core.image import Candidate, Image, Wanted, choose, unfit, unlaunchable
from tests.builders import NOON, after

OWNER = "123456789012"


OWNERS = frozenset({OWNER})


WANTED = Wanted(OWNERS, "x86_64", tags={"service": "web"})


def a_shelf_image(number: int = 1, *, age: timedelta = timedelta(hours=1), **facts: object) -> Image:
    """An image that fits."""
    plain = {"owner": OWNER, "architecture": "x86_64", "tags": {"service": "web"}, **facts}
    return Image(f"ami-{number:017d}", f"web-{number}", NOON - age, **plain)  # type: ignore[arg-type]


UNLAUNCHABLE = {
    "owner 999999999999 is not": {"owner": "999999999999"},
    "state is pending": {"state": "pending"},
    "Allowed AMIs": {"allowed": False},
    "architecture is arm64": {"architecture": "arm64"},
    "virtualization is paravirtual": {"virtualization": "paravirtual"},
    "no ENA support": {"ena": False},
    "deprecated": {"deprecated_at": NOON},
}


ages = st.lists(st.integers(0, 3).map(lambda hours: timedelta(hours=hours)), min_size=1, max_size=6)


@pytest.mark.edge(26)
@given(ages, st.randoms(use_true_random=False))
def test_the_choice_does_not_depend_on_the_order_of_the_answer(spans: list[timedelta], dice: object) -> None:
    images = [a_shelf_image(n, age=age) for n, age in enumerate(spans)]
    shuffled = list(images)
    dice.shuffle(shuffled)  # type: ignore[attr-defined]

    assert choose(shuffled, WANTED, NOON) == choose(images, WANTED, NOON)


@pytest.mark.edge(26)
def test_of_two_images_of_one_second_the_greater_id_wins() -> None:
    first, *others = choose([a_shelf_image(1), a_shelf_image(2)], WANTED, NOON)

    assert first.image.id.endswith("2")
    assert [c.rejected for c in others] == [f"older than {first.image.id}"]


@pytest.mark.edge(26)
@pytest.mark.parametrize(("words", "facts"), UNLAUNCHABLE.items(), ids=list(UNLAUNCHABLE))
def test_an_image_that_must_not_run_here_is_refused_even_by_name(words: str, facts: dict[str, object]) -> None:
    reason = unlaunchable(a_shelf_image(**facts), OWNERS, "x86_64", NOON)  # type: ignore[arg-type]

    assert reason is not None
    assert words in reason


def test_a_strangers_image_of_the_right_name_is_never_chosen_however_new() -> None:
    ours, theirs = a_shelf_image(1), a_shelf_image(2, age=timedelta(0), owner="999999999999")

    first, second = choose([theirs, ours], WANTED, NOON)

    assert first.image == ours
    assert "owner" in (second.rejected or "")


def test_an_image_that_is_deprecated_later_is_still_fine() -> None:
    assert unlaunchable(a_shelf_image(deprecated_at=after(1)), OWNERS, "x86_64", NOON) is None


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"tags": {"service": "api"}}, "wants service=web"),
        ({"age": timedelta(hours=-1)}, "in the future"),
        ({"age": timedelta(minutes=9)}, "younger than min_age"),
    ],
)
def test_what_the_policy_does_not_want_is_passed_over_with_a_reason(facts: dict[str, object], words: str) -> None:
    wanted = Wanted(OWNERS, "x86_64", tags={"service": "web"}, min_age=timedelta(minutes=10))

    assert words in (unfit(a_shelf_image(**facts), wanted, NOON) or "")  # type: ignore[arg-type]


def test_min_age_holds_to_the_second() -> None:
    wanted = Wanted(OWNERS, "x86_64", min_age=timedelta(minutes=10))

    assert unfit(a_shelf_image(age=timedelta(minutes=10)), wanted, NOON) is None


def test_no_image_is_chosen_when_none_fits() -> None:
    judged = choose([a_shelf_image(1, state="failed"), a_shelf_image(2, ena=False)], WANTED, NOON)

    assert all(c.rejected is not None for c in judged)
    assert choose([], WANTED, NOON) == ()


REFUSALS = {
    "owner 999999999999 is not among the policy's owners": {"owner": "999999999999"},
    "state is pending": {"state": "pending"},
    "the account's Allowed AMIs settings forbid it": {"allowed": False},
    "architecture is arm64, not x86_64": {"architecture": "arm64"},
    "virtualization is paravirtual, not hvm": {"virtualization": "paravirtual"},
    "it has no ENA support": {"ena": False},
    "it is deprecated": {"deprecated_at": NOON},
    "tags differ: wants service=web, channel=stable": {"tags": {"owner": "team"}},
    "tags differ: wants channel=stable": {"tags": {"service": "web"}},
    "its creation date is in the future": {"age": timedelta(seconds=-1)},
    "younger than min_age (0:10:00)": {"age": timedelta(minutes=9)},
}


PICKY = Wanted(OWNERS, "x86_64", tags={"service": "web", "channel": "stable"}, min_age=timedelta(minutes=10))


FITS: dict[str, Any] = {"tags": {"service": "web", "channel": "stable"}}


@pytest.mark.parametrize(("words", "facts"), REFUSALS.items(), ids=list(REFUSALS))
def test_an_image_that_is_not_chosen_says_why(words: str, facts: dict[str, Any]) -> None:
    assert unfit(a_shelf_image(**{**FITS, **facts}), PICKY, NOON) == words
    assert unfit(a_shelf_image(**FITS), PICKY, NOON) is None


def test_the_most_fundamental_reason_is_the_one_that_is_given() -> None:
    everything: dict[str, Any] = {"owner": "999999999999", "state": "pending", "ena": False, "tags": {}}

    assert "owner" in (unfit(a_shelf_image(**everything), PICKY, NOON) or "")


def test_of_two_of_the_same_moment_the_greater_id_is_chosen_and_the_rest_is_older() -> None:
    low, high, bad = a_shelf_image(1), a_shelf_image(2), a_shelf_image(3, state="failed")

    judged = choose([low, bad, high], WANTED, NOON)

    assert judged == (
        Candidate(high),
        Candidate(bad, "state is failed"),
        Candidate(low, f"older than {high.id}"),
    )
