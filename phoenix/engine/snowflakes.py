"""An instance that was tainted, or has drifted, is news once; the record remembers which ones there are.

Must never write while nothing new is known, nor delay a rotation: one that is due takes them away anyway.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from phoenix.core.notice import Notice
from phoenix.core.record import GroupRecord, NotedSnowflakes
from phoenix.core.tags import TAINTED
from phoenix.core.taint import read_taint
from phoenix.engine.group import About, Desk
from phoenix.engine.outbox import put
from phoenix.engine.survey import Survey
from phoenix.errors import StateConflict

log = logging.getLogger(__name__)

EVENT: Final = "diverged"


def note_snowflakes(group: Desk, found: Survey) -> None:
    """Remember what this look has found, and put its news into the outbox."""
    tainted = {i.id: read_taint(i.tags[TAINTED]).text for i in found.instances if TAINTED in i.tags}
    drifted = {i.id: ", ".join(i.drift) for i in found.instances if i.drift}
    noted = found.record.snowflakes
    if (noted.tainted, noted.drifted) == _sorted(tainted, drifted) if noted else not (tainted or drifted):
        return
    _save(group, tainted, drifted)


def note_taint(group: Desk, why: Mapping[str, str]) -> None:
    """Add these instances to the tainted ones; `why` is what a person has said of each."""
    kept = group.store.load(group.name)
    noted = kept.snowflakes if kept is not None else None
    known = dict.fromkeys(noted.tainted, "") if noted else {}
    _save(group, {**known, **why}, dict.fromkeys(noted.drifted, "") if noted else {})


def forget_taint(group: Desk, instances: frozenset[str]) -> None:
    """Take these instances out of the tainted ones."""
    kept = group.store.load(group.name)
    noted = kept.snowflakes if kept is not None else None
    if noted is not None and instances & {*noted.tainted}:
        left = dict.fromkeys((each for each in noted.tainted if each not in instances), "")
        _save(group, left, dict.fromkeys(noted.drifted, ""))


def _save(group: Desk, tainted: Mapping[str, str], drifted: Mapping[str, str]) -> None:
    now = group.clock.now()
    kept = group.store.load(group.name) or GroupRecord(group.name)
    before = kept.snowflakes
    known = {*before.tainted, *before.drifted} if before else set()
    new = {name: f"tainted: {why}" for name, why in tainted.items() if name not in known}
    new |= {name: f"drifted: {why}" for name, why in drifted.items() if name not in known | {*tainted}}
    since = before.since if before else now
    noted = NotedSnowflakes(since, *_sorted(tainted, drifted)) if tainted or drifted else None
    changed = replace(kept, snowflakes=noted)
    if new:
        changed = put(group, changed, diverged(group.name, new, group.about, now))
    try:
        group.store.save(changed)
    except StateConflict as conflict:  # the next look finds them all the same
        log.info("snowflakes.not_noted", extra={"group": group.name, "reason": conflict.message})


def diverged(group: str, new: Mapping[str, str], about: About, at: datetime) -> Notice:
    """The news that these instances are not what their generation is; the values say in what."""
    told = [f"{name} {why}" for name, why in sorted(new.items())]
    whose = {"account": about.account, "region": about.region, "owner": about.owner, "runbook": about.runbook}
    facts = {"event": EVENT, "group": group, "instances": ", ".join(sorted(new)), **whose}
    return Notice(
        id=f"{group}.{EVENT}.{at:%Y%m%dT%H%M%SZ}",
        at=at,
        event=EVENT,
        subject=f"phoenix {group}: {told[0]}" + (f", and {len(told) - 1} more" if len(told) > 1 else ""),
        text=f"{'; '.join(told)}. phoenix drift --group {group}",
        facts={name: value for name, value in facts.items() if value},
    )


def _sorted(tainted: Mapping[str, str], drifted: Mapping[str, str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return tuple(sorted(tainted)), tuple(sorted(drifted))
