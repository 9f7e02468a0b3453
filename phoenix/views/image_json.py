"""The JSON document of one image, and what the document of candidates says of each one's origin.

Must never leave a key out: a missing or unknown answer is null.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from phoenix.core.image import Candidate, Image
from phoenix.core.layers import Chain, ImageSeen, Layer
from phoenix.core.provenance import answers, base_of
from phoenix.core.record import Quarantined
from phoenix.views import documents
from phoenix.views.documents.past import Origin
from phoenix.views.json import quarantined, time


def images(
    group: str, candidates: Sequence[Candidate], quarantine: Sequence[Quarantined], live: str | None, at: datetime
) -> documents.Images:
    """Return the candidates in order of preference, each with the reason against it; None for the chosen one."""
    refused = {entry.image for entry in quarantine}
    return {
        "group": group,
        "candidates": [
            {
                "image": c.image.id, "name": c.image.name, "created_at": time(c.image.created_at),
                "chosen": c.rejected is None, "live": c.image.id == live, "rejected": c.rejected,
                "quarantined": c.image.id in refused, **origin(c.image, at),
            }
            for c in candidates
        ],
        "quarantine": [quarantined(each) for each in quarantine],
    }  # fmt: skip


def document(seen: ImageSeen) -> documents.ImageShown:
    """Return the document of `images show`."""
    image = seen.candidate.image
    return {
        "image": image.id,
        "name": image.name,
        "created_at": time(image.created_at),
        "age_seconds": _seconds(seen.at, image.created_at),
        "owner": image.owner,
        "architecture": image.architecture,
        "state": image.state,
        "group": seen.group,
        "live": None if seen.live is None else seen.live == image.id,
        "rejected": seen.candidate.rejected,
        **origin(image, seen.at),
        "layers": layers(seen.chain, seen.at),
        "chain_flaw": seen.chain.flaw,
    }


def origin(image: Image, at: datetime) -> Origin:
    """Return the answers of its tags, the unanswered questions, and its base."""
    answered = answers(image.tags)
    base = base_of(image)
    return {
        "answers": {a.question.key: {tag: a.said.get(tag) for tag in a.question.tags} for a in answered},
        "unanswered": [tag for answer in answered for tag in answer.missing],
        "base": None if base is None else {
            "image": base.id or None, "name": base.name or None, "built_at": time(base.built_at),
            "age_seconds": _seconds(at, base.built_at),
        },
    }  # fmt: skip


def layers(chain: Chain, at: datetime) -> list[documents.LayerRow]:
    """Return the layers, the image itself first."""
    return [_layer(layer, at) for layer in chain.layers]


def _layer(layer: Layer, at: datetime) -> documents.LayerRow:
    newer = layer.newer
    return {
        "image": layer.id,
        "name": layer.name or None,
        "built_at": time(layer.built_at),
        "age_seconds": None if layer.built_at is None else _seconds(at, layer.built_at),
        "found": layer.image is not None,
        "stale": layer.is_stale if layer.is_comparable else None,
        "newer": None if newer is None else {
            "image": newer.id, "name": newer.name, "built_at": time(newer.created_at),
        },
    }  # fmt: skip


def _seconds(at: datetime, since: datetime) -> int:
    return int((at - since).total_seconds())
