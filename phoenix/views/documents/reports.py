"""The documents about one group now: what every command that ends in a report prints; and errors.

Must never import anything: a rollback prints one of these.
"""

from __future__ import annotations

from typing import NotRequired, TypedDict

Time = str
"""RFC 3339 in UTC, to the second, with a `Z`."""


class Error(TypedDict):
    """What went wrong, and what to do."""

    code: str
    message: str
    hint: str | None


class Failure(TypedDict):
    """The document of a command that ended with an error; also of one group among several."""

    error: Error
    group: NotRequired[str]


class Ignored(TypedDict):
    """A blocker that a person passed over at the start."""

    name: str
    by: str
    reason: str | None
    at: Time | None


class Request(TypedDict):
    """What a person asked for: by whom, why, when."""

    by: str
    reason: str | None
    at: Time | None


class RotationInShort(TypedDict):
    """One rotation. `step` is 1-based, 0 before the first."""

    id: str
    outcome: str
    phase: str
    step: int
    steps: int
    cause: str | None
    reason: str | None
    started_at: Time | None
    ended_at: Time | None
    ignored: list[Ignored]


class Rotation(RotationInShort):
    """The rotation in flight, else the last one, with who started it and what for. `weight` is the new generation's, in
    per cent; `way_back` is how soon traffic was back, and all was clean, once it was turned back."""

    trigger: str
    by: str | None
    turned_back_by: Request | None
    paused: Request | None
    held: str | None
    weight: int
    way_back: str | None


class NotReady(TypedDict):
    """How many instances are not ready for one reason, in AWS's words."""

    count: int
    why: str


class InstanceRow(TypedDict):
    """One instance. `state` is AWS's word; `target` null: no load balancer lists it; `reason` is why it is not ready,
    in AWS's words."""

    id: str
    zone: str
    launched_at: Time | None
    launch_template_version: str | None
    state: str
    healthy: bool
    target: str | None
    ready: bool
    reason: str | None


class SlotRow(TypedDict):
    """One generation in its slot, as AWS was seen; null: not looked. `weight` is per cent of the traffic, in one group
    the share of the instances in service; `reserve` are instances kept in Standby."""

    number: int
    role: str
    image: str
    image_name: str | None
    slot: str
    auto_scaling_group: str | None
    launch_template_version: str | None
    desired: int | None
    in_service: int | None
    healthy: int | None
    weight: int | None
    not_ready: list[NotReady]
    reserve: int


class GenerationRow(SlotRow):
    """The same, with its instances."""

    instances: list[InstanceRow]


class RouteRow(TypedDict):
    """A listener or rule, and the weight of each generation there, in per cent."""

    arn: str
    name: str
    weights: dict[str, int]


class OptInRule(TypedDict):
    """A rule of phoenix's own, for requests that ask for the candidate."""

    arn: str
    name: str


class Act(TypedDict):
    """What was done, by whom and why; `rotation` null: the group was at rest."""

    at: Time | None
    name: str
    text: str
    by: str
    reason: str | None
    rotation: str | None


class Change(TypedDict):
    """One call that changed a resource, as CloudTrail has it."""

    at: Time | None
    event: str
    by: str
    agent: str
    address: str


class Trace(TypedDict):
    """Who changed a resource, and the command that asks the same; `note` says why changes may be missing."""

    resource: str
    note: str | None
    command: str
    changes: list[Change]


class Wait(TypedDict):
    """Something that keeps a due rotation from starting."""

    name: str
    text: str
    until: Time | None
    needs_person: bool


class Outlook(TypedDict):
    """What comes next at rest. `due` null: not known; `turn` is whose it is: person, phoenix or nothing."""

    due: bool | None
    sentence: str
    reasons: list[str]
    at: Time | None
    turn: str
    waits: list[Wait]


class Gate(TypedDict):
    """A gate's last verdict: PASS, WAIT or FAIL."""

    gate: str
    verdict: str
    reason: str
    looked_at: Time | None


class Driver(TypedDict):
    """Who may drive the group, and until when."""

    owner: str
    until: Time | None


class Quarantined(TypedDict):
    """An image that is not rotated to until a newer one comes or a person releases it."""

    image: str
    since: Time | None
    cause: str
    rotation: str
    reason: str


class Command(TypedDict):
    """A command that the screen offers: what for, the line to type, and what it does."""

    purpose: str
    command: str
    effect: str | None


class RollbackReady(TypedDict):
    """Whether a rollback would work now."""

    ready: bool
    why: str


class Drill(TypedDict):
    """Instances that were ended on purpose, and how long their group took to be whole again."""

    id: str
    group: str
    ending: str | None
    sentence: str
    by: str
    reason: str | None
    seed: str
    zone: str | None
    hard: bool
    instances: list[str]
    spared: list[str]
    healthy_before: int
    floor: int
    started_at: Time | None
    over_at: Time | None
    ended_at: Time | None
    noticed_at: Time | None
    replaced_at: Time | None
    in_service_at: Time | None
    healthy_at: Time | None
    whole_after_seconds: int | None
    precision_seconds: int


class OldBase(TypedDict):
    """A base that is older than the policy allows."""

    image: str
    base: str
    built_at: Time | None


class Snowflakes(TypedDict):
    """Instances that were last noted as tainted or drifted."""

    since: Time | None
    tainted: list[str]
    drifted: list[str]


class Report(TypedDict):
    """How one group is. `outcome` is that of the command: none, in_progress, held, succeeded, rolled_back or failed.
    `state` is the first word of the screen."""

    group: str
    outcome: str
    sentence: str
    rotation: Rotation | None
    generations: list[GenerationRow]
    waiting_for: str | None
    rollback_ready: RollbackReady
    old_base: OldBase | None
    drill: Drill | None
    snowflakes: Snowflakes | None
    acts: list[Act]
    changed_by: list[Trace]
    next: Outlook | None
    routes: list[RouteRow]
    opt_in_rules: list[OptInRule]
    at: Time | None
    state: str
    account: str | None
    region: str | None
    owner: str | None
    runbook: str | None
    gates: list[Gate]
    driver: Driver | None
    quarantine: list[Quarantined]
    commands: list[Command]


class Age(TypedDict):
    """The age of a group's oldest live generation, against the limit for all groups."""

    generation: int | None
    since: Time | None
    seconds: int | None
    max_seconds: int | None
    over: bool


class ReportWithAge(Report):
    """One group among all."""

    age: Age


class Repairs(TypedDict):
    """What `repair` would undo."""

    group: str
    leftovers: list[str]
