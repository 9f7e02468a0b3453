"""Rotations with a past: what a driver has recorded of them, and evidence where they failed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from phoenix.core.chronicle import (
    Chronicle,
    Console,
    Decided,
    Evidence,
    FailedInstance,
    Judged,
    Point,
    Sample,
    Series,
    Write,
)
from phoenix.core.model import Cause, Judgement, Outcome, Phase
from phoenix.core.rotation import Rotation
from phoenix.core.story import Ask, Event, WayBack
from tests.builders import CANARY, NOON, a_rotation, after

NASTY = "<script>alert('x')</script>\"&\x1b[31m"
"""What a name or a reason from outside may be."""

SAMPLES = (
    Sample(NOON, 4, 0, 0, Phase.GROWING),
    Sample(after(1), 4, 2, 0, Phase.GROWING),
    Sample(after(2), 4, 4, 5, Phase.BAKING),
    Sample(after(12), 4, 4, 50, Phase.BAKING),
    Sample(after(22), 4, 4, 100, Phase.BAKING),
)


def a_chronicle(**facts: Any) -> Chronicle:
    standard = Chronicle(
        samples=SAMPLES,
        decisions=(Decided(NOON, "waiting for generation 42", ("slot green: candidate, 4 instances",)),),
        judgements=(
            Judged(after(1), "target_health", Judgement.WAIT, "2 of 4"),
            Judged(after(2), "target_health", Judgement.PASS, "4 of 4"),
        ),
        writes=(Write(after(2), "elbv2:ModifyListener"), Write(after(12), "elbv2:ModifyListener", "Throttling")),
        reads={"ec2:DescribeInstances": 12},
    )
    return replace(standard, **facts)


def a_told_rotation(**facts: Any) -> Rotation:
    """A canary that succeeded within 27 minutes."""
    standard = a_rotation(
        CANARY,
        chronicle=a_chronicle(),
        outcome=Outcome.SUCCEEDED,
        ended_at=after(27),
        events=(Event(NOON, "start", "image web-42"), Event(after(27), "succeeded", "generation 42 is live")),
    )
    return replace(standard, **facts)


def some_evidence(**facts: Any) -> Evidence:
    standard = Evidence(
        at=after(6),
        why="alarm: web-5xx went OK -> ALARM",
        verdicts=(Judged(after(6), "alarm", Judgement.FAIL, "web-5xx went OK -> ALARM"),),
        instances=(FailedInstance("i-1", "eu-west-1a", "InService", "503 on /healthz"),),
        launches=("no capacity in eu-west-1b",),
        console=Console("i-1", "boot\nModuleNotFoundError: No module named 'orjson'"),
        series=(
            Series(
                "web-5xx",
                "Sum HTTPCode_Target_5XX_Count",
                tuple(Point(after(3 + n), v) for n, v in enumerate((0.0, 94.0, 61.0))),
                25.0,
                "GreaterThanThreshold",
            ),
        ),
        missing=("the console of i-2: EC2 had none yet",),
        asked_at=after(6),
    )
    return replace(standard, **facts)


def a_failed_rotation(**facts: Any) -> Rotation:
    """The same, turned back by its alarm after four minutes at 5 %."""
    samples = (*SAMPLES[:3], Sample(after(6), 4, 4, 0, Phase.ROLLING_BACK))
    back = WayBack(Ask(after(6), "phoenix"), Cause.IMAGE, "alarm: web-5xx went OK -> ALARM")
    standard = a_told_rotation(
        chronicle=a_chronicle(samples=samples, evidence=some_evidence()),
        outcome=Outcome.ROLLED_BACK,
        back=back,
        exposed_at=after(2),
        ended_at=after(8),
    )
    return replace(standard, **facts)


def a_long_canary() -> Rotation:
    """Two hours with 30 instances, one of which flickers all the time; every list is full, and it has failed."""
    kept = Chronicle()
    for second in range(0, 7200, 5):
        new, at = min(second // 20, 30 - (second // 5) % 2), after(seconds=second)
        kept = kept.sample(Sample(at, 30, new, min(second // 600 * 10, 100), Phase.BAKING))
        kept = kept.decide(
            at, f"baking at {'abcdefgh'[second // 900]} % " + "x" * 90, ("tags on slot green: " + "y" * 90,)
        )
        kept = kept.write([Write(at, "autoscaling:UpdateAutoScalingGroup")]).read({"elbv2:DescribeTargetHealth": 4})
        kept = kept.judge([Judged(at, "alarm", Judgement.PASS if second % 2 else Judgement.WAIT, "z" * 300)])
    points = tuple(Point(NOON + timedelta(minutes=n), float(n)) for n in range(180))
    series = tuple(Series(f"alarm-{n}", "Sum 5XX", points, 25.0, "GreaterThanThreshold") for n in range(4))
    instances = tuple(FailedInstance(f"i-{n:017d}", "eu-west-1a", "InService", "w" * 300) for n in range(12))
    evidence = some_evidence(series=series, instances=instances, console=Console("i-1", "c" * 8000))
    events = tuple(Event(after(n / 2), "step", "v" * 120) for n in range(200))
    kept = replace(kept, evidence=evidence)
    return a_failed_rotation(chronicle=kept, events=events, need=30, ended_at=after(120))
