"""What stands in the way of a start, as a value. Pure; who finds blockers is preflight's and the adapters' business."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Blocker:
    """Something that stands in the way of a start: what, where, and the command that mends it.

    `ignorable` is True for those that `--ignore NAME` may list. A `warning` stands in nobody's way.
    """

    name: str
    where: str
    text: str
    remedy: str | None = None
    ignorable: bool = False
    warning: bool = False
