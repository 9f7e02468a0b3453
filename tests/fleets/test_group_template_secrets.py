"""Warnings about secrets in user data and tags, and about images that are named for an environment."""

from __future__ import annotations

import base64
import builtins
from collections.abc import Iterator
from typing import Any

import pytest

from phoenix.aws.templates import TemplateVersion
from phoenix.core.blocker import Blocker
from phoenix.core.image import Image
from phoenix.fleets import secret_scan
from phoenix.fleets.group_template_secrets import CHECKS, find_environment, find_secrets
from tests.builders import NOON
from tests.fakes import an_image

SECRET = "hunter2abc"


def a_version(script: str = "") -> TemplateVersion:
    content = {"UserData": base64.b64encode(script.encode()).decode()} if script else {}
    return TemplateVersion("lt-1", 7, "", NOON, content)


def warnings(script: str = "", **tags: str) -> list[Blocker]:
    return list(find_secrets(a_version(script), an_image(tags=tags)))


def environments(image: Image) -> list[str]:
    return [blocker.text for blocker in find_environment(image)]


def test_user_data_with_a_secret_is_a_warning_with_line_and_kind_and_never_the_value() -> None:
    (found,) = warnings(f"#!/bin/sh\nexport DB_PASSWORD={SECRET}\n")

    assert (found.name, found.warning) == ("secret-in-user-data", True)
    assert "1 secret: line 2 (Secret Keyword)" in found.text
    assert SECRET not in repr(found)


def test_a_tag_with_a_secret_is_named_without_its_value() -> None:
    (found,) = warnings(db_password=SECRET, service="web")

    assert (found.name, found.text.startswith("tag db_password (Secret Keyword) looks")) == ("secret-in-tags", True)
    assert SECRET not in repr(found)
    assert str(found.remedy).endswith("--tags Key=db_password")


def test_the_examples_user_data_and_tags_are_clean() -> None:
    assert warnings("#!/bin/bash\nsystemctl start web\n", service="web", repository="https://git.example.com/web") == []


def test_user_data_that_cannot_be_read_whole_is_told() -> None:
    version = TemplateVersion("lt-1", 7, "", NOON, {"UserData": base64.b64encode(b"\x1f\x8b broken").decode()})

    (found,) = find_secrets(version, an_image())

    assert "Not all of it could be read" in found.text


@pytest.mark.parametrize(
    ("image", "names"),
    [
        (an_image(name="web-prod-2026.11.18"), "its name web-prod-2026.11.18"),
        (an_image(tags={"Environment": "blue-lagoon"}), "its tag Environment=blue-lagoon"),
        (an_image(tags={"contents": "web staging"}), "its tag contents=web staging"),
    ],
)
def test_an_image_that_is_named_for_an_environment_is_told_with_where_and_why(image: Image, names: str) -> None:
    (text,) = environments(image)

    assert text.startswith(f"{names} names an environment. One image should pass through all of them")


@pytest.mark.parametrize(
    "image",
    [
        an_image(name="web-product-devices-1"),
        an_image(tags={"how_to_monitor": "https://prod.example.com", "built_because": "fix for staging"}),
    ],
)
def test_other_words_and_sentences_about_environments_are_left_alone(image: Image) -> None:
    assert environments(image) == []


@pytest.fixture
def no_scanner(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    real = builtins.__import__

    def refuse(name: str, *args: Any, **options: Any) -> Any:
        if name.partition(".")[0] == "detect_secrets":
            raise ImportError(name)
        return real(name, *args, **options)

    secret_scan._rules.cache_clear()
    monkeypatch.setattr(builtins, "__import__", refuse)
    yield
    secret_scan._rules.cache_clear()


@pytest.mark.usefixtures("no_scanner")
def test_without_the_scanner_a_plan_says_once_that_nothing_has_looked() -> None:
    (found,) = warnings(f"password={SECRET}", db_password=SECRET)

    assert (found.name, found.remedy) == ("secrets-not-looked-for", "pip install 'phoenix-rotate[secrets]'")
    assert found.name in CHECKS
