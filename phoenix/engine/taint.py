"""Mark instances as changed by hand, or take the mark away.

Must never mark an instance of another group than the one it is asked for: its owner would find it replaced.
"""

from __future__ import annotations

from collections.abc import Sequence

from phoenix.core.taint import write_taint
from phoenix.engine.group import Group
from phoenix.engine.outbox import send_left
from phoenix.engine.snowflakes import forget_taint, note_taint
from phoenix.errors import UsageError


def taint(group: Group, instances: Sequence[str], why: str) -> str:
    """Tag the instances, and tell of it; returns the tag's value. Tainted ones get the new reason.

    Raises:
        UsageError: an instance is not one of the group's; nothing was changed.
    """
    _refuse_strangers(group, instances)
    value = write_taint(group.by, group.clock.now(), why)
    group.fleet.mark_tainted(instances, value)
    note_taint(group, dict.fromkeys(instances, f"{why}, {group.by}"))
    send_left(group)
    return value


def untaint(group: Group, instances: Sequence[str]) -> None:
    """Take the tag away; an instance without it stays as it is.

    Raises:
        UsageError: an instance is not one of the group's; nothing was changed.
    """
    _refuse_strangers(group, instances)
    group.fleet.mark_tainted(instances, None)
    forget_taint(group, frozenset(instances))


def _refuse_strangers(group: Group, instances: Sequence[str]) -> None:
    view = group.fleet.observe(None)
    own = {i.id for state in view.slots.values() for i in state.instances}
    strangers = [each for each in instances if each not in own]
    if strangers:
        raise UsageError(
            f"{', '.join(strangers)}: not in {group.name}; nothing was changed",
            hint=f"phoenix drift --group {group.name} lists its instances",
        )
