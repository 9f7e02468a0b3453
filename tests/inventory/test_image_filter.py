from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from phoenix.core.image import Image
from phoenix.inventory.image_filter import ImageFilter, guess

AT = datetime(2026, 11, 18, 3, tzinfo=UTC)
OURS, THEIRS = "123456789012", "999999999999"


def an_image(name: str, days_old: int = 1, **differently: Any) -> Image:
    given: dict[str, Any] = {"owner": OURS, "architecture": "x86_64"} | differently
    return Image(id=f"ami-{name}", name=name, created_at=AT - timedelta(days=days_old), **given)


RUNNING = an_image("api-2026.11.11-41aa07", 7)
NEXT = an_image("api-2026.11.18-9f2c1e")


def guessed(running: Image, *others: Image) -> ImageFilter:
    found = guess(running, OURS, (running, *others), AT)
    assert found is not None
    return found


def test_the_filter_finds_the_builds_of_this_image_newest_first() -> None:
    found = guessed(RUNNING, NEXT)

    assert (found.name, found.owners) == ("api-*", ("self",))
    assert found.fitting == (NEXT, RUNNING)


def test_an_image_of_another_account_is_asked_for_by_its_owner() -> None:
    assert guessed(an_image("base-2026.11.11", owner=THEIRS)).owners == (THEIRS,)


def test_a_wide_pattern_that_finds_another_service_is_narrowed() -> None:
    found = guessed(RUNNING, NEXT, an_image("api-gateway-2026.11.18-9f2c1e"))

    assert found.name == "api-????.??.??-??????"
    assert (found.fitting, found.others) == ((NEXT, RUNNING), ())


def test_tags_that_tell_services_apart_keep_the_pattern_wide() -> None:
    running = an_image(RUNNING.name, 7, tags={"Service": "api", "commit": "41aa07"})
    other = an_image("api-gateway-2026.11.18-9f2c1e", tags={"Service": "api-gateway"})

    found = guessed(running, other)

    assert (found.name, found.tags) == ("api-*", {"Service": "api"})
    assert found.fitting == (running,)


def test_images_that_cannot_be_launched_do_not_count_as_found() -> None:
    arm = an_image("api-2026.11.18-a64a64", architecture="arm64")
    deprecated = an_image("api-2026.11.17-111111", deprecated_at=AT)

    assert guessed(RUNNING, arm, deprecated).fitting == (RUNNING,)


def test_a_name_that_never_changes_finds_longer_ones_and_says_nothing_of_others() -> None:
    found = guessed(an_image("golden"), an_image("golden-2"))

    assert (found.name, len(found.fitting), found.others) == ("golden*", 2, ())


def test_an_architecture_that_no_policy_can_name_has_no_filter() -> None:
    assert guess(an_image("api-1", architecture="i386"), OURS, (), AT) is None
