"""Chains of images: whole, broken, and round in a circle."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from phoenix.core.image import Image
from phoenix.core.layers import DEEPEST, chain_of, mentioned, parent_of, with_newer
from tests.builders import NOON

APP, RUNTIME, BASE = (f"ami-{number:08d}" for number in (3, 2, 1))


def an_image(image: str, parent: str = "", **tags: str) -> Image:
    written = {"parent": parent, **tags} if parent else tags
    return Image(image, f"name-{image}", NOON - timedelta(days=9), "123456789012", "x86_64", tags=written)


def known(*images: Image) -> dict[str, Image]:
    return {image.id: image for image in images}


def test_a_chain_goes_from_the_application_to_the_base() -> None:
    chain = chain_of(an_image(APP, RUNTIME), known(an_image(RUNTIME, BASE), an_image(BASE)))

    assert ([layer.id for layer in chain.layers], chain.flaw) == ([APP, RUNTIME, BASE], None)


def test_a_parent_that_is_gone_keeps_what_its_child_says_of_it() -> None:
    child = an_image(APP, RUNTIME, parent_name="runtime-7", parent_built_at="2026-11-01T00:00:00Z")

    chain = chain_of(child, {})

    assert (chain.layers[-1].name, chain.layers[-1].built_at is not None) == ("runtime-7", True)
    assert chain.flaw == f"{RUNTIME} is gone, or this account may not see it"


def test_a_circle_is_told_and_ends() -> None:
    chain = chain_of(an_image(APP, RUNTIME), known(an_image(APP, RUNTIME), an_image(RUNTIME, APP)))

    assert ([layer.id for layer in chain.layers], "round in a circle" in str(chain.flaw)) == ([APP, RUNTIME], True)


def test_a_parent_that_is_no_image_is_told_rather_than_taken_for_the_base() -> None:
    assert "no image id" in str(chain_of(an_image(APP, "latest"), {}).flaw)


def test_ec2_says_the_source_where_no_tag_does() -> None:
    assert parent_of(replace(an_image(APP), source=BASE)) == BASE
    assert parent_of(replace(an_image(APP, RUNTIME), source=BASE)) == RUNTIME


def test_all_ancestors_are_mentioned_by_one_image() -> None:
    assert mentioned([an_image(APP, RUNTIME, ancestors=f"{RUNTIME} {BASE}")]) == {RUNTIME, BASE}


def test_a_layer_is_stale_only_if_the_newest_is_younger_than_itself() -> None:
    chain = chain_of(an_image(APP, BASE), known(an_image(BASE)))
    newer = replace(an_image("ami-00000009"), created_at=NOON)

    compared = with_newer(chain, {APP: chain.layers[0].image, BASE: newer})

    assert [layer.is_stale for layer in compared.layers] == [False, True]
    assert not with_newer(chain, {}).layers[1].is_comparable


@given(st.dictionaries(st.integers(0, 40), st.integers(0, 40)))
def test_no_tags_whatever_make_a_chain_endless(parents: dict[int, int]) -> None:
    images = known(*(an_image(f"ami-{child:08d}", f"ami-{parent:08d}") for child, parent in parents.items()))

    chain = chain_of(an_image("ami-00000000", f"ami-{parents.get(0, 1):08d}"), images)

    ids = [layer.id for layer in chain.layers]
    assert len(ids) == len(set(ids)) <= DEEPEST + 1
