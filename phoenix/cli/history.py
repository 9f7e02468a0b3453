"""`history`: the past of one group, or of all groups.

Must never write anything, and never ask AWS: the records answer it.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import click

from phoenix.cli.help import command
from phoenix.cli.moment import MOMENT, Moment
from phoenix.cli.options import takes_group
from phoenix.cli.session import Session
from phoenix.errors import PhoenixError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from phoenix.core.record import GroupRecord
    from phoenix.core.rotation import Rotation
    from phoenix.ports import Store
    from phoenix.views.history import Period

_SIDE_BY_SIDE = 8


@command(
    ("phoenix history web -v", "the story of each rotation"),
    ("phoenix history --since 1h", "what was in flight anywhere"),
)
@takes_group
@click.option("--since", type=MOMENT, metavar="TIME", help="Only what was in flight since then: 1h (ago), 7d, 02:00.")
@click.option("--until", type=MOMENT, metavar="TIME", help="Only what was in flight until then, spelled the same way.")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True,
              help="At most this number of rotations, the newest.")  # fmt: skip
@click.pass_obj
def history(session: Session, since: Moment | None, until: Moment | None, limit: int) -> int:
    """Show rotations with outcome, cause and duration, -v with the story of each; without a group, the timeline of all
    groups, newest last: what was done, by whom and why."""
    from phoenix.core.acts import acts_at_rest
    from phoenix.views import history as view
    from phoenix.views import json_past
    from phoenix.views.drill import below

    span = _period(session, since, until)
    if session.options.group is None:
        return _all(session, span, limit)
    group = session.group()
    rotations = _within(group.store.history(group.name, limit), span)
    record = group.store.load(group.name)
    acts = [] if record is None else span.of(acts_at_rest(record))
    drills = [d for d in reversed(record.drills) if _is_in(span, d.ask.at)][:limit] if record is not None else []
    verbose = session.options.verbose > 0
    text = view.render(group.name, rotations, acts, verbose=verbose, period=span)
    text = below(text, drills, verbose=verbose)
    session.answer(text, json_past.history(group.name, rotations, acts, drills))
    return 0


@dataclass(frozen=True, slots=True)
class _Past:
    """The past of one group, as far as it was asked for."""

    rotations: Sequence[Rotation]
    record: GroupRecord | None


def _is_in(period: Period, at: datetime) -> bool:
    return (period.since is None or at >= period.since) and (period.until is None or at <= period.until)


def _all(session: Session, span: Period, limit: int) -> int:
    """One timeline of all groups. A record that cannot be read does not hide the others."""
    from phoenix.core.acts import acts_at_rest
    from phoenix.views import history as view
    from phoenix.views import json_past

    names, store = session.wiring.group_names(), session.wiring.store()
    records = _records(store, names)
    with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
        found = list(pool.map(partial(_read, store, records, limit, span), names))
    failures = {name: f for name, f in zip(names, found, strict=True) if isinstance(f, PhoenixError)}
    read = [past for past in found if not isinstance(past, PhoenixError)]
    everything = (rotation for past in read for rotation in past.rotations)
    newest_first = sorted(everything, key=lambda rotation: (rotation.started_at, rotation.id), reverse=True)
    rotations = _within(newest_first, span)[:limit]
    acts = [act for past in read if past.record is not None for act in span.of(acts_at_rest(past.record))]
    verbose = session.options.verbose > 0
    past = view.Past(rotations, acts, failures, span)
    text = view.timeline(past, groups=len(names), verbose=verbose)
    session.answer(text, json_past.timeline(rotations, acts, failures))
    return max((error.exit_status for error in failures.values()), default=0)


def _records(store: Store, names: Sequence[str]) -> Mapping[str, GroupRecord] | None:
    """All records in few calls; None where one of them cannot be read, and each is read alone."""
    try:
        return store.load_many(names)
    except PhoenixError:
        return None


def _read(
    store: Store, records: Mapping[str, GroupRecord] | None, limit: int, span: Period, name: str
) -> _Past | PhoenixError:
    try:
        record = store.load(name) if records is None else records.get(name)
        last = record.rotation if record is not None else None
        if last is not None and last.ended_at is not None and span.since is not None and last.ended_at < span.since:
            return _Past((), record)  # those before it ended before it
        return _Past(store.history(name, limit), record)
    except PhoenixError as error:
        return error


def _period(session: Session, since: Moment | None, until: Moment | None) -> Period:
    from phoenix.views.history import Period

    now = session.wiring.clock.now()
    earliest = None if since is None else since.before(now)
    latest = None if until is None else until.before(now)
    if earliest is not None and latest is not None and latest < earliest:
        raise UsageError("--until is before --since", hint="phoenix history --since 3h --until 1h")
    return Period(earliest, latest, None if since is None or until is not None else since.ago)


def _within(rotations: Sequence[Rotation], span: Period) -> list[Rotation]:
    """Those that were in flight in that time, in the order given."""
    since, until = span.since, span.until
    return [
        r
        for r in rotations
        if (since is None or r.ended_at is None or r.ended_at >= since) and (until is None or r.started_at <= until)
    ]
