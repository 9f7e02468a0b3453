"""All at once: a whole new generation next to the old one, then all traffic, then rest.

Pure. The old generation must never end before the rotation is over: it is the way back.
"""

from __future__ import annotations

from datetime import timedelta

from phoenix.core.terms import Step


def blue_green(bake: timedelta | None, *, gives_way: bool = False) -> tuple[Step, ...]:
    """One step to everything; `bake` None rests there until a person promotes it.

    `gives_way`: the old generation leaves service with the shift, since nothing else takes its traffic away; a reserve
    is kept of it.
    """
    return (Step(new_capacity=100, old_capacity=0 if gives_way else 100, new_weight=100, bake=bake),)
