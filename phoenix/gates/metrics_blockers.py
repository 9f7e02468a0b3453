"""Blockers of a start because of metrics: those that could never be compared, and those that the live generation lacks.

Must never let a rotation begin whose gate would wait for data that cannot come.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from phoenix.core.blocker import Blocker
from phoenix.core.explain import ago
from phoenix.core.model import SlotState
from phoenix.core.terms import Terms
from phoenix.errors import Unreachable
from phoenix.gates.metrics_cloudwatch import is_balanced
from phoenix.gates.metrics_judge import AnalysisMissing
from phoenix.gates.metrics_looks import PUBLISHING, SETTLING, compared_steps
from phoenix.gates.metrics_prometheus import PrometheusSource
from phoenix.gates.metrics_source import MINUTE, Metric, Query, Series, Side, Source

CHECKS: Final = (
    "analysis-missing",
    "metrics-without-baseline",
    "metrics-not-apart",
    "metrics-token-missing",
    "metrics-unreachable",
    "metrics-without-points",
    "metrics-bake-short",
)
BEHIND: Final = timedelta(minutes=15)
"""How far back a start looks for points of the live generation."""
_WHERE: Final = "gate metrics"


@dataclass(frozen=True, slots=True)
class Ground:
    """What a start is judged by. `is_pair`: each generation has an Auto Scaling group of its own."""

    metrics: tuple[Metric, ...]
    least_points: int
    extend: timedelta
    terms: Terms
    is_pair: bool


def find_blockers(
    ground: Ground, source: Source, load: Callable[[], None], live: SlotState, now: datetime
) -> Sequence[Blocker]:
    """All of them; the source is asked once, and only where the rest is in order."""
    found = [*_unable(load), *_alone(ground), *_not_apart(ground, source, live), *_without_token(source)]
    return [*(found or _without_points(ground, source, live, now)), *_short(ground)]


def _unable(load: Callable[[], None]) -> Iterator[Blocker]:
    try:
        load()
    except AnalysisMissing as error:
        yield Blocker("analysis-missing", _WHERE, error.message, "pip install 'phoenix-rotate[analysis]'")


def _alone(ground: Ground) -> Iterator[Blocker]:
    if ground.terms.steps and not compared_steps(ground.terms):
        text = (
            "No step gives both generations traffic while it bakes, so there is nothing to compare at the same time."
            " Give the strategy such a step, `{kind: canary, steps: [{weight: 10, bake: 15m}]}` say, or take this gate"
            " out of the policy."
        )
        yield Blocker("metrics-without-baseline", _WHERE, text)


def _not_apart(ground: Ground, source: Source, live: SlotState) -> Iterator[Blocker]:
    if isinstance(source, PrometheusSource):
        return
    for metric in ground.metrics:
        if is_balanced(metric) and not (ground.is_pair and live.target_groups):
            why = "both generations share one group" if not ground.is_pair else "the group has no target group"
            text = (
                f"{metric.name} is by target group, and {why}: it does not tell the generations apart. Name a namespace"
                f" whose metrics have the dimension {'InstanceId' if not ground.is_pair else 'AutoScalingGroupName'}."
            )
            yield Blocker("metrics-not-apart", _WHERE, text)


def _without_token(source: Source) -> Iterator[Blocker]:
    if isinstance(source, PrometheusSource) and source.token_is_missing:
        text = f"The variable {source.settings.bearer_env}, which holds the token for Prometheus, is not set here."
        yield Blocker("metrics-token-missing", _WHERE, text)


def _without_points(ground: Ground, source: Source, live: SlotState, now: datetime) -> Iterator[Blocker]:
    """A misspelt metric has no points, as has one that no agent sends: then any candidate would wait for them."""
    side = Side(live, 0, tuple(each.id for each in live.instances if each.in_service))
    queries = tuple(Query(metric, side, of=metric.per is not None) for metric in ground.metrics)
    until = (now - PUBLISHING).replace(second=0, microsecond=0)
    try:
        answers = source.read(queries, until - BEHIND, until)
    except Unreachable as error:
        yield Blocker("metrics-unreachable", _WHERE, f"The metrics cannot be read here: {error.message}")
        return
    for query, series in zip(queries, answers, strict=True):
        yield from _silent(query, series)


def _silent(query: Query, series: Series) -> Iterator[Blocker]:
    metric = query.metric
    if series or not metric.critical or (metric.per is None and metric.absent == "zero"):
        return
    text = (
        f"{query.word} has no point of the live generation in {ago(BEHIND)}, so {metric.name} could not be compared."
        " Is its name right, and does the generation have requests? If a minute without a value means none of them,"
        " write `absent: zero`."
    )
    yield Blocker("metrics-without-points", _WHERE, text)


def _short(ground: Ground) -> Iterator[Blocker]:
    needed = ground.least_points * MINUTE + SETTLING + PUBLISHING
    short = [step.bake for step in compared_steps(ground.terms) if step.bake is not None and step.bake < needed]
    if short:
        text = (
            f"A bake of {ago(min(short))} has fewer than the {ground.least_points} minutes of metrics that are"
            f" wanted: it goes on until they are there, {ago(needed)} in all."
        )
        yield Blocker("metrics-bake-short", _WHERE, text, warning=True)
