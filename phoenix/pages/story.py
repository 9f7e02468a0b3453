"""What a page says of one rotation, as values for its template.

Must never soften: what was not recorded is said to be missing, and a reason stands where the outcome does.
"""

from __future__ import annotations

import shlex
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from phoenix.core.chronicle import Decided, Evidence, Sample, Series
from phoenix.core.explain import ago, counted
from phoenix.core.model import Outcome
from phoenix.core.rotation import Rotation
from phoenix.core.terms import Step
from phoenix.pages.frame import offset
from phoenix.pages.plot import plot, summary
from phoenix.pages.timeline import is_drawable, timeline
from phoenix.views.text import by_whom, command

if TYPE_CHECKING:
    from markupsafe import Markup

KINDS: Final = {Outcome.SUCCEEDED: "good", Outcome.ROLLED_BACK: "bad", Outcome.FAILED: "bad", Outcome.HELD: "wait"}
Fact = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Line:
    """One decision in the list: when, how long after the start, its sentence, its actions."""

    at: datetime
    after: str
    told: Decided


@dataclass(frozen=True, slots=True)
class Measured:
    """A measurement: its plot, and the same in one sentence."""

    series: Series
    plot: Markup
    summary: str


@dataclass(frozen=True, slots=True)
class Story:
    """One rotation on a page. `picture` None: it was recorded by a version that took no samples."""

    rotation: Rotation
    word: str
    kind: str
    sentence: str
    facts: tuple[Fact, ...]
    picture: Markup | None
    steps: tuple[tuple[int, Step, str], ...]
    evidence: Evidence | None
    measured: tuple[Measured, ...]
    decisions: tuple[Line, ...]
    samples: tuple[Sample, ...]
    writes_by_name: tuple[tuple[str, int], ...]
    reads: tuple[tuple[str, int], ...]
    commands: tuple[tuple[str, str], ...]

    @property
    def calls(self) -> str:
        """All calls in a few words."""
        chronicle = self.rotation.chronicle
        writes = len(chronicle.writes) + chronicle.left_out
        return f"{counted(writes, 'write')}, {counted(sum(chronicle.reads.values()), 'read')}"


def story_of(rotation: Rotation, now: datetime) -> Story:
    """Return what there is to say of the rotation, finished or not."""
    chronicle = rotation.chronicle
    return Story(
        rotation=rotation,
        word=_word(rotation),
        kind=_kind(rotation),
        sentence=_sentence(rotation),
        facts=tuple(_facts(rotation)),
        picture=timeline(rotation, now) if is_drawable(rotation) else None,
        steps=tuple((place, step, _bake(step)) for place, step in enumerate(rotation.terms.steps, start=1)),
        evidence=chronicle.evidence,
        measured=tuple(_measured(rotation, chronicle.evidence)),
        decisions=tuple(Line(told.at, offset(told.at, rotation.started_at), told) for told in chronicle.decisions),
        samples=chronicle.samples,
        writes_by_name=tuple(Counter(write.call for write in chronicle.writes).most_common()),
        reads=tuple(sorted(chronicle.reads.items(), key=lambda item: (-item[1], item[0]))),
        commands=tuple(_commands(rotation)),
    )


def _word(rotation: Rotation) -> str:
    if not rotation.in_flight or rotation.held is not None:
        return str(rotation.outcome).replace("_", " ")
    if rotation.back is not None:
        return "rolling back"
    return "paused" if rotation.paused is not None else "rotating"


def _kind(rotation: Rotation) -> str:
    if rotation.in_flight and rotation.back is not None:
        return "bad"
    return KINDS.get(rotation.outcome, "wait" if rotation.paused is not None else "busy")


def _sentence(rotation: Rotation) -> str:
    if rotation.in_flight:
        return rotation.waiting_for or "starting"
    if rotation.back is not None:
        return rotation.back.reason
    return rotation.events[-1].text if rotation.events else rotation.outcome.value


def _facts(rotation: Rotation) -> list[Fact]:
    old, new = rotation.old, rotation.new
    told = [("rotation", rotation.id)]
    if rotation.origin.by:
        told.append(("started", f"{rotation.started_at:%Y-%m-%d %H:%M:%S} UTC by {rotation.origin.by}"))
        if rotation.ended_at is not None:
            took = ago(rotation.ended_at - rotation.started_at)
            told.append(("ended", f"{rotation.ended_at:%Y-%m-%d %H:%M:%S} UTC, after {took}"))
    told.append(("because", rotation.origin.trigger))
    told.append(("image", f"{new.image_name or new.image} ({new.image})"))
    told.append(("before", f"{old.image_name or old.image} ({old.image})"))
    told.append(
        ("strategy", f"{rotation.terms.strategy.replace('_', '/')}, {counted(rotation.need, 'instance')} needed")
    )
    if rotation.cause is not None:
        told.append(("cause", str(rotation.cause)))
    if rotation.back is not None:
        told.append(("turned back", f"{rotation.back.ask.at:%H:%M:%S} UTC by {rotation.back.ask.by}"))
    ignored = rotation.origin.ignored.items()
    told += [("ignored", f"{name}, {by_whom(ask.by, ask.reason)}") for name, ask in ignored]
    return told


def _bake(step: Step) -> str:
    return "until promoted" if step.bake is None else ago(step.bake)


def _measured(rotation: Rotation, evidence: Evidence | None) -> list[Measured]:
    if evidence is None:
        return []
    exposed = rotation.exposed_at
    return [Measured(series, plot(series, evidence.at, exposed), summary(series)) for series in evidence.series]


def _commands(rotation: Rotation) -> list[tuple[str, str]]:
    group = rotation.group
    found = [("The same in a terminal", command("history", group) + " -v")]
    if rotation.in_flight:
        found = [("If users are hurt", command("rollback", group)), ("How it stands", command("status", group)), *found]
    elif rotation.outcome is Outcome.SUCCEEDED:
        found = [("If users are hurt", command("rollback", group)), *found]
    elif rotation.outcome.is_bad:
        found = [("Try it once more", command("retry", group)), *found]
    picture = f"{command('report', group)} --rotation {shlex.quote(rotation.id)} --svg"
    return [*found, ("The picture alone", picture)]
