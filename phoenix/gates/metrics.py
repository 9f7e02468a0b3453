"""Is the candidate worse than the live generation, by the metrics of both at the same time, while it bakes?

Must never call missing data good, blame the image for it, nor compare with a generation that has no traffic.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field, model_validator

from phoenix.aws.rights import FORWARD, Rights, reads
from phoenix.aws.scope import Scope
from phoenix.core.blocker import Blocker
from phoenix.core.explain import clock_time
from phoenix.core.model import Cause, Judgement, Observation, Slot, SlotState, Verdict
from phoenix.core.rotation import Rotation
from phoenix.core.terms import Terms
from phoenix.errors import Unreachable
from phoenix.gates.acceptance import in_one_line
from phoenix.gates.http_post import Post, post
from phoenix.gates.keys import GateKeys
from phoenix.gates.metrics_blockers import CHECKS, Ground, find_blockers
from phoenix.gates.metrics_cloudwatch import CloudWatch
from phoenix.gates.metrics_judge import LEAST_POINTS, Comparison, Finding, Rule, compare, finding_of, load_analysis
from phoenix.gates.metrics_looks import (
    EARLY_LEAST,
    END,
    LOOK_EVERY,
    Progress,
    Turn,
    compared_steps,
    kept,
    turn_of,
    window,
)
from phoenix.gates.metrics_prometheus import Prometheus, PrometheusSource
from phoenix.gates.metrics_rates import Counts, compare_rates
from phoenix.gates.metrics_saying import sentence
from phoenix.gates.metrics_source import MINUTE, Metric, Query, Series, Side, Source
from phoenix.keys import Duration, Whole, wrong

NOT_NOW: Final = "is asked while it bakes"
ALONE: Final = "no other generation has traffic to compare with"


class Settings(GateKeys):
    """The keys of `{kind: metrics}`."""

    is_single: ClassVar[bool] = True
    """What false alarms may cost is a rotation's, whatever it measures."""

    kind: Literal["metrics"] = "metrics"
    prometheus: Prometheus | None = Field(default=None, description="Where to ask instead of CloudWatch.")
    metrics: Annotated[tuple[Metric, ...], Field(min_length=1, max_length=20)] = Field(
        description="What is compared, minute by minute; one that is critical and proven worse fails the gate."
    )
    confidence: Annotated[int, Whole(80, 99)] = Field(
        default=98, description="Per cent of good candidates that pass all comparisons of a rotation, at the least."
    )
    least_points: Annotated[int, Whole(5, 1000)] = Field(
        default=LEAST_POINTS, description="Minutes that either side needs before the end of a bake is judged."
    )
    extend: Duration = Field(
        default=timedelta(minutes=30),
        description="How long a bake goes on at most while a metric is marginal, or has too few points.",
    )

    @model_validator(mode="after")
    def _names_apart(self) -> Settings:
        names = [metric.name for metric in self.metrics]
        for number, name in enumerate(names):
            if name in names[:number]:
                raise wrong(f"two metrics are called {name}", at=("metrics", number, "name"))
        if not any(metric.critical for metric in self.metrics):
            raise wrong("no metric is critical: nothing could fail this gate", at=("metrics",))
        return self


@dataclass(frozen=True, slots=True)
class Judged:
    """One metric at one look."""

    metric: Metric
    found: Comparison
    finding: Finding


