"""The picture of a rotation: traffic, healthy instances, the work and the gates over time, as one SVG.

Geometry only; the template draws. Must never show what was not recorded: before the first sample there is nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from phoenix.core.chronicle import Sample
from phoenix.core.explain import ago, counted
from phoenix.core.model import Judgement, Phase
from phoenix.core.rotation import Rotation
from phoenix.pages.frame import fill, picture, static
from phoenix.pages.scale import Scale, Tick, count_ticks, step_path, ticks

if TYPE_CHECKING:
    from markupsafe import Markup

WIDTH: Final = 960
LEFT, RIGHT, HEAD, FLAGS = 44, 16, 30, 30
LANE, GAP, RIBBON, ROW = 104, 40, 24, 32
_LETTER: Final = 6.6
"""How wide a letter of the labels is, roughly."""
_MOST_GATES: Final = 8
_FLAGS: Final = ("paused", "resumed", "promoted", "held", "healed", "rollback", "abort", "rolling back")
_SHORT: Final = {Phase.ROLLING_BACK: "rolling back", Phase.SHRINKING: "shrinking"}


@dataclass(frozen=True, slots=True)
class Band:
    """A stretch of time in a ribbon: its class in the style sheet, its label where there is room, its full words."""

    x: float
    width: float
    kind: str
    label: str
    title: str


@dataclass(frozen=True, slots=True)
class Row:
    """A gate's stretches of time. `told` says the latest of them in words."""

    name: str
    told: str
    y: float
    bands: tuple[Band, ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment across all lanes. `level` keeps labels of marks that are near one another apart."""

    x: float
    kind: str
    label: str
    title: str
    anchor: str
    level: int


@dataclass(frozen=True, slots=True)
class Drawing:
    """Everything that the template draws, in its own coordinates."""

    height: float
    summary: str
    ticks: tuple[Tick, ...]
    counts: tuple[Tick, ...]
    new_share: str
    old_count: str
    new_count: str
    work: tuple[Band, ...]
    rows: tuple[Row, ...]
    marks: tuple[Mark, ...]
    lanes: dict[str, float]
    old: int
    new: int
    weighted: bool


def timeline(rotation: Rotation, now: datetime) -> Markup:
    """Return the picture as a part of a page that has the style sheet."""
    return picture("timeline.svg", drawing=_drawing(rotation, now, head=0), rotation=rotation, style="")


def timeline_alone(rotation: Rotation, now: datetime) -> str:
    """Return the picture as a file of its own, light or dark as its reader is."""
    return fill(
        "timeline.svg", drawing=_drawing(rotation, now, head=HEAD), rotation=rotation, style=static("picture.css")
    )


def is_drawable(rotation: Rotation) -> bool:
    """False for one of an earlier version of phoenix, which recorded no samples."""
    return len(rotation.chronicle.samples) > 0


def _drawing(rotation: Rotation, now: datetime, head: float) -> Drawing:
    samples = rotation.chronicle.samples
    end = max(rotation.ended_at or now, rotation.started_at + timedelta(seconds=1), *(s.at for s in samples[-1:]))
    scale = Scale(rotation.started_at, end, LEFT, WIDTH - RIGHT)
    most = max([1, *(max(s.old, s.new) for s in samples)])
    marks = tuple(_marks(rotation, scale))
    lanes = _lanes(rotation, head, FLAGS if marks else 0)
    shares = [(s.at, s.weight) for s in samples]
    shown = [(s.at, s.old) for s in samples], [(s.at, s.new) for s in samples]
    lane = (lanes["counts"], LANE, most)
    return Drawing(
        height=lanes["end"],
        summary=summary(rotation),
        ticks=ticks(scale),
        counts=count_ticks(most, lanes["counts"], LANE),
        new_share=step_path(scale, shares, end, (lanes["share"], LANE, 100), close=True),
        old_count=step_path(scale, shown[0], end, lane, close=True),
        new_count=step_path(scale, shown[1], end, lane),
        work=tuple(_work(rotation, scale, end)),
        rows=tuple(_rows(rotation, scale, end, lanes["gates"])),
        marks=marks,
        lanes=lanes,
        old=rotation.old.number,
        new=rotation.new.number,
        weighted=rotation.terms.serving.weights,
    )


def summary(rotation: Rotation) -> str:
    """The picture in one sentence, for those who cannot see it."""
    took = f" in {ago(rotation.ended_at - rotation.started_at)}" if rotation.ended_at else ", still going on"
    highest = max((s.weight for s in rotation.chronicle.samples), default=0)
    return (
        f"Rotation of {rotation.group} from generation {rotation.old.number} to {rotation.new.number}: "
        f"{str(rotation.outcome).replace('_', ' ')}{took}; generation {rotation.new.number} had at most {highest} % of "
        f"the traffic and {counted(max((s.new for s in rotation.chronicle.samples), default=0), 'healthy instance')}."
    )


def _lanes(rotation: Rotation, head: float, flags: float) -> dict[str, float]:
    gates = len(_gate_names(rotation))
    share = head + flags + 26.0
    counts = share + LANE + GAP
    work = counts + LANE + GAP
    first_gate = work + RIBBON + GAP
    bottom = first_gate + gates * ROW - GAP * (not gates)
    return {
        "flags": head + 4,
        "share": share,
        "counts": counts,
        "work": work,
        "gates": first_gate,
        "axis": bottom + 10,
        "end": bottom + 38,
    }


def _gate_names(rotation: Rotation) -> list[str]:
    return list(dict.fromkeys(judged.gate for judged in rotation.chronicle.judgements))[:_MOST_GATES]


def _work(rotation: Rotation, scale: Scale, end: datetime) -> Iterator[Band]:
    for first, until in _phases(rotation.chronicle.samples, end):
        x, width = scale.x(first.at), max(scale.x(until) - scale.x(first.at), 1.0)
        words = _SHORT.get(first.phase, str(first.phase))
        label = f"bake at {first.weight} %" if first.phase is Phase.BAKING else words
        title = f"{label}, {first.at:%H:%M:%S} to {until:%H:%M:%S} UTC, {ago(until - first.at)}"
        if first.phase is not Phase.DONE:
            yield Band(x, width, str(first.phase), _fitting(label, width), title)


def _phases(samples: Sequence[Sample], end: datetime) -> Iterator[tuple[Sample, datetime]]:
    """Return the first sample of each stretch of the same work (and of the same weight, where it rests)."""
    starts = [s for place, s in enumerate(samples) if place == 0 or _work_of(samples[place - 1]) != _work_of(s)]
    for first, following in pairwise(starts):
        yield first, following.at
    if starts:
        yield starts[-1], end


def _work_of(sample: Sample) -> tuple[Phase, int]:
    return sample.phase, sample.weight if sample.phase is Phase.BAKING else 0


def _fitting(label: str, width: float) -> str:
    if len(label) * _LETTER <= width - 6:
        return label
    first = label.partition(" ")[0]
    return first if len(first) * _LETTER <= width - 6 and first != label else ""


def _rows(rotation: Rotation, scale: Scale, end: datetime, top: float) -> Iterator[Row]:
    asked_until = rotation.chronicle.evidence.at if rotation.chronicle.evidence is not None else end
    for place, name in enumerate(_gate_names(rotation)):
        found = [judged for judged in rotation.chronicle.judgements if judged.gate == name]
        ends = [*(judged.at for judged in found[1:]), max(asked_until, found[-1].at)]
        bands = []
        for judged, until in zip(found, ends, strict=True):
            failed = judged.judgement is Judgement.FAIL
            x, width = scale.x(judged.at), max(scale.x(until) - scale.x(judged.at), 8.0 if failed else 2.0)
            title = f"{name}: {judged.judgement} from {judged.at:%H:%M:%S} UTC: {judged.reason}"
            bands.append(Band(x, width, judged.judgement.lower(), "", title))
        told = ", ".join(f"{judged.judgement} {judged.at:%H:%M:%S}" for judged in found[-4:])
        yield Row(name, told, top + place * ROW, tuple(bands))


def _marks(rotation: Rotation, scale: Scale) -> Iterator[Mark]:
    """Return what people did and what turned the rotation back; labels that would overlap stand lower."""
    found = [(e.at, _kind(e.name), e.name, e.text) for e in rotation.events if e.name in _FLAGS]
    if rotation.back is not None:
        ask = rotation.back.ask
        found.append((ask.at, "bad", f"rollback by {ask.by}", rotation.back.reason))
    free = [float("-inf")] * 2
    for at, kind, label, text in sorted(dict.fromkeys(found))[:24]:
        x, width = scale.x(at), len(label) * _LETTER + 12
        to_left = x + width > WIDTH - RIGHT
        begin = x - width if to_left else x
        level = next((level for level, until in enumerate(free) if begin >= until), len(free) - 1)
        free[level] = begin + width
        yield Mark(x, kind, label, f"{at:%H:%M:%S} UTC, {label}: {text}", "end" if to_left else "start", level)


def _kind(name: str) -> str:
    return "bad" if name in ("held", "rollback", "abort", "rolling back") else "asked"
