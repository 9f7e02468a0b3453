"""Which change of a record is news, and telling it. A notifier that fails never stops a rotation."""

from __future__ import annotations

import logging

from phoenix.core.model import Outcome
from phoenix.core.record import GroupRecord, Rotation
from phoenix.engine.group import Group
from phoenix.errors import PhoenixError

log = logging.getLogger(__name__)


def tell(group: Group, before: GroupRecord | None, after: GroupRecord) -> None:
    """Tell what has happened between the two records, if it is worth telling."""
    subject = _news(before.rotation if before else None, after.rotation)
    rotation = after.rotation
    if subject is None or rotation is None:
        return
    facts = {
        "group": group.name,
        "rotation": rotation.id,
        "outcome": rotation.outcome.value,
        "from": str(rotation.old.number),
        "to": str(rotation.new.number),
        "image": rotation.new.image,
        "cause": rotation.cause.value if rotation.cause else "",
    }
    text = rotation.held or rotation.reason or rotation.trigger
    for notifier in group.notifiers:
        try:
            notifier.notify(f"phoenix {group.name}: {subject}", text, facts)
        except PhoenixError as error:
            log.warning("notify.failed", extra={"group": group.name, "rotation": rotation.id, "reason": error.message})


def _news(before: Rotation | None, after: Rotation | None) -> str | None:
    if after is None:
        return None
    same = before is not None and before.id == after.id
    if not same and after.in_flight:
        return f"generation {after.new.number} is on its way"
    if same and before is not None:
        return _change(before, after)
    return None


def _change(before: Rotation, after: Rotation) -> str | None:
    if before.held is None and after.held is not None:
        return "held, a person must look"
    if before.back is None and after.back is not None:
        return f"rolling back to generation {after.old.number}"
    if before.in_flight and not after.in_flight:
        ended = {
            Outcome.SUCCEEDED: f"generation {after.new.number} is live",
            Outcome.ROLLED_BACK: f"rolled back to generation {after.old.number}",
        }
        return ended.get(after.outcome, after.outcome.value)
    return None
