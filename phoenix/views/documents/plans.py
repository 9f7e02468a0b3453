"""The documents about what would happen.

Must never name a field twice with two meanings: `weight` is per cent here, too.
"""

from __future__ import annotations

from typing import Any, TypedDict

from phoenix.views.documents.reports import Command, Error


class Blocker(TypedDict):
    """Something in the way of a start. `ignored_as` is what `--ignore` calls it, null: it cannot be ignored."""

    name: str
    where: str
    text: str
    remedy: str | None
    ignorable: bool
    ignored_as: str | None


class Generation(TypedDict):
    """One generation, as the record or the plan knows it."""

    number: int
    slot: str
    image: str
    image_name: str | None
    launch_template_version: str | None


class PlannedStep(TypedDict):
    """One step: instances of both generations, and the new one's weight in per cent. `bake_seconds` null: until
    promoted."""

    step: int
    new: int
    old: int
    weight: int
    gates: list[str]
    bake_seconds: int | None
    starts_after_seconds: int


class PlannedCapacity(TypedDict):
    """Instances: the need, the least that are healthy at any time, and the most that run."""

    needed: int
    worst_case: int
    peak: int


class PlannedImage(TypedDict):
    """An image of the plan, and where it comes from by its tags; null: no tag tells."""

    image: str
    name: str | None
    built_at: str | None
    commit: str | None
    built_by: str | None
    parent: str | None


class Difference(TypedDict):
    """An attribute of the template, or of the groups of a pair, that differs besides the image."""

    of: str
    attribute: str
    live: str | None
    next: str | None


class PlannedCall(TypedDict):
    """A call that would change AWS, with its parameters as they will be sent."""

    service: str
    operation: str
    parameters: dict[str, Any]
    after_seconds: int


class PlannedImages(TypedDict):
    """The image that lives, and the next one."""

    live: PlannedImage
    next: PlannedImage | None


class PlannedStation(TypedDict):
    """What instances pass before they leave. `on_timeout` is hold or go_on."""

    kind: str
    name: str
    timeout_seconds: int
    on_timeout: str


class OptIn(TypedDict):
    """Requests that ask for the next generation. `kind` is header, cookie, query or source; sources have no name."""

    kind: str
    name: str | None
    values: list[str]


class Plan(TypedDict):
    """What a rotation would do, and everything in its way."""

    group: str
    due: bool
    reasons: list[str]
    blockers: list[Blocker]
    warnings: list[Blocker]
    live: Generation
    next: Generation | None
    steps: list[PlannedStep]
    capacity: PlannedCapacity
    ends_after_seconds: int | None
    extra_instance_hours: float
    writes: int | None
    images: PlannedImages
    differences: list[Difference]
    calls: list[PlannedCall] | None
    before_leaving: list[PlannedStation]
    discovery: list[PlannedStation]
    prices: dict[str, str]
    opt_ins: list[OptIn]
    checks: list[str]
    hot_seconds: int
    commands: list[Command]


class BlockedStart(Plan):
    """A `rotate` that did not start: the error, and the plan with all blockers."""

    error: Error
    outcome: str
