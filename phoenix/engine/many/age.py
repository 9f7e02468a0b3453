"""Hold the age of a group's live generation against the rules for all groups. Reads only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from phoenix.core.generation import Generation
from phoenix.engine.group import Group
from phoenix.engine.report import Report


@dataclass(frozen=True, slots=True)
class Age:
    """`since` None: its age is not known. `limit` None: it may be of any age."""

    group: str
    at: datetime
    generation: Generation | None
    since: datetime | None
    limit: timedelta | None

    @property
    def age(self) -> timedelta | None:
        """The generation's age; nothing in it is older."""
        return None if self.since is None else self.at - self.since

    @property
    def is_over(self) -> bool:
        """True if it is older than it should be, or if its age is not known."""
        return self.limit is not None and (self.age is None or self.age > self.limit)


def age_of(group: Group, report: Report) -> Age:
    """The age of the live generation. Where the record does not know, and it matters, its instances are asked for."""
    live, limit = report.record.live, group.rules.max_age
    since = live.since if live is not None else None
    if live is not None and since is None and limit is not None:
        since = min((i.launched_at for i in group.fleet.live_instances(live.slot)), default=None)
    return Age(group.name, report.at, live, since, limit)
