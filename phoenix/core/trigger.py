"""Is a rotation due, and why? Pure: compares what lives with what is wanted.

The rule: a reason is a sentence for the operator; no reason, no rotation, and no mutating call.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from phoenix.core.explain import ago
from phoenix.core.generation import Generation
from phoenix.core.image import Image
from phoenix.core.tags import TAINTED
from phoenix.core.taint import Taint, read_taint


@dataclass(frozen=True, slots=True)
class LiveInstance:
    """An instance as EC2 describes it. `launched_at` is aware and UTC. `drift` are the kinds in which it differs from
    its generation, besides the image; empty also where that was not asked."""

    id: str
    image: str
    launched_at: datetime
    template_version: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    instance_type: str | None = None
    private_address: str | None = None
    drift: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RotateWhen:
    """The reasons that count. `max_instance_lifetime` None: instances may grow as old as they like. A taint counts once
    it is `tainted_for` old, so that a person who looks into something keeps the instance for that long.

    `base_older_than` makes nothing due: it is told to the baker of the image. None: a base may be as old as it likes.
    """

    new_image: bool = True
    max_instance_lifetime: timedelta | None = None
    drift: bool = False
    tainted: bool = False
    template: bool = False
    base_older_than: timedelta | None = None
    tainted_for: timedelta = timedelta(0)


def find_reasons(
    rotate_when: RotateWhen, live: Generation, chosen: Image | None, instances: Sequence[LiveInstance], at: datetime
) -> tuple[str, ...]:
    """The reasons to replace the live generation by one of the chosen image; empty when nothing is due."""
    reasons = (
        _new_image(rotate_when, live, chosen, at),
        _too_old(rotate_when, instances, at),
        _drifted(rotate_when, live, instances),
        _tainted(rotate_when, instances, at),
    )
    return tuple(reason for reason in reasons if reason is not None)


def find_template_reason(rotate_when: RotateWhen, changed: Sequence[str]) -> tuple[str, ...]:
    """The reason that lies in the owner's changes of the launch template; `changed` names the differences."""
    return (f"launch template changed: {', '.join(changed)}",) if rotate_when.template and changed else ()


def _new_image(rotate_when: RotateWhen, live: Generation, chosen: Image | None, at: datetime) -> str | None:
    if not rotate_when.new_image or chosen is None or chosen.id == live.image:
        return None
    return f"new image ({ago(at - chosen.created_at)} old)"


def _too_old(rotate_when: RotateWhen, instances: Sequence[LiveInstance], at: datetime) -> str | None:
    limit = rotate_when.max_instance_lifetime
    if limit is None or not instances:
        return None
    oldest = max(at - i.launched_at for i in instances)
    return f"oldest instance {ago(oldest)}, limit {ago(limit)}" if oldest > limit else None


def _drifted(rotate_when: RotateWhen, live: Generation, instances: Sequence[LiveInstance]) -> str | None:
    if not rotate_when.drift:
        return None
    strangers = [i.id for i in instances if i.image != live.image]
    if strangers:
        return f"{len(strangers)} of {len(instances)} instances run another image than generation {live.number}"
    drifted = [i for i in instances if i.drift]
    if not drifted:
        return None
    return f"{len(drifted)} of {len(instances)} instances drifted: {drifted[0].id} ({', '.join(drifted[0].drift)})"


def _tainted(rotate_when: RotateWhen, instances: Sequence[LiveInstance], at: datetime) -> str | None:
    if not rotate_when.tainted:
        return None
    taints = [(i.id, read_taint(i.tags[TAINTED])) for i in instances if TAINTED in i.tags]
    counting = [(name, taint) for name, taint in taints if counts_from(rotate_when, taint, at) <= at]
    if not counting:
        return None
    name, taint = counting[0]
    return f"{len(counting)} tainted: {name} ({taint.text})"


def counts_from(rotate_when: RotateWhen, taint: Taint, at: datetime) -> datetime:
    """The time from which a taint makes a rotation due; now, where the tag does not say since when there is one."""
    return at if taint.at is None else taint.at + rotate_when.tainted_for
