"""The six questions about an image, answered by its tags as `infra/packer` writes them, and the age of its base.

Pure. Must never take an answer for proof: everybody with the right to tag can write one. Signatures are another matter.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from phoenix.core.explain import ago
from phoenix.core.image import Image, unanswered

PARENT: Final = "parent"
PARENT_NAME: Final = "parent_name"
PARENT_BUILT_AT: Final = "parent_built_at"
PARENT_OWNER: Final = "parent_owner"
PARENT_FILTER: Final = "parent_filter"
ANCESTORS: Final = "ancestors"
BASE: Final = "base"
BASE_NAME: Final = "base_name"
BASE_BUILT_AT: Final = "base_built_at"
_USER = re.compile(r"://[^/\s]*@")


@dataclass(frozen=True, slots=True)
class Question:
    """One of the six. `tags` answer it; those in `needed` must be there if an image has to be able to answer."""

    key: str
    words: str
    tags: tuple[str, ...]
    needed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the tags say to a question, and the needed tags that are missing or empty."""

    question: Question
    said: Mapping[str, str]
    missing: tuple[str, ...]


_HOW = ("how_to_start", "how_to_check", "how_to_monitor", "how_to_update")
_BUILT = ("built_in", "built_at", "built_because", "built_by")
QUESTIONS: Final = (
    Question("built", "where, when, why and by what was it built?", (*_BUILT, "built_with"), _BUILT),
    Question("before", "which image was before it?", (PARENT, PARENT_NAME, PARENT_BUILT_AT), (PARENT,)),
    Question("source", "which repository and commit?", ("repository", "commit"), ("repository", "commit")),
    Question(
        "registered",
        "which tags register the build?",
        ("service", "channel", "version", "contents", "artifact_sha256"),
        ("service", "version"),
    ),
    Question("project", "which project?", ("project", "owner"), ("project",)),
    Question("operation", "how is it started, checked, monitored and updated?", _HOW, _HOW),
)
REQUIRED: Final = tuple(tag for question in QUESTIONS for tag in question.needed)
"""The tags of an image that answers every question."""


def answers(tags: Mapping[str, str]) -> tuple[Answer, ...]:
    """The answer to each question, in their order."""
    return tuple(
        Answer(
            question,
            {tag: shown(tags[tag]) for tag in question.tags if tags.get(tag, "").strip()},
            unanswered(tags, question.needed),
        )
        for question in QUESTIONS
    )


def shown(value: str) -> str:
    """A tag's value for a screen: without the user and the password that an address may carry."""
    return _USER.sub("://...@", value)


@dataclass(frozen=True, slots=True)
class Base:
    """The lowest layer of an image, as the image's own tags tell it. `id` and `name` empty: the tags do not say."""

    id: str
    name: str
    built_at: datetime

    @property
    def called(self) -> str:
        """Its name, else its id."""
        return self.name or self.id or "the base"


def base_of(image: Image) -> Base | None:
    """The base; of an image made straight from one it is the parent. None where the tags do not say its age."""
    tags = image.tags
    keys = (BASE, BASE_NAME, BASE_BUILT_AT) if tags.get(BASE_BUILT_AT) else (PARENT, PARENT_NAME, PARENT_BUILT_AT)
    built_at = read_time(tags.get(keys[2], ""))
    return Base(tags.get(keys[0], ""), tags.get(keys[1], ""), built_at) if built_at is not None else None


def too_old_a_base(image: Image, limit: timedelta | None, at: datetime) -> str | None:
    """The sentence about a base that is older than the limit; None where it is not, or its age is not known."""
    base = base_of(image) if limit is not None else None
    if base is None or limit is None or at - base.built_at <= limit:
        return None
    return (
        f"{image.name or image.id} stands on {base.called}, which is {ago(at - base.built_at)} old; the limit is"
        f" {ago(limit)}. phoenix bakes nothing: bake the image anew, on a newer base."
    )


def read_time(written: str) -> datetime | None:
    """A time as a tag holds it: RFC 3339, in UTC where it names no zone. None for anything else."""
    try:
        found = datetime.fromisoformat(written.strip())
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
