"""An image as the account knows it, and the choice among several: deterministic, and with a reason for each one left.

Pure. Owners are never optional: a name anybody can register must never be enough (the "whoAMI" name confusion).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Image:
    """A baked image. `owner` is an account id; `deprecated_at` None when it never is. `source` is the image that EC2
    knows it was made from, None where EC2 does not say."""

    id: str
    name: str
    created_at: datetime
    owner: str
    architecture: str
    state: str = "available"
    virtualization: str = "hvm"
    ena: bool = True
    deprecated_at: datetime | None = None
    allowed: bool = True
    tags: Mapping[str, str] = field(default_factory=dict)
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """An image that was looked at, and why it was not chosen; `rejected` is None for the chosen one only."""

    image: Image
    rejected: str | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """The wanted image. `owners` are account ids, never empty; `min_age` 0 takes an image the moment it exists.

    `required` are tags without which an image is refused; `refused` are images with a reason found elsewhere.
    """

    owners: frozenset[str]
    architecture: str
    name: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    min_age: timedelta = timedelta(0)
    required: tuple[str, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)


def choose(images: Iterable[Image], wanted: Wanted, at: datetime) -> tuple[Candidate, ...]:
    """Judge every image; the newest that fits comes first and is the only one with `rejected` None.

    Ties on the creation date go to the greater id, so that two runs never differ: the order of the API is undefined.
    """
    newest_first = sorted(images, key=lambda image: (image.created_at, image.id), reverse=True)
    judged = [Candidate(image, unfit(image, wanted, at)) for image in newest_first]
    chosen = next((c for c in judged if c.rejected is None), None)
    if chosen is None:
        return tuple(judged)
    rest = [
        c if c.rejected is not None else Candidate(c.image, f"older than {chosen.image.id}")
        for c in judged
        if c is not chosen
    ]
    return (chosen, *rest)


def unfit(image: Image, wanted: Wanted, at: datetime) -> str | None:
    """Why this image cannot be chosen, the most fundamental reason first; None when it can."""
    return (
        unlaunchable(image, wanted.owners, wanted.architecture, at)
        or _unwanted(image, wanted, at)
        or unproven(image, wanted.required)
        or wanted.refused.get(image.id)
    )


def unlaunchable(image: Image, owners: frozenset[str], architecture: str, at: datetime) -> str | None:
    """Why this image must not be launched here, not even by naming it: owner, state, architecture, features."""
    checks = (
        (image.owner not in owners, f"owner {image.owner} is not among the policy's owners"),
        (image.state != "available", f"state is {image.state}"),
        (not image.allowed, "the account's Allowed AMIs settings forbid it"),
        (image.architecture != architecture, f"architecture is {image.architecture}, not {architecture}"),
        (image.virtualization != "hvm", f"virtualization is {image.virtualization}, not hvm"),
        (not image.ena, "it has no ENA support"),
        (image.deprecated_at is not None and image.deprecated_at <= at, "it is deprecated"),
    )
    return _first(checks)


def unproven(image: Image, required: Sequence[str]) -> str | None:
    """Why this image cannot say where it comes from; None when it can, or need not."""
    missing = unanswered(image.tags, required)
    return f"it cannot say where it comes from: no tag {', '.join(missing)}" if missing else None


def unanswered(tags: Mapping[str, str], required: Sequence[str]) -> tuple[str, ...]:
    """The required tags that an image does not have, or that say nothing."""
    return tuple(tag for tag in required if not tags.get(tag, "").strip())


def _unwanted(image: Image, wanted: Wanted, at: datetime) -> str | None:
    missing = [f"{key}={value}" for key, value in wanted.tags.items() if image.tags.get(key) != value]
    checks = (
        (bool(missing), f"tags differ: wants {', '.join(missing)}"),
        (image.created_at > at, "its creation date is in the future"),
        (at - image.created_at < wanted.min_age, f"younger than min_age ({wanted.min_age})"),
    )
    return _first(checks)


def _first(checks: Sequence[tuple[bool, str]]) -> str | None:
    return next((reason for applies, reason in checks if applies), None)
