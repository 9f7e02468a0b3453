"""The times and the candidate's facts of a rotation, in groups that begin anew together. Pure: frozen values only.

Must never hold a clock that outlives what it measures: a group begins anew as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from phoenix.core.story import Ask

SAME_LOOKS: Final = 10
"""Looks in a row at which all instances give the same reason, before more of them are pointless. A load balancer makes
ten checks in five minutes: every 30 s unless the owner says otherwise (HealthCheckIntervalSeconds in
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html)."""


@dataclass(frozen=True, slots=True)
class CandidateFacts:
    """The facts that the new generation has shown so far; kept through all steps.

    `target` (how many instances it has to have) and `in_service_high` are ratchets. `sick` is since when each instance
    has been in service and unhealthy, `replaced` how many of those were handed to AWS. `grew_in` is how long the first
    step's instances took, `launched_at` when the first instance was seen, whatever became of it, and `first_healthy_at`
    when the first one was ready. `memos` are the latest memos of the gates, by name.
    """

    target: int = 0
    in_service_high: int = 0
    sick: Mapping[str, datetime] = field(default_factory=dict)
    replaced: int = 0
    grew_in: timedelta | None = None
    launched_at: datetime | None = None
    first_healthy_at: datetime | None = None
    memos: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Growth:
    """The clocks of the generation that grows; they begin anew when more is wanted, and with turning back.

    `since` is when it began to grow, `progress_at` when it last had more instances in service than ever. `ready_since`
    is since when it has been ready without a break (`times_ready` counts the breaks, `longest_ready` is the longest
    time before one), `short_since` since when it has been under its floor. `released_at` is when those held before
    traffic might go on. `said` is the one reason that all instances give for not being healthy, since `said_since` and
    at `said_looks` looks in a row, which are counted up to `SAME_LOOKS`.
    """

    since: datetime | None = None
    progress_at: datetime | None = None
    ready_since: datetime | None = None
    times_ready: int = 0
    longest_ready: timedelta | None = None
    short_since: datetime | None = None
    released_at: datetime | None = None
    said: str = ""
    said_since: datetime | None = None
    said_looks: int = 0

    def hear(self, said: str, at: datetime) -> Growth:
        """With what all instances give as their reason at this look; empty where they give no single one."""
        if not said:
            return replace(self, said="", said_since=None, said_looks=0)
        goes_on = said == self.said
        since = self.said_since if goes_on else at
        return replace(
            self, said=said, said_since=since, said_looks=min(self.said_looks + 1, SAME_LOOKS) if goes_on else 1
        )


@dataclass(frozen=True, slots=True)
class StepClocks:
    """The clocks of the current step; they begin anew with the next step, and with turning back.

    `proved_at` is when the step's gates had all passed, `shifted_at` when its weights were read back, `shrunk_at` when
    it was decided that the old generation may shrink, `baking_since` since when the step rests, `closing_since` since
    when only the clean-up is left. `promoted` is who ended the bake early.
    """

    proved_at: datetime | None = None
    shifted_at: datetime | None = None
    shrunk_at: datetime | None = None
    baking_since: datetime | None = None
    closing_since: datetime | None = None
    promoted: Ask | None = None