class MetricsGate:
    """Looks once a minute at most, in one call, and judges at the end of each bake; before that only beyond doubt."""

    settings = Settings
    name = "metrics"
    before_traffic_only = False
    judges_alone = False
    begins_something = False
    IAM_ACTIONS: ClassVar[Rights] = reads(
        "cloudwatch:GetMetricData", "elasticloadbalancing:DescribeTargetGroups", roles=FORWARD
    )
    checks: ClassVar[tuple[str, ...]] = CHECKS

    def __init__(
        self, settings: Settings, scope: Scope, post: Post = post, load: Callable[[], None] = load_analysis
    ) -> None:
        self._settings, self._scope, self._load = settings, scope, load
        self._is_pair = len(set(scope.slots.values())) != 1
        self._source: Source = (
            PrometheusSource(settings.prometheus, post)
            if settings.prometheus is not None
            else CloudWatch(scope.aws, self._is_pair)
        )

    def check(self, rotation: Rotation, seen: Observation) -> Verdict:
        """FAIL for a critical metric that is proven worse; WAIT until the end of the bake, and on while one is
        marginal or lacks data; then PASS for a metric not proven worse, and FAIL for one that could not be judged."""
        memo = rotation.memo_of(self.name)
        if rotation.clocks.baking_since is None or rotation.back is not None:
            return Verdict(self.name, Judgement.PASS, NOT_NOW, memo=memo)
        if not _both_serve(rotation, seen):
            return Verdict(self.name, Judgement.PASS, ALONE, memo=memo)
        progress = self._progress(rotation, seen.at, memo)
        is_over = progress.judgement is not Judgement.WAIT
        if not is_over and (progress.looked is None or seen.at - progress.looked >= LOOK_EVERY):
            progress = replace(self._look(progress, rotation, seen), looked=seen.at)
        cause = Cause.IMAGE if progress.blames_image else Cause.ENVIRONMENT
        return Verdict(self.name, progress.judgement, progress.reason, cause, progress.memo())

    def find_blockers(self, slots: Mapping[Slot, SlotState], live: Slot) -> Sequence[Blocker]:
        """Return blockers for what would make every candidate wait, or pass unseen."""
        settings = self._settings
        ground = Ground(settings.metrics, settings.least_points, settings.extend, self._scope.terms, self._is_pair)
        return find_blockers(ground, self._source, self._load, slots[live], self._scope.clock.now())

    def price(self, terms: Terms, need: int) -> str:
        """What the looks of one rotation cost."""
        bakes = [step.bake or timedelta(hours=1) for step in compared_steps(terms)]
        looks = sum(max(int(bake / LOOK_EVERY), 1) for bake in bakes)
        return self._source.price(self._settings.metrics, looks, need)

    def _progress(self, rotation: Rotation, at: datetime, memo: str) -> Progress:
        progress = kept(memo)
        if progress is None or progress.step != rotation.step:
            return Progress(rotation.step, rotation.clocks.baking_since or at)
        if progress.judgement is Judgement.FAIL and rotation.held is None:
            # A person has resumed a rotation that was held for this failure: what comes now is judged anew.
            return Progress(rotation.step, at)
        return progress

    def _look(self, progress: Progress, rotation: Rotation, seen: Observation) -> Progress:
        turn = turn_of(progress, rotation, seen.at, self._settings.extend)
        since, until = window(progress, seen.at)
        if since >= until:
            return self._unjudged(progress, turn, "has no whole minute of the bake yet")
        new = _side(rotation.new.slot, rotation, seen)
        queries = tuple(_queries(self._settings.metrics, new, _side(rotation.old.slot, rotation, seen)))
        try:
            found = dict(
                zip(queries_keys(self._settings.metrics), self._source.read(queries, since, until), strict=True)
            )
        except Unreachable as error:
            return self._unjudged(progress, turn, in_one_line(f"no answer: {error.message}", 300))
        self._load()
        minutes = [since + MINUTE * number for number in range(int((until - since) / MINUTE))]
        judged = [self._judge(metric, found, minutes, turn) for metric in self._settings.metrics]
        return self._concluded(progress, turn, judged, rotation, seen.at)

    def _judge(self, metric: Metric, found: Mapping[_Key, Series], minutes: Sequence[datetime], turn: Turn) -> Judged:
        """Compare one metric; the interval has the confidence of the policy, the finding this look's share of it."""
        least = min(EARLY_LEAST, self._settings.least_points) if turn.is_early else self._settings.least_points
        rule = Rule(metric.worse, 1 - self._settings.confidence / 100, metric.tolerate / 100, least)
        if metric.per is not None:
            new, old = (
                _counts(found[metric.name, False, side], found[metric.name, True, side], minutes) for side in _SIDES
            )
            told = compare_rates(new, old, rule)
        else:
            values = [_values(found[metric.name, False, side], metric, minutes) for side in _SIDES]
            told = compare(values[0], values[1], rule)
        if told.finding is Finding.TOO_FEW:
            return Judged(metric, told, told.finding)
        return Judged(metric, told, finding_of(told.adjusted_p, told.p, self._allowed(turn.share), self._allowed(END)))

    def _allowed(self, share: float) -> float:
        """The chance of a false alarm of one metric at a look with that share of what the policy allows a rotation."""
        critical = sum(metric.critical for metric in self._settings.metrics)
        bakes = max(len(compared_steps(self._scope.terms)), 1)
        return (1 - self._settings.confidence / 100) * share / (critical * bakes)

    def _concluded(
        self, progress: Progress, turn: Turn, judged: Sequence[Judged], rotation: Rotation, at: datetime
    ) -> Progress:
        critical = [each for each in judged if each.metric.critical]
        few = [each for each in critical if each.finding is Finding.TOO_FEW]
        if turn.is_end and few:
            # Nothing of the chance is taken until all can be judged.
            return self._unjudged(progress, turn, f"cannot be judged: {self._told(few)}")
        spent = _spent(progress, turn)
        worse = [each for each in critical if each.finding is Finding.WORSE]
        if worse:
            return replace(spent, judgement=Judgement.FAIL, reason=self._told(worse), blames_image=True)
        told = self._told(judged)
        if turn.is_early:
            return replace(spent, reason=in_one_line(f"judged at the end of the bake; so far {told}"))
        marginal = [each for each in critical if each.finding is Finding.MARGINAL]
        if marginal and not turn.is_limit:
            return replace(spent, reason=in_one_line(f"bakes on, for it is marginal: {self._told(marginal)}"))
        return replace(spent, judgement=Judgement.PASS, reason=in_one_line(f"{told} ({clock_time(at)})"))

    def _unjudged(self, progress: Progress, turn: Turn, why: str) -> Progress:
        """Nothing is known yet; at the limit that is no pass, and not the image's fault."""
        if turn.is_limit and any(metric.critical for metric in self._settings.metrics):
            return replace(progress, judgement=Judgement.FAIL, reason=f"{why}; no data is no pass", blames_image=False)
        return replace(progress, reason=why)

    def _told(self, judged: Sequence[Judged]) -> str:
        confidence = self._settings.confidence
        return in_one_line("; ".join(sentence(each.metric, each.found, each.finding, confidence) for each in judged))


