"""Where an image comes from, as a person asks for it."""

from __future__ import annotations

import pytest

from phoenix.core.provenance import REQUIRED
from tests.cli.conftest import POLICY, Terminal

LINE = "  tags: {service: web, channel: stable}\n"


def chosen(phoenix: Terminal) -> str:
    """The image that the policy chooses."""
    (image,) = (each["image"] for each in phoenix("images web -o json").document["candidates"] if each["chosen"])
    return str(image)


def demand(phoenix: Terminal, keys: str) -> None:
    """Give the image source of the policy these keys as well."""
    (phoenix.folder / "web.yaml").write_text(POLICY.replace(LINE, f"{LINE}  {keys}\n"))


def test_an_image_baked_with_our_template_answers_all_questions_and_shows_its_layers(phoenix: Terminal) -> None:
    shown = phoenix(f"images show {chosen(phoenix)} -g web -o json").document

    assert shown["unanswered"] == []
    assert [layer["name"] for layer in shown["layers"]] == [
        "web-2026.11.18-9f2c1e",
        "runtime-2026.11.06",
        "base-2026.10.08",
    ]
    assert [layer["stale"] for layer in shown["layers"]] == [False, False, True]


def test_the_screen_says_which_layer_is_stale_and_fits_a_terminal(phoenix: Terminal) -> None:
    said = phoenix(f"images show {chosen(phoenix)} -g web").out

    assert "base-2026.10.08 is stale: base-2026.11.12 (ami-" in said
    assert max(map(len, said.splitlines())) < 80


def test_no_group_has_to_be_named_to_ask_where_an_image_comes_from(phoenix: Terminal) -> None:
    image = chosen(phoenix)
    shown = phoenix(f"images show {image} -o json").document

    assert (shown["image"], shown["group"], shown["rejected"], shown["live"]) == (image, None, None, None)


def test_an_image_that_is_gone_is_an_error_in_words(phoenix: Terminal) -> None:
    answer = phoenix("images show ami-0123456789abcdef0")

    assert (answer.status, "Traceback" in answer.err) == (1, False)
    assert "ami-0123456789abcdef0" in answer.err


@pytest.mark.parametrize("words", ["images show", "images show web-2026"])
def test_show_wants_the_id_of_an_image(phoenix: Terminal, words: str) -> None:
    assert phoenix(words).status == 2


def test_an_image_without_provenance_is_never_rotated_to(phoenix: Terminal) -> None:
    image = phoenix.sandbox.bake_image("web-2026.12.01-dark")
    phoenix.clock.advance(60)
    demand(phoenix, "require_provenance: true")

    listed = {each["image"]: each["rejected"] for each in phoenix("images web -o json").document["candidates"]}

    assert (
        listed[image] == f"it cannot say where it comes from: no tag {', '.join(t for t in REQUIRED if t != 'service')}"
    )
    assert phoenix(f"rotate web --image {image}").status == 5


def test_the_plan_says_why_no_image_can_be_taken(phoenix: Terminal) -> None:
    demand(phoenix, "require_provenance: [approved_by]")

    plan = phoenix("plan web")

    assert "no tag approved_by" in " ".join(plan.out.split())
