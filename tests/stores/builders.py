"""Records and rotations for the tests of stores; everything a test is not about has a default."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from phoenix.core.generation import Generation
from phoenix.core.model import Cause, Judgement, Slot, Verdict
from phoenix.core.record import GroupRecord, Quarantined
from phoenix.core.rotation import Rotation
from phoenix.core.story import Ask, Event, Origin
from phoenix.core.terms import Capacity, Step, Terms
from tests.builders import changed

NOON = datetime(2026, 3, 2, 12, 0, 0, 123456, tzinfo=UTC)


def a_generation(number: int = 41, slot: Slot = Slot.BLUE, **facts: Any) -> Generation:
    return Generation(number, slot, image=f"ami-{number}", **facts)


def a_rotation(
    name: str = "r-1",
    group: str = "web",
    started_at: datetime = NOON,
    *,
    steps: tuple[Step, ...] | None = None,
    **facts: Any,
) -> Rotation:
    rotation = Rotation(
        id=name,
        group=group,
        old=a_generation(41),
        new=a_generation(42, Slot.GREEN, image_name="web-42", template_version="17"),
        terms=Terms(steps or (Step(100, 0, 100, timedelta(minutes=5)),), capacity=Capacity(2, 8)),
        started_at=started_at,
        deadline=started_at + timedelta(hours=2),
        origin=Origin("new image", "ada@laptop"),
        need=4,
        capacity=Capacity(2, 8),
    )
    return changed(rotation, **facts)


def a_record(group: str = "web", **facts: Any) -> GroupRecord:
    return GroupRecord(group, **facts)


def a_full_record(group: str = "web") -> GroupRecord:
    rotation = a_rotation(
        group=group,
        steps=(Step(100, 100, 5, bake=None), Step(100, 0, 100, timedelta(minutes=10))),
        policy='{"group": "wéb"}',
        grew_in=timedelta(seconds=61, microseconds=5),
        promoted=Ask(NOON, "ada"),
        cause=Cause.IMAGE,
        sick={"i-1": NOON},
        verdicts=(Verdict("alarm", Judgement.FAIL, "web-5xx is in ALARM"),),
        events=(Event(NOON, "started", "4 instances"),),
    )
    return a_record(
        group,
        slots={Slot.BLUE: "web-blue", Slot.GREEN: "web-green"},
        target_groups={Slot.BLUE: ("arn:blue", "arn:blue-2"), Slot.GREEN: ("arn:green",)},
        routes={"arn:listener": ":443"},
        live=a_generation(41),
        retained=a_generation(40, Slot.GREEN),
        hot_until=NOON + timedelta(hours=1),
        quarantine=(Quarantined("ami-39", NOON, Cause.OPERATOR, "r-0", "looked bad"),),
        rotation=rotation,
    )
