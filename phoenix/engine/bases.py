"""An image whose base is too old is news for its baker: once an image, in the record before it is sent.

Must never make a rotation due: a rotation to the same image would change nothing, and phoenix bakes nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace

from phoenix.core.blocker import Blocker
from phoenix.core.image import Image
from phoenix.core.provenance import base_of, too_old_a_base
from phoenix.core.record import GroupRecord, OldBase
from phoenix.engine.group import Group
from phoenix.engine.news import standing_on
from phoenix.engine.outbox import put
from phoenix.engine.survey import Survey, live_image
from phoenix.errors import StateConflict

log = logging.getLogger(__name__)


def find_old_base(group: Group, found: Survey) -> Iterator[Blocker]:
    """A warning where the image that lives, or that would live next, stands on too old a base."""
    image = _image(group, found)
    told = _sentence(group, found, image)
    if image is not None and told is not None:
        yield Blocker("base-old", image.id, told, f"phoenix images show {image.id} --group {group.name}", warning=True)


def note_old_base(group: Group, found: Survey) -> None:
    """Remember the image with too old a base, and tell of it; forget it once another image has come.

    The store is asked again only where something has to be written.
    """
    image = _image(group, found)
    told = _sentence(group, found, image)
    base = base_of(image) if image is not None else None
    old = OldBase(image.id, base.called, base.built_at) if told and image is not None and base is not None else None
    if old == found.record.old_base:
        return
    kept = group.store.load(group.name) or GroupRecord(group.name)
    changed = replace(kept, old_base=old)
    if old is not None and told is not None:
        log.warning("image.base_is_old", extra={"group": group.name, "image": old.image, "base": old.base})
        changed = put(group, changed, standing_on(group.name, old, told, group.about, found.seen.at))
    try:
        group.store.save(changed)
    except StateConflict as conflict:  # the next look finds the same base
        log.info("old_base.not_noted", extra={"group": group.name, "reason": conflict.message})


def _image(group: Group, found: Survey) -> Image | None:
    """The image that a rotation would launch, else the chosen one, else the live one. Read only where a limit is."""
    if group.rotate_when.base_older_than is None:
        return None
    chosen = next((c.image for c in found.candidates if c.rejected is None), None)
    return found.image or chosen or live_image(group, found)


def _sentence(group: Group, found: Survey, image: Image | None) -> str | None:
    limit = group.rotate_when.base_older_than
    return too_old_a_base(image, limit, found.seen.at) if image is not None else None
