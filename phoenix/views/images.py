"""The images screen: the candidates, the chosen one, and the reason against each other one.

Must never list an image without its reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from phoenix.core.explain import ago
from phoenix.core.image import Candidate, Image
from phoenix.core.provenance import base_of, shown
from phoenix.core.record import Quarantined
from phoenix.views import text


def render(
    group: str, candidates: Sequence[Candidate], quarantine: Sequence[Quarantined], live: str | None, at: datetime
) -> str:
    """Return the candidates in order of preference; `live` is the image id that serves now, None if it is unknown."""
    if not candidates:
        return f"No image matches the policy of {text.clean(group)}.\n"
    quarantined = {entry.image for entry in quarantine}
    rows = [
        [
            ">" if c.rejected is None else "",
            c.image.id,
            text.clip(c.image.name, 28),
            text.moment(c.image.created_at),
        ]
        for c in candidates
    ]
    lines = text.table(["", "image", "name", "built (UTC)"], rows)
    reasoned = [lines[0]]
    for line, candidate in zip(lines[1:], candidates, strict=True):
        reasoned += [line, *text.paragraph(_why(candidate, quarantined, live), first=" " * 7, rest=" " * 7)]
        reasoned += text.paragraph(_origin(candidate.image, at), first=" " * 7, rest=" " * 7)
    more = f"  {text.command(f'images show {text.clean(candidates[0].image.id)}', group)}"
    return text.screen(reasoned, ["Where one comes from, and what is below it:", more], _quarantine(group, quarantine))


def _origin(image: Image, at: datetime) -> str:
    """What its tags say, in one sentence; the last part tells the age of its base."""
    tags, base = image.tags, base_of(image)
    said = [f"{word} {shown(tags[tag])}" for word, tag in (("by", "built_by"), ("from", "repository")) if tags.get(tag)]
    said += [f"commit {tags['commit'][:12]}"] if tags.get("commit") else []
    said += [f"on {base.called}, {ago(at - base.built_at)} old"] if base is not None else []
    return f"built {', '.join(said)}" if said else "its tags do not say where it comes from"


def _why(candidate: Candidate, quarantined: set[str], live: str | None) -> str:
    marks = [
        "live now" if candidate.image.id == live else "",
        candidate.rejected or "chosen",
        "quarantined" if candidate.image.id in quarantined else "",
    ]
    return "; ".join(mark for mark in marks if mark)


def _quarantine(group: str, quarantine: Sequence[Quarantined]) -> list[str]:
    if not quarantine:
        return []
    told = [
        (
            entry.image,
            f"since {text.moment(entry.at)} UTC, cause {entry.cause}, rotation {entry.rotation}: {entry.reason}",
        )
        for entry in quarantine
    ]
    release = f"  phoenix images release {text.clean(quarantine[0].image)} --group {text.clean(group)}"
    return ["Quarantined, not rotated to again without a person:", *text.facts(told), "To end one:", release]
