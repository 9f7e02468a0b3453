"""Turn a change of a record into news, if it is any.

Pure. Must never give two pieces of news the same id, nor the same piece two: an outbox and those who read it tell
repetitions by it.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from phoenix.core.acts import PHOENIX
from phoenix.core.drill import Drill, Ending
from phoenix.core.explain import ago, clock_time
from phoenix.core.model import Outcome
from phoenix.core.notice import Notice
from phoenix.core.record import GroupRecord, HinderedDrill, OldBase, Standstill
from phoenix.core.rotation import Rotation
from phoenix.engine.group import About

_TO_TYPE: Final = {
    "started": ("status", "rollback"),
    "awaits_promotion": ("promote", "rollback"),
    "held": ("status", "resume", "rollback"),
    "rolling_back": ("status",),
    "rolled_back": ("history",),
    "succeeded": ("rollback",),
    "blocked": ("plan",),
}
"""The commands that a reader of the news may want to type; each is a fact of the notice."""
ENDED = {Outcome.SUCCEEDED: "succeeded", Outcome.ROLLED_BACK: "rolled_back"}


def news_between(before: GroupRecord, after: GroupRecord, about: About, at: datetime) -> tuple[Notice, ...]:
    """The news in the change from one record to the next."""
    drills = tuple(_of_drill(drill, about, at) for drill in _told(before, after))
    rotation = after.rotation
    if rotation is None:
        return drills
    then = before.rotation if before.rotation is not None and before.rotation.id == rotation.id else None
    return (*(_notice(rotation, about, at, event) for event in _events(then, rotation)), *drills)


def standing_still(group: str, blocked: Standstill, texts: tuple[str, ...], about: About, at: datetime) -> Notice:
    """The news that a rotation is due and has long been blocked. `texts` are the sentences of its blockers."""
    facts = {"event": "blocked", "group": group, "since": f"{blocked.since:%Y-%m-%dT%H:%M:%SZ}"}
    return Notice(
        id=f"{group}.blocked.{at:%Y%m%dT%H%M%SZ}",
        at=at,
        event="blocked",
        subject=f"phoenix {group}: blocked for {ago(at - blocked.since)} by {', '.join(blocked.blockers)}",
        text=" ".join(texts),
        facts={**facts, "blockers": ", ".join(blocked.blockers), **_commands(group, "blocked"), **_whose(about)},
    )


def standing_on(group: str, old: OldBase, text: str, about: About, at: datetime) -> Notice:
    """The news that an image stands on too old a base, for its baker."""
    facts = {"event": "base_old", "group": group, "image": old.image, "base": old.base}
    return Notice(
        id=f"{group}.base_old.{old.image}",
        at=at,
        event="base_old",
        subject=f"phoenix {group}: bake {old.image} anew, {old.base} is {ago(at - old.built_at)} old",
        text=text,
        facts={**facts, "base_built_at": f"{old.built_at:%Y-%m-%dT%H:%M:%SZ}", **_whose(about)},
    )


def hindering(group: str, hindered: HinderedDrill, about: About, at: datetime) -> Notice:
    """The news that a drill should begin by its schedule, and does not."""
    opened = f"{hindered.opened_at:%Y-%m-%dT%H:%M:%SZ}"
    return Notice(
        id=f"{group}.drill_hindered.{opened}",
        at=at,
        event="drill_hindered",
        subject=f"phoenix {group}: a drill is due and cannot begin",
        text=hindered.reason,
        facts={"event": "drill_hindered", "group": group, "since": opened, **_whose(about)},
    )


def _told(before: GroupRecord, after: GroupRecord) -> Iterator[Drill]:
    """The drill that began, or ended, in this save."""
    then = {drill.id: drill.ending for drill in before.drills}
    for drill in after.drills:
        if drill.id not in then or then[drill.id] is not drill.ending:
            yield drill


def _of_drill(drill: Drill, about: About, at: datetime) -> Notice:
    event = "drill_started" if drill.ending is None else f"drill_{drill.ending.value}"
    subjects = {
        None: "a drill has begun",
        Ending.WHOLE: "whole again after a drill",
        Ending.FAILED: "a drill has failed, a person must look",
        Ending.STOPPED: "a drill was stopped",
    }
    facts = {"event": event, "group": drill.group, "drill": drill.id, "instances": ", ".join(drill.victims)}
    took = {"seconds": str(int(drill.took.total_seconds()))} if drill.took is not None else {}
    return Notice(
        id=f"{drill.id}.{event}",
        at=at,
        event=event,
        subject=f"phoenix {drill.group}: {subjects[drill.ending]}",
        text=drill.sentence,
        facts={name: value for name, value in {**facts, **took, **_whose(about)}.items() if value},
    )


def is_worth_telling(blocked: Standstill, now: datetime, patience: timedelta) -> bool:
    """True once it has lasted for longer than that, and again after as long each."""
    return now - (blocked.told_at or blocked.since) >= patience


def _events(before: Rotation | None, after: Rotation) -> Iterator[str]:
    if before is None and after.in_flight and after.back is None:
        yield "started"
    if after.held is not None and (before is None or before.held is None):
        yield "held"
    if _awaits_promotion(after) and not (
        before is not None and before.step == after.step and _awaits_promotion(before)
    ):
        yield "awaits_promotion"
    if after.back is not None and after.in_flight and (before is None or before.back is None):
        yield "rolling_back"
    if before is not None and before.in_flight and not after.in_flight:
        yield ENDED.get(after.outcome, after.outcome.value)


def _awaits_promotion(rotation: Rotation) -> bool:
    """True while a bake without an end waits for a person: every step of it is a question of its own."""
    is_asking = rotation.in_flight and rotation.back is None and rotation.clocks.promoted is None
    return is_asking and rotation.clocks.baking_since is not None and rotation.current.bake is None


def _notice(rotation: Rotation, about: About, at: datetime, event: str) -> Notice:
    # It may be held, and wait for a promotion, more than once; everything else happens to it once.
    which = f"{event}.{at:%Y%m%dT%H%M%SZ}" if event in ("held", "awaits_promotion") else event
    return Notice(
        id=f"{rotation.id}.{which}",
        at=at,
        event=event,
        subject=f"phoenix {rotation.group}: {_subject(rotation, event)}",
        text=_text(rotation, event),
        facts=_facts(rotation, about, event),
    )


def _text(rotation: Rotation, event: str) -> str:
    if event == "awaits_promotion":
        since = rotation.clocks.baking_since or rotation.started_at
        bakes = f"Generation {rotation.new.number} bakes at {rotation.weight} % since {clock_time(since)}"
        return f"{bakes}; gates are watched."
    return (rotation.held.why if rotation.held else None) or rotation.reason or rotation.origin.trigger


def _subject(rotation: Rotation, event: str) -> str:
    new, old = rotation.new.number, rotation.old.number
    subjects = {
        "started": f"generation {new} is on its way",
        "held": "held, a person must look",
        "awaits_promotion": f"step {rotation.step} at {rotation.weight} % waits for a person to promote it",
        "rolling_back": f"rolling back to generation {old}",
        "succeeded": f"generation {new} is live",
        "rolled_back": f"rolled back to generation {old}",
    }
    return subjects.get(event, event)


def _who_and_why(rotation: Rotation) -> tuple[str, str]:
    """Of its present course: who holds it, who has turned it back, or who has started it."""
    if rotation.held is not None:
        return PHOENIX, rotation.held.why
    if rotation.back is not None:
        return rotation.back.ask.by, rotation.back.ask.reason or ""
    return rotation.origin.by, rotation.origin.trigger


def _facts(rotation: Rotation, about: About, event: str) -> dict[str, str]:
    by, why = _who_and_why(rotation)
    facts = {
        "event": event,
        "group": rotation.group,
        "by": by,
        "why": why,
        "rotation": rotation.id,
        "outcome": rotation.outcome.value,
        "from": str(rotation.old.number),
        "to": str(rotation.new.number),
        "image": rotation.new.image,
        "trace": rotation.origin.trace.split("-")[1] if rotation.origin.trace else "",
    }
    cause = {"cause": rotation.cause.value} if rotation.cause else {}
    commands = _commands(rotation.group, event)
    return {name: value for name, value in {**facts, **cause, **commands, **_whose(about)}.items() if value}


def _commands(group: str, event: str) -> dict[str, str]:
    return {word: f"phoenix {word} --group {shlex.quote(group)}" for word in _TO_TYPE.get(event, ())}


def _whose(about: About) -> dict[str, str]:
    """A person woken up by news wants to know the group's owner, and where to read on."""
    found = {"account": about.account, "region": about.region, "owner": about.owner, "runbook": about.runbook}
    return {name: value for name, value in found.items() if value}
