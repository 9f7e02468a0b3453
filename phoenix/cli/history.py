"""`history`: the past of one group, or of all groups.

Must never write anything, and never ask AWS: the records answer it.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

import click

from phoenix.cli.duration import DURATION
from phoenix.cli.help import command
from phoenix.cli.options import takes_group
from phoenix.cli.session import Session
from phoenix.errors import PhoenixError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from phoenix.core.rotation import Rotation
    from phoenix.ports import Store

_SIDE_BY_SIDE = 8


@command(
    ("phoenix history web -v", "the story of each rotation"),
    ("phoenix history --since 1h", "what was in flight anywhere"),
)
@takes_group
@click.option("--since", type=DURATION, metavar="DURATION", help="Only what was in flight in this time: 1h, 7d.")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True,
              help="At most this number of rotations, newest first.")  # fmt: skip
@click.pass_obj
def history(session: Session, since: timedelta | None, limit: int) -> int:
    """Show rotations with outcome, cause and duration, -v with the story of each; without a group, all groups'."""
    from phoenix.views import history as view
    from phoenix.views import json

    if session.options.group is None:
        return _all(session, since, limit)
    group = session.group()
    earliest = None if since is None else group.clock.now() - since
    rotations = _within(group.store.history(group.name, limit), earliest)
    text = view.render(group.name, rotations, verbose=session.options.verbose > 0, since=since)
    session.answer(text, json.history(group.name, rotations))
    return 0


def _all(session: Session, since: timedelta | None, limit: int) -> int:
    """One timeline of all groups. A record that cannot be read does not hide the others."""
    from phoenix.views import history as view
    from phoenix.views import json

    names = session.wiring.group_names()
    earliest = None if since is None else session.wiring.clock.now() - since
    with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
        found = list(pool.map(partial(_read, session.wiring.store(), limit), names))
    failures = {name: f for name, f in zip(names, found, strict=True) if isinstance(f, PhoenixError)}
    read = [rotation for each in found if not isinstance(each, PhoenixError) for rotation in each]
    newest_first = sorted(read, key=lambda rotation: (rotation.started_at, rotation.id), reverse=True)
    rotations = _within(newest_first, earliest)[:limit]
    text = view.timeline(rotations, failures, groups=len(names), since=since, verbose=session.options.verbose > 0)
    session.answer(text, json.timeline(rotations, failures))
    return max((error.exit_status for error in failures.values()), default=0)


def _read(store: Store, limit: int, name: str) -> Sequence[Rotation] | PhoenixError:
    try:
        return store.history(name, limit)
    except PhoenixError as error:
        return error


def _within(rotations: Sequence[Rotation], earliest: datetime | None) -> list[Rotation]:
    """Those that were in flight at that moment or later, in the order given; all of them without one."""
    return [r for r in rotations if earliest is None or r.ended_at is None or r.ended_at >= earliest]
