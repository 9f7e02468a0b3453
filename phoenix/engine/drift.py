"""Look for drift: every running instance against its generation, the group against what it was left as.

Reads only. Must never turn a group that could not be read into a converged one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from phoenix.core.model import Observation
from phoenix.core.record import GroupRecord
from phoenix.core.snowflake import DRIFTED, Bounds, Drift, Snowflake, is_repeated, judge
from phoenix.core.trigger import LiveInstance
from phoenix.engine.group import About, Group
from phoenix.engine.look import sight_of


@dataclass(frozen=True, slots=True)
class DriftReport:
    """A group's drift, and what a person needs to act on it. `deep`: user data and protection were compared too."""

    group: str
    at: datetime
    drift: Drift
    record: GroupRecord
    deep: bool
    about: About = About()
    rotates: bool = False
    """Drift makes a rotation due here."""

    @property
    def left_at(self) -> datetime | None:
        """When the last rotation ended: whatever differs was changed after that."""
        last = self.record.rotation
        return last.known_end if last is not None else None


def find_drift(group: Group, *, deep: bool = False) -> DriftReport:
    """Compare everything. `deep` costs two calls more for each instance.

    Raises:
        NotFound: AWS knows no such group.
    """
    sight = sight_of(group, search=False)
    bounds = Bounds(group.rotate_when.max_instance_lifetime, group.ignored_drift)
    drift = judge(sight.record, sight.seen, group.fleet.compare(deep=deep), bounds)
    drift = _without_scheduled_sizes(group, sight.record, drift)
    measure(group, drift.instances)
    return DriftReport(
        group.name,
        sight.seen.at,
        drift,
        sight.record,
        deep,
        group.about,
        rotates=group.rotate_when.drift,
    )


def with_drift(
    group: Group, record: GroupRecord, seen: Observation, instances: Sequence[LiveInstance]
) -> tuple[LiveInstance, ...]:
    """These instances with what they differ in, where that can make a rotation due.

    Age and image are reasons of their own. Shortly after a rotation because of drift there is none: what comes back by
    itself would rotate the group for ever.
    """
    if not group.rotate_when.drift or is_repeated(record, seen.at):
        return tuple(instances)
    drift = judge(record, seen, group.fleet.compare(), Bounds(None, group.ignored_drift))
    kinds = {each.found.id: tuple(dict.fromkeys(d.what for d in each.differences)) for each in drift.instances}
    measure(group, drift.instances)
    return tuple(replace(i, drift=kinds.get(i.id, ())) for i in instances)


def measure(group: Group, judged: Sequence[Snowflake]) -> None:
    """Count them for the metrics."""
    group.tracer.snowflakes(group.name, DRIFTED, sum(bool(each.differences) for each in judged))
    group.tracer.snowflakes(group.name, "tainted", sum(each.taint is not None for each in judged))


def _without_scheduled_sizes(group: Group, record: GroupRecord, drift: Drift) -> Drift:
    """Scheduled actions set the sizes of their group; asked only where these differ."""
    if record.live is None or all(each.what != "bounds" for each in drift.group):
        return drift
    if not group.fleet.has_schedules(record.live.slot):
        return drift
    return replace(drift, group=tuple(each for each in drift.group if each.what != "bounds"))
