"""The counters and timers, and their names; imported only if telemetry is on.

Must never use a name as an attribute if there may be thousands of it: group names are few, instance and rotation ids
are not.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from opentelemetry.metrics import Meter

from phoenix.core.call import AwsCall
from phoenix.core.record import GroupRecord
from phoenix.core.rotation import Rotation

_SECONDS: Final = (5, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 43200, 86400)
"""Bounds for the length of a phase: from an empty one to a bake over night."""


class Measures:
    """All instruments, made once. Without a reader behind the meter nothing is kept."""

    def __init__(self, meter: Meter) -> None:
        self._rotations = meter.create_counter("phoenix.rotations", description="Rotations that have ended, by outcome")
        self._rollbacks = meter.create_counter("phoenix.rollbacks", description="Rotations that were turned back")
        self._phases = meter.create_histogram(
            "phoenix.rotation.phase.duration",
            unit="s",
            description="How long a rotation stayed in each phase",
            explicit_bucket_boundaries_advisory=_SECONDS,
        )
        self._first_healthy = meter.create_histogram(
            "phoenix.rotation.first_healthy",
            unit="s",
            description="From the start to the first healthy instance of the new generation",
            explicit_bucket_boundaries_advisory=_SECONDS,
        )
        self._oldest = meter.create_gauge(
            "phoenix.instances.oldest_age", unit="s", description="Age of the oldest live instance"
        )
        self._snowflakes = meter.create_gauge(
            "phoenix.instances.snowflakes", description="Instances that are tainted, or have drifted, by kind"
        )
        self._calls = meter.create_counter("phoenix.aws.calls", description="Calls to AWS, retries not counted")
        self._throttles = meter.create_counter(
            "phoenix.aws.throttles", description="Answers of AWS that ask to slow down, retries counted"
        )

    def recorded(self, before: GroupRecord, after: GroupRecord) -> None:
        """Count and time the changes from one saved record to the next."""
        now, then = after.rotation, before.rotation
        if now is None or then is None or then.id != now.id:
            return
        group = {"group": after.group}
        cause = {"cause": now.cause.value} if now.cause is not None else {}
        if then.in_flight and now.phase is not then.phase:
            self._phases.record(_spent(then, now), {**group, "phase": then.phase.value})
        if then.candidate.first_healthy_at is None and now.candidate.first_healthy_at is not None:
            self._first_healthy.record((now.candidate.first_healthy_at - now.started_at).total_seconds(), group)
        if then.back is None and now.back is not None:
            self._rollbacks.add(1, {**group, **cause})
        if then.in_flight and not now.in_flight:
            self._rotations.add(1, {**group, **cause, "outcome": now.outcome.value})

    def oldest_instance(self, group: str, age: timedelta) -> None:
        """Note an age."""
        self._oldest.set(age.total_seconds(), {"group": group})

    def snowflakes(self, group: str, kind: str, count: int) -> None:
        """Note a number, also that there are none any more."""
        self._snowflakes.set(count, {"group": group, "kind": kind})

    def called(self, call: AwsCall) -> None:
        """Count a call, and every time AWS asked to slow down."""
        what = {"service": call.service, "operation": call.operation}
        self._calls.add(1, what)
        if call.throttles:
            self._throttles.add(call.throttles, what)


def _spent(then: Rotation, now: Rotation) -> float:
    """Return the seconds that the finished phase took."""
    since = then.phase_since or then.started_at
    return max(((now.phase_since or since) - since).total_seconds(), 0.0)
