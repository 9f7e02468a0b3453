"""The layers below an image, and what a bake would take today in place of each. Reads only.

Must never ask once for each layer where the tags name all of them, nor fail for one that is gone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import partial
from itertools import islice, pairwise
from typing import Any, Final

from phoenix.aws.rights import Rights
from phoenix.aws.session import Aws
from phoenix.core.image import Image
from phoenix.core.layers import DEEPEST, Chain, Layer, chain_of, mentioned, with_newer
from phoenix.core.provenance import PARENT_FILTER, PARENT_OWNER
from phoenix.images import describe

IAM_ACTIONS: Final[Rights] = describe.IAM_ACTIONS

_OWNER = re.compile(r"[0-9]{12}|self|amazon|aws-marketplace")
_MOST_IDS: Final = 200  # the most values that one filter takes
_MOST: Final = 5000
"""Images that one search for newer ones looks at: a filter of `*` would list all of an owner."""


def read_layers(aws: Aws, first: Image, known: Iterable[Image] = ()) -> Chain:
    """The chain of `first`, in one call where its tags name all of its ancestors, else in one a layer. Then, all at the
    same time, a call for each layer that can be compared with newer ones."""
    found = {image.id: image for image in (*known, first)}
    asked: set[str] = set()
    for _ in range(DEEPEST):
        on_the_way = [layer.image for layer in chain_of(first, found).layers if layer.image is not None]
        wanted = mentioned(on_the_way) - asked - set(found)
        if not wanted:
            break
        asked |= wanted
        found |= {image.id: image for image in describe.read_images(aws, sorted(wanted)[:_MOST_IDS])}
    return _compared(aws, chain_of(first, found))


def _compared(aws: Aws, chain: Chain) -> Chain:
    questions = {layer.id: asked for above, layer in _with_above(chain) if (asked := _question(above, layer))}
    answers = aws.side_by_side([partial(_newest, aws, *asked) for asked in questions.values()])
    return with_newer(chain, dict(zip(questions, answers, strict=True)))


def _with_above(chain: Chain) -> list[tuple[Layer | None, Layer]]:
    return [(None, chain.layers[0]), *pairwise(chain.layers)]


def _question(above: Layer | None, layer: Layer) -> tuple[str, list[dict[str, Any]]] | None:
    """Owner and filters of the search whose newest answer a bake would take: the one that Packer wrote down, else
    service and channel."""
    says = above.image.tags if above is not None and above.image is not None else {}
    owner, pattern = says.get(PARENT_OWNER, ""), says.get(PARENT_FILTER, "").strip()
    if _OWNER.fullmatch(owner) and pattern:
        return owner, _filters([("name", pattern), ("architecture", _architecture(above, layer))])
    if layer.image is None:
        return None
    tags = layer.image.tags
    named = [(f"tag:{key}", tags[key]) for key in ("service", "channel") if tags.get(key)]
    if len(named) < 2:  # a service alone would find images that were only tried out
        return None
    return layer.image.owner, _filters([*named, ("architecture", layer.image.architecture)])


def _architecture(above: Layer | None, layer: Layer) -> str:
    image = layer.image or (above.image if above is not None else None)
    return image.architecture if image is not None else "x86_64"


def _filters(wanted: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    return [{"Name": name, "Values": [value]} for name, value in (*wanted, ("state", "available"))]


def _newest(aws: Aws, owner: str, filters: list[dict[str, Any]]) -> Image | None:
    found = describe.search_newest(aws, owner, filters)
    return max(islice(found, _MOST), key=lambda image: (image.created_at, image.id), default=None)
