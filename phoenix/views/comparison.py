"""The live generation beside the next: number, image with where it comes from, and every attribute that differs.

Must never guess where an image comes from: without a tag it is `unknown`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from phoenix.core.explain import ago, counted
from phoenix.core.generation import Generation
from phoenix.core.image import Image
from phoenix.core.provenance import PARENT, PARENT_NAME, shown
from phoenix.engine.report import Plan
from phoenix.views import text

PROVENANCE: Final = {"commit": ("commit",), "built by": ("built_by",), "parent": (PARENT_NAME, PARENT)}
"""The tags, as infra/packer writes them, that tell each of these; the first that an image has."""
UNKNOWN: Final = "unknown"
_NAME_COLUMN: Final = 14
_MOST_DIFFERENCES: Final = 12


def generations(plan: Plan, width: int = text.WIDTH) -> list[str]:
    """Return a column for the live generation and one for the next; empty where nothing would come next."""
    if plan.next is None:
        return []
    live, following = image_of(plan, plan.live), image_of(plan, plan.next)
    rows = [
        ["generation", *(f"{g.number}, {g.slot}" for g in (plan.live, plan.next))],
        ["image", plan.live.image, plan.next.image],
        ["name", _name(plan.live, live), _name(plan.next, following)],
        ["built", _built(live, plan.at), _built(following, plan.at)],
        *([word, origin(live, word), origin(following, word)] for word in PROVENANCE),
        ["template", *(f"version {g.template_version or '(new)'}" for g in (plan.live, plan.next))],
    ]
    most = (width - 1 - _NAME_COLUMN - 2) // 2
    return text.table(["", "live", "next"], [[name, *(text.clip(each, most) for each in two)] for name, *two in rows])


def image_of(plan: Plan, generation: Generation) -> Image | None:
    """Return what EC2 says of the image of a generation; None where it was not asked, or knows none."""
    known = [each.image for each in plan.candidates]
    known += [plan.live_image] if plan.live_image is not None else []
    return next((image for image in known if image.id == generation.image), None)


def origin(image: Image | None, word: str) -> str:
    """Return the commit, builder or parent of an image, by its tags."""
    tags = image.tags if image is not None else {}
    return next((shown(tags[key]) for key in PROVENANCE[word] if tags.get(key)), UNKNOWN)


def _name(generation: Generation, image: Image | None) -> str:
    return generation.image_name or (image.name if image is not None else UNKNOWN)


def _built(image: Image | None, at: datetime) -> str:
    return UNKNOWN if image is None else f"{text.moment(image.created_at)}, {ago(at - image.created_at)} ago"


def differences(plan: Plan, width: int = text.WIDTH, *, verbose: bool = False) -> list[str]:
    """Return a line for each attribute of template and group that differs besides the image; `verbose` all of them."""
    if plan.next is None or not plan.differences:
        return []
    shown = plan.differences if verbose else plan.differences[:_MOST_DIFFERENCES]
    names = [f"{each.of} {each.attribute}" for each in shown]
    longest = min(max(map(len, names)), width // 2)
    most = (width - 1 - longest - 6) // 2
    rows = [
        [text.clip(name, longest), text.clip(each.live or "-", most), text.clip(each.next or "-", most)]
        for name, each in zip(names, shown, strict=True)
    ]
    lines = text.table(["differs besides the image", "live", "next"], rows)
    left = len(plan.differences) - len(shown)
    return lines + ([f"  and {counted(left, 'difference')} more (-v lists them)"] if left else [])
