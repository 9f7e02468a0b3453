"""The layers of an image, from the application down to its base, walked over images that were read.

Pure. Must never go round in a circle, nor leave out that a layer could not be found.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from phoenix.core.image import Candidate, Image
from phoenix.core.provenance import ANCESTORS, PARENT, PARENT_BUILT_AT, PARENT_NAME, read_time

DEEPEST: Final = 20
"""More layers than anybody bakes; a chain ends there."""
_ID = re.compile(r"ami-[0-9a-f]{8,17}")


@dataclass(frozen=True, slots=True)
class Layer:
    """One image of a chain. `name` and `built_at` are what the layer above says of it where it was not found.

    `newer` is the newest image that a bake would take instead of it; None: there is none, or `is_comparable` is False.
    """

    id: str
    name: str
    built_at: datetime | None
    image: Image | None = None
    newer: Image | None = None
    is_comparable: bool = False

    @property
    def is_stale(self) -> bool:
        """True if a newer one exists."""
        return self.newer is not None


@dataclass(frozen=True, slots=True)
class Chain:
    """The layers, the image itself first and its base last. `flaw` says why the chain ends before its base; None: the
    last one has no parent."""

    layers: tuple[Layer, ...]
    flaw: str | None = None


@dataclass(frozen=True, slots=True)
class ImageSeen:
    """An image with its layers. `candidate` says what the group's policy has against it; `group` None: none was named.

    `live` is the image that serves the group now, None if it is unknown.
    """

    at: datetime
    candidate: Candidate
    chain: Chain
    group: str | None = None
    live: str | None = None


def parent_of(image: Image) -> str | None:
    """The image that it was made from: by its tag, else as EC2 knows it."""
    return _id_in(image.tags.get(PARENT, "")) or image.source


def mentioned(images: Iterable[Image]) -> frozenset[str]:
    """Every image that these say is below them."""
    found: set[str] = set()
    for image in images:
        parent = parent_of(image)
        found |= {parent} if parent is not None else set()
        found |= set(_ID.findall(image.tags.get(ANCESTORS, "")))
    return frozenset(found)


def chain_of(first: Image, known: Mapping[str, Image]) -> Chain:
    """The layers of `first`, as far as they are known."""
    layers: list[Layer] = []
    image: Image | None = first
    while image is not None:
        layers.append(Layer(image.id, image.name, image.created_at, image))
        parent = parent_of(image)
        flaw = _flaw(image, parent, layers)
        if parent is None or flaw is not None:
            return Chain(tuple(layers), flaw)
        below = known.get(parent)
        if below is None:
            layers.append(_lost(image, parent))
            return Chain(tuple(layers), f"{parent} is gone, or this account may not see it")
        image = below
    return Chain(tuple(layers))


def with_newer(chain: Chain, newest: Mapping[str, Image | None]) -> Chain:
    """The chain with the newest image that each layer could be replaced by; a layer without a key is not comparable."""
    return replace(chain, layers=tuple(_compared(layer, newest) for layer in chain.layers))


def _compared(layer: Layer, newest: Mapping[str, Image | None]) -> Layer:
    if layer.id not in newest or layer.built_at is None:
        return layer
    found = newest[layer.id]
    is_newer = found is not None and found.id != layer.id and found.created_at > layer.built_at
    return replace(layer, newer=found if is_newer else None, is_comparable=True)


def _flaw(image: Image, parent: str | None, layers: list[Layer]) -> str | None:
    if parent is None:
        written = image.tags.get(PARENT, "").strip()
        return f"its tag parent is {written[:60]!r}, which is no image id" if written else None
    if any(layer.id == parent for layer in layers):
        return f"the tags go round in a circle: {parent} is below itself"
    return f"more than {DEEPEST} layers" if len(layers) >= DEEPEST else None


def _lost(child: Image, parent: str) -> Layer:
    says = child.tags if _id_in(child.tags.get(PARENT, "")) == parent else {}
    return Layer(parent, says.get(PARENT_NAME, ""), read_time(says.get(PARENT_BUILT_AT, "")))


def _id_in(written: str) -> str | None:
    return written.strip() if _ID.fullmatch(written.strip()) else None
