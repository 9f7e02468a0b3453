"""Who changed it: the account's record of calls, asked about what another writer has changed on a group.

For screens only. Must never be asked by a tick: CloudTrail answers late, and twice a second at most.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Final

from phoenix.core.record import GroupRecord
from phoenix.engine.group import Group
from phoenix.engine.report import Report

MOST: Final = 3
"""Resources that are asked about for one screen."""


def with_traces(group: Group, report: Report) -> Report:
    """The report, with who changed the weights that are not as phoenix left them; nothing is asked where all are."""
    changed = tuple(_changed_routes(report))
    if not changed or group.trail is None:
        return report
    since = _known_good_at(report.record) or report.at
    return replace(report, traces=tuple(group.trail.who_changed(route, since) for route in changed[:MOST]))


def _changed_routes(report: Report) -> Iterator[str]:
    """At rest the routes that do not send everything to the live slot; while it is held, those off its weight."""
    record, seen = report.record, report.seen
    if seen is None:
        return
    rotation = record.in_flight
    if rotation is None and record.live is not None:
        live = record.live.slot
        yield from (route.arn for route in seen.routes if route.percent(live) != 100)
    if rotation is not None and rotation.held is not None:
        new, known = rotation.new.slot, (rotation.weight, rotation.intended_weight)
        yield from (route.arn for route in seen.routes if route.percent(new) not in known)


def _known_good_at(record: GroupRecord) -> datetime | None:
    """The last time known at which phoenix had verified or read the weights."""
    rotation = record.rotation
    if rotation is None:
        return record.noted_at
    return rotation.ended_at or rotation.clocks.shifted_at or rotation.started_at
