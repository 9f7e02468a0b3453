"""A policy's filter for images, guessed from the image that runs. Pure.

Must never take an image of another service for the next one of this: where a wide pattern finds images whose names are
built differently, a narrow one is used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from phoenix.core.image import Image, Wanted, unfit
from phoenix.images.describe import SELF
from phoenix.inventory.image_names import NameShape, fits

_OF_A_SERVICE: Final = ("app", "application", "component", "product", "project", "role", "service", "team", "tier")
_OF_A_STAGE: Final = ("channel", "env", "environment", "os", "stage")
_TELLING: Final = frozenset((*_OF_A_SERVICE, *_OF_A_STAGE))
"""Keys of tags that say whose image it is, and for which stage; others change with each build, or say nothing."""
_ARCHITECTURES: Final = ("x86_64", "arm64")


@dataclass(frozen=True, slots=True)
class ImageFilter:
    """The keys of `image: {kind: search}`, and what they find now. `fitting` are images, newest first; `others` are
    names that fit the pattern, and look like those of another service."""

    running: Image
    owners: tuple[str, ...]
    name: str
    tags: Mapping[str, str] = field(default_factory=dict)
    fitting: tuple[Image, ...] = ()
    others: tuple[str, ...] = ()

    @property
    def newest(self) -> Image | None:
        """The image that a rotation would choose now."""
        return self.fitting[0] if self.fitting else None


def broad_pattern(running: Image) -> str:
    """The pattern by which the other images of this name are found."""
    shape = NameShape(running.name)
    return shape.pattern if shape.changes else f"{running.name}*"


def guess(running: Image, account: str, known: Sequence[Image], at: datetime) -> ImageFilter | None:
    """Return the filter; None where a policy cannot have one for this image. `known` are images that its broad pattern
    finds, of its owner."""
    if running.architecture not in _ARCHITECTURES or not running.name:
        return None
    tags = {key: value for key, value in sorted(running.tags.items()) if key.lower() in _TELLING and value}
    shape = NameShape(running.name)
    broad = _found(broad_pattern(running), running, tags, known, at)
    name = broad_pattern(running)
    if shape.changes and any(not shape.is_like(image.name) for image in broad):
        name = shape.narrow_pattern
    fitting = _found(name, running, tags, known, at)
    owners = (SELF,) if running.owner == account else (running.owner,)
    others = tuple(image.name for image in fitting if shape.changes and not shape.is_like(image.name))
    return ImageFilter(running, owners, name, tags, tuple(fitting), others)


def _found(pattern: str, running: Image, tags: Mapping[str, str], known: Sequence[Image], at: datetime) -> list[Image]:
    wanted = Wanted(frozenset({running.owner}), running.architecture, pattern, tags)
    found = [image for image in known if fits(pattern, image.name) and unfit(image, wanted, at) is None]
    return sorted(found, key=lambda image: (image.created_at, image.id), reverse=True)
