"""Builders for the values of the core: each defaults everything that a test is not about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from phoenix.core.clocks import CandidateFacts, Growth, StepClocks
from phoenix.core.generation import Generation
from phoenix.core.lifecycle import Lifecycle
from phoenix.core.model import Instance, Observation, Route, Slot, SlotState, TargetState
from phoenix.core.record import GroupRecord
from phoenix.core.rotation import Rotation
from phoenix.core.story import Ask, Hold, Origin, WayBack
from phoenix.core.temporary import SchedulesEntry, Upkeep
from phoenix.core.terms import Capacity, Step, Terms
from phoenix.fleets.group_shapes import lifecycle_of

OWNER = Capacity(2, 8)
"""The numbers that the owner of the live slot has set."""
NOON = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)
OLD_IMAGE, NEW_IMAGE = "ami-0000000000000000a", "ami-0000000000000000b"
ALL_AT_ONCE = (Step(100, 100, 100, timedelta(minutes=5)),)
CANARY = (
    Step(100, 100, 5, timedelta(minutes=10)),
    Step(100, 100, 50, timedelta(minutes=10)),
    Step(100, 100, 100, timedelta(minutes=5)),
)
ROLLING = (
    Step(50, 50, 50, timedelta(0)),
    Step(100, 0, 100, timedelta(minutes=5)),
)


def after(minutes: float = 0, *, seconds: float = 0) -> datetime:
    """A time after noon."""
    return NOON + timedelta(minutes=minutes, seconds=seconds)


def an_instance(number: int = 0, **changes: Any) -> Instance:
    """In service, healthy everywhere, of template version 1, in zone a, b or c by its number.

    `lifecycle` is AWS's word.
    """
    standard = Instance(
        id=f"i-{number:017d}",
        zone=f"eu-west-1{'abc'[number % 3]}",
        lifecycle=Lifecycle.IN_SERVICE,
        lifecycle_words="InService",
        healthy=True,
        template_version="1",
        target=TargetState.HEALTHY,
    )
    words = changes.get("lifecycle")
    if words is not None and not isinstance(words, Lifecycle):
        changes |= {"lifecycle": lifecycle_of(words), "lifecycle_words": words}
    return replace(standard, **changes)


def some_instances(count: int, **changes: Any) -> tuple[Instance, ...]:
    """Several of those."""
    return tuple(an_instance(n, **changes) for n in range(count))


def a_slot(slot: Slot = Slot.BLUE, healthy: int = 4, version: str | None = "1", **changes: Any) -> SlotState:
    """A slot whose group has as many instances as it wants, all healthy."""
    offset = 0 if slot is Slot.BLUE else 1000
    standard = SlotState(
        slot=slot,
        auto_scaling_group=f"web-{slot.value}",
        min=healthy,
        max=healthy,
        desired=healthy,
        template_version=version,
        instances=tuple(an_instance(offset + n, template_version=version) for n in range(healthy)),
        target_groups=(f"arn:tg/web-{slot.value}",),
    )
    return replace(standard, **changes)


def a_route(green: int = 0, name: str = ":443") -> Route:
    """A route that sends `green` per cent to the green slot."""
    return Route(f"arn:rule/{name}", name, {Slot.BLUE: 100 - green, Slot.GREEN: green})


def a_lone_route(slot: Slot, name: str = ":443") -> Route:
    """A route that names this slot only, as it is at rest once the other one is cold."""
    return Route(f"arn:rule/{name}", name, {slot: 100})


def an_observation(
    blue: SlotState | None = None, green: SlotState | None = None, weight: int = 0, **changes: Any
) -> Observation:
    """Blue is live with four instances, green is empty, at noon."""
    standard = Observation(
        at=NOON,
        slots={Slot.BLUE: blue or a_slot(), Slot.GREEN: green or a_slot(Slot.GREEN, healthy=0)},
        routes=(a_route(weight),),
    )
    return replace(standard, **changes)


def a_generation(number: int = 41, **changes: Any) -> Generation:
    """Generation 41 lives in blue from template version 1; 42 goes to green with version 2."""
    old = number <= 41
    standard = Generation(
        number=number,
        slot=Slot.BLUE if old else Slot.GREEN,
        image=OLD_IMAGE if old else NEW_IMAGE,
        image_name=f"web-{number}",
        template_version="1" if old else "2",
    )
    return replace(standard, **changes)


def some_terms(steps: tuple[Step, ...] = ALL_AT_ONCE, **changes: Any) -> Terms:
    """Terms that prove at once: `healthy_for` is nothing unless the test says so."""
    return replace(Terms(steps=steps, healthy_for=timedelta(0)), **changes)


def a_rotation(steps: tuple[Step, ...] = ALL_AT_ONCE, **changes: Any) -> Rotation:
    """From 41 in blue to 42 in green, four instances needed, started at noon, at its first step."""
    standard = Rotation(
        id="web-42-test",
        group="web",
        old=a_generation(41),
        new=a_generation(42),
        terms=changes.pop("terms", None) or some_terms(steps),
        started_at=NOON,
        deadline=after(120),
        origin=Origin(trigger="new image", by="tester", store="sqlite:///test"),
        need=4,
        capacity=OWNER,
        step=1,
        growth=Growth(since=NOON),
    )
    return changed(standard, **changes)


_GROUPS = {"origin": Origin, "candidate": CandidateFacts, "growth": Growth, "clocks": StepClocks}
_GROUP_OF = {each.name: group for group, kind in _GROUPS.items() for each in fields(kind)}
_GROUP_OF |= {"grown_since": "growth", "candidate_target": "candidate"}
_NAMES = {"grown_since": "since", "candidate_target": "target"}


def changed(rotation: Rotation, **changes: Any) -> Rotation:
    """The rotation with these changes; what belongs to a group of it may be named alone (`shifted_at=NOON`).

    `held` may be a sentence; `back` may be what was asked, with the cause and the reason beside it.
    """
    in_groups: dict[str, dict[str, Any]] = {}
    for name in [name for name in changes if name in _GROUP_OF]:
        in_groups.setdefault(_GROUP_OF[name], {})[_NAMES.get(name, name)] = changes.pop(name)
    for group, own in in_groups.items():
        changes[group] = replace(changes.get(group, getattr(rotation, group)), **own)
    held, back = changes.get("held"), changes.get("back")
    cause, reason = changes.pop("cause", None), changes.pop("reason", None)
    if isinstance(held, str):
        changes["held"] = Hold(held, cause)
    if isinstance(back, Ask):
        changes["back"] = WayBack(back, cause, reason or back.reason or "", now=changes.pop("back_now", False))
    elif back is None and (cause or reason) and not held:
        changes["back"] = WayBack(Ask(rotation.started_at, "phoenix"), cause, reason or "")
    return replace(rotation, **changes)


def an_entry(**changes: Any) -> SchedulesEntry:
    """One entry of the ledger: scheduled actions ran on the live slot when green was about to follow it."""
    return replace(SchedulesEntry(Slot.GREEN, True, Upkeep(NOON)), **changes)


def a_record(rotation: Rotation | None = None, **changes: Any) -> GroupRecord:
    """The group `web`, with generation 41 live."""
    standard = GroupRecord(
        group="web",
        slots={Slot.BLUE: "web-blue", Slot.GREEN: "web-green"},
        target_groups={slot: (f"arn:tg/web-{slot.value}",) for slot in Slot},
        routes={"arn:rule/:443": ":443"},
        live=a_generation(41),
        highest_number=41,
        rotation=rotation,
    )
    return replace(standard, **changes)


def tags_of(rotation: Rotation) -> Mapping[Slot, Mapping[str, str]]:
    """The tags that both slots carry while this rotation lasts."""
    from phoenix.core import tags

    return tags.rotation_tags(rotation, rotation.origin.store)


def why_held(rotation: Rotation | None) -> str:
    """Why it stands still; empty when it does not."""
    return rotation.held.why if rotation is not None and rotation.held is not None else ""
