"""The keys that every image source has in a policy: whose images, which processor, how old, and what they must prove.

Imported by every source, so must never import a library that only a policy with signatures needs.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Final

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from phoenix.core.provenance import REQUIRED
from phoenix.keys import Architecture, Duration, Keys, Kind, Matching, Owners, Text, wrong

_MOST_TAGS: Final = 50
"""Tags that one image may have: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html#tag-restrictions"""


def _read_required(value: object) -> tuple[str, ...]:
    if isinstance(value, bool):
        return REQUIRED if value else ()
    tags = tuple(value) if isinstance(value, list | tuple) else ()
    if not tags and not isinstance(value, list | tuple):
        raise wrong("must be true, false, or a list of the tags that an image must have")
    if len(tags) > _MOST_TAGS or not all(isinstance(tag, str) and 0 < len(tag.strip()) <= 128 for tag in tags):
        raise wrong("a list of names of tags: an image has 50 at the most, with names of up to 128 letters")
    return tags


def _write_required(tags: tuple[str, ...]) -> bool | list[str]:
    return list(tags) if tags not in ((), REQUIRED) else bool(tags)


Required = Annotated[
    tuple[str, ...],
    BeforeValidator(_read_required),
    PlainSerializer(_write_required),
    WithJsonSchema({"anyOf": [{"type": "boolean"}, {"type": "array", "items": {"type": "string"}, "maxItems": 50}]}),
]
"""`true`, `false`, or a list of tags; the value is the list."""

_PLACE = r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[\w!*'().=/-]*)?|[^\x00-\x1f:]+"


class SignedBy(Keys):
    """What a signed statement beside an image must be."""

    key: Annotated[str, Matching(r"[\s\S]*\S[\s\S]*", "a file, or the public key as PEM")] = Field(
        description="File with the public keys or certificates of those who may sign, or their PEM itself.",
        examples=["cosign.pub"],
    )
    statements: Annotated[str, Matching(_PLACE, "s3://bucket/prefix/ or a directory")] = Field(
        description="Where AMI.manifest.json and AMI.intoto.json of each image lie.",
        examples=["s3://images/provenance/"],
    )
    builder: Text | None = Field(default=None, description="The builder that the statement must name; default: any.")


class ImageKeys(Kind):
    """The keys of every source."""

    owners: Owners = Field(
        default=("self",), description="Accounts whose images count: self, or account ids in quotes."
    )
    architecture: Architecture = Field(default="x86_64", description="Processor architecture of the image.")
    min_age: Duration = Field(default=timedelta(0), description="How old an image must be before it is used.")
    require_provenance: Required = Field(
        default=(), description="Tags without which an image is refused; true: those that answer all six questions."
    )
    signed_by: SignedBy | None = Field(
        default=None, description="A signed statement that an image must have beside it; default: none."
    )