_Key = tuple[str, bool, str]
_SIDES: Final = ("new", "old")


def _both_serve(rotation: Rotation, seen: Observation) -> bool:
    if rotation.terms.serving.weights:
        return 0 < rotation.weight < 100
    return all(_side(each.slot, rotation, seen).instances for each in (rotation.new, rotation.old))


def _side(slot: Slot, rotation: Rotation, seen: Observation) -> Side:
    generation = rotation.new if slot is rotation.new.slot else rotation.old
    instances = generation.of(seen.slots[slot]) if generation is rotation.new else seen.slots[slot].instances
    return Side(seen.slots[slot], generation.number, tuple(each.id for each in instances if each.in_service))


def _queries(metrics: Sequence[Metric], new: Side, old: Side) -> Sequence[Query]:
    sides = {"new": new, "old": old}
    named = {metric.name: metric for metric in metrics}
    return [Query(named[name], sides[side], of) for name, of, side in queries_keys(metrics)]


def queries_keys(metrics: Sequence[Metric]) -> Sequence[_Key]:
    """What each query of a look is for, in their order."""
    return [(m.name, of, side) for m in metrics for of in ((False, True) if m.per else (False,)) for side in _SIDES]


def _counts(events: Series, of: Series, minutes: Sequence[datetime]) -> Counts:
    """By minute; where there were requests, no count of errors is no error: load balancers report no zeros."""
    known = [minute for minute in minutes if minute in of]
    return Counts([events.get(minute, 0.0) for minute in known], [of[minute] for minute in known])


def _values(series: Series, metric: Metric, minutes: Sequence[datetime]) -> list[float]:
    if metric.absent == "zero":
        return [series.get(minute, 0.0) for minute in minutes]
    return [series[minute] for minute in minutes if minute in series]


def _spent(progress: Progress, turn: Turn) -> Progress:
    if turn.is_early:
        return replace(progress, early=progress.early + turn.share)
    if not progress.ended:
        return replace(progress, ended=True)
    return replace(progress, late=progress.late + turn.share)
