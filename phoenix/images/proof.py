"""Choose an image that can prove what the policy demands: tags that answer, and a signed statement beside it.

Must never let an image through because it could not be looked at, and never look at more statements than it needs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from phoenix.aws.rights import Names, Rights
from phoenix.aws.session import Aws
from phoenix.core.image import Candidate, Image, Wanted, choose, unlaunchable, unproven
from phoenix.images import attested, describe, statements
from phoenix.images.keys import ImageKeys

IAM_ACTIONS: Final[Rights] = describe.IAM_ACTIONS | statements.IAM_ACTIONS

MOST_LOOKED_AT: Final = 10
"""Images whose statements are read for one choice."""


def iam_names(keys: ImageKeys) -> Names:
    """The owners of the images, and the place of their statements."""
    place = keys.signed_by.statements if keys.signed_by is not None else None
    return {**describe.owner_names(keys.owners), **statements.iam_names(place)}


def choose_proven(
    aws: Aws, keys: ImageKeys, images: Iterable[Image], wanted: Wanted, at: datetime
) -> tuple[Candidate, ...]:
    """The candidates; of those that fit, the newest with a statement that vouches for it is chosen."""
    found = list(images)
    wanted = replace(wanted, required=keys.require_provenance)
    judged = choose(found, wanted, at)
    if keys.signed_by is None:
        return judged
    refused: dict[str, str] = {}
    while (best := _chosen(judged)) is not None:
        why = (
            _flaw(aws, keys, best, at)
            if len(refused) < MOST_LOOKED_AT
            else f"not looked at: the statements of {MOST_LOOKED_AT} newer images do not hold"
        )
        if why is None:
            break
        refused[best.id] = why
        judged = choose(found, replace(wanted, refused=refused), at)
    return judged


def named(aws: Aws, image: str, keys: ImageKeys, at: datetime) -> Candidate:
    """Return the image with this id: owner, state, architecture and proof count; name, other tags and age do not.

    Raises:
        NotFound: there is none, or none that this account may see.
    """
    found = describe.read_image(aws, image)
    owners = describe.account_ids(aws, keys.owners)
    why = unlaunchable(found, owners, keys.architecture, at) or unproven(found, keys.require_provenance)
    return Candidate(found, why or _flaw(aws, keys, found, at))


def _chosen(judged: Sequence[Candidate]) -> Image | None:
    return judged[0].image if judged and judged[0].rejected is None else None


def _flaw(aws: Aws, keys: ImageKeys, image: Image, at: datetime) -> str | None:
    demanded = keys.signed_by
    if demanded is None:
        return None
    trusted = attested.read_keys(demanded.key, at)
    try:
        manifest, envelope = statements.read_beside(aws, demanded.statements, image.id)
    except statements.StatementFlaw as flaw:
        return f"not proven: {flaw.message}"
    why = attested.find_flaw(envelope, manifest, trusted, attested.About(image.id, aws.region, demanded.builder))
    return f"not proven: {why}" if why is not None else None
