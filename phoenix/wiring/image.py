"""One image, with its layers read and the group's policy asked. Reads only.

Must never fail for a group's record: where an image comes from is asked when things are broken.
"""

from __future__ import annotations

from datetime import datetime

from phoenix.aws.session import Aws
from phoenix.core.image import Candidate
from phoenix.core.layers import ImageSeen
from phoenix.engine.group import Group
from phoenix.errors import PhoenixError
from phoenix.images import describe, lineage


def image_seen(aws: Aws, image: str, group: Group | None, at: datetime) -> ImageSeen:
    """The image as the group's policy judges it if one is named; else nothing is against it.

    Raises:
        NotFound: there is no such image, or none that this account may see.
    """
    if group is not None and group.images is not None:
        candidate = group.images.named(image, at)
    else:
        candidate = Candidate(describe.read_image(aws, image))
    chain = lineage.read_layers(aws, candidate.image)
    name = group.name if group is not None else None
    return ImageSeen(at, candidate, chain, name, _live(group))


def _live(group: Group | None) -> str | None:
    if group is None:
        return None
    try:
        record = group.store.load(group.name)
    except PhoenixError:  # which is not what was asked
        return None
    return record.live.image if record is not None and record.live is not None else None
