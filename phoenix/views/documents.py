"""The types of all JSON documents: what `-o json` prints is one of these, and `docs/json` has a JSON Schema for each
command, made from them.

One more field: add it to the dictionary that is printed (mypy names the type here that lacks it), to that type with a
word about what the name does not say, and run `make schemas`. One more command: its types in `DOCUMENTS`. Fields are
only ever added: scripts rely on them. Must never import anything: a rollback prints one of these.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NotRequired, TypedDict

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


class GenerationRow(TypedDict):
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
    writes: int
    checks: list[str]
    hot_seconds: int
    commands: list[Command]


class BlockedStart(Plan):
    """A `rotate` that did not start: the error, and the plan with all blockers."""

    error: Error
    outcome: str


class Event(TypedDict):
    """One line of a rotation's story."""

    at: Time | None
    name: str
    text: str


class PastRotation(RotationInShort):
    """One rotation of the history, with its story."""

    to: Generation
    trigger: str
    by: str | None
    turned_back_by: Request | None
    duration_seconds: int | None
    events: list[Event]


# The one key that Python's syntax for classes cannot spell.
PastRotationFrom = TypedDict("PastRotationFrom", {"from": Generation})


class HistoryRotation(PastRotation, PastRotationFrom):
    """One rotation of a group's history."""


class TimelineRotation(HistoryRotation):
    """One rotation among those of all groups."""

    group: str


class History(TypedDict):
    """A group's rotations, newest first."""

    group: str
    rotations: list[HistoryRotation]


class Candidate(TypedDict):
    """An image, and the reason against it; null for the chosen one."""

    image: str
    name: str | None
    created_at: Time | None
    chosen: bool
    live: bool
    rejected: str | None
    quarantined: bool


class Images(TypedDict):
    """The candidates in order of preference, and the quarantine."""

    group: str
    candidates: list[Candidate]
    quarantine: list[Quarantined]


class Repairs(TypedDict):
    """What `repair` would undo."""

    group: str
    leftovers: list[str]


class Check(TypedDict):
    """One line of the doctor."""

    name: str
    passed: bool
    warning: bool
    text: str
    hint: str | None


class Doctor(TypedDict):
    """All checks; `probe` holds AWS's answers to `--probe`, in its own words."""

    healthy: bool
    checks: list[Check]
    probe: NotRequired[dict[str, Any]]


class Problem(TypedDict):
    """One mistake in a policy; the message ends with the corrected line. `correction` is that line alone."""

    file: str | None
    line: int | None
    column: int | None
    message: str
    correction: str | None


class Validation(TypedDict):
    """What `policy validate` found."""

    valid: bool
    groups: list[str]
    problems: list[Problem]
    error: NotRequired[Error]


class Size(TypedDict):
    """Capacity as the Auto Scaling group has it."""

    min: int
    max: int
    desired: int


class Attached(TypedDict):
    """A load balancer, target group or the like that a group is attached to."""

    kind: str
    name: str


class Obstacle(TypedDict):
    """A step that is missing, or a reason why a group cannot be rotated."""

    name: str
    where: str
    text: str
    remedy: str | None
    warning: bool


class RunningImage(TypedDict):
    """The image that runs, and the pattern that finds the next ones."""

    running: str
    name: str | None
    pattern: str | None
    matches: int
    newest: str | None


class FoundGroup(TypedDict):
    """One Auto Scaling group that `init` found. `fleet` null: it cannot be rotated, and `blockers` say why. The fields
    after `image` come with the policy that was printed or written."""

    group: str
    auto_scaling_groups: list[str]
    size: Size
    attached: list[Attached]
    made_by: str | None
    policies: list[str]
    fleet: str | None
    traffic: str | None
    blockers: list[Obstacle]
    missing: list[Obstacle]
    lifecycle_hooks: list[str] | None
    image: RunningImage | None
    policy: NotRequired[str]
    written: NotRequired[str | None]
    script: NotRequired[str]
    script_written: NotRequired[str | None]
    terraform: NotRequired[str]
    terraform_written: NotRequired[str | None]
    not_carried_over: NotRequired[list[str]]


class Inventory(TypedDict):
    """An account's Auto Scaling groups."""

    account: str
    region: str | None
    groups: list[FoundGroup]


class IamDocument(TypedDict):
    """An IAM policy document, ready to attach."""

    Version: str
    Statement: list[dict[str, Any]]


class WrittenFiles(TypedDict):
    """The files that were written."""

    written: list[str]


class Scenario(TypedDict):
    """One way in which a rehearsal can go."""

    name: str
    description: str


class SandboxOpened(TypedDict):
    """The pretend AWS, and the environment that points a program at it."""

    url: str
    scenario: str
    environment: dict[str, str]


DOCUMENTS: Final[Mapping[str, tuple[Any, ...]]] = {
    "status": (Report, list[ReportWithAge | Failure]),
    "rollback": (Report,),
    "pause": (Report,),
    "resume": (Report,),
    "abort": (Report,),
    "plan": (Plan, list[Plan | Failure]),
    "rotate": (Report, Plan, BlockedStart),
    "promote": (Report,),
    "retry": (Report, BlockedStart),
    "history": (History, list[TimelineRotation | Failure]),
    "images": (Images, Report),
    "init": (Inventory,),
    "policy": (Validation, dict[str, Any]),
    "doctor": (Doctor,),
    "iam": (IamDocument, WrittenFiles),
    "tick": (Report, Failure, list[Report | Failure]),
    "repair": (Repairs, Report),
    "sandbox": (SandboxOpened, list[Scenario]),
}
"""What each command may print; an error's document (`Failure`) may come from any of them."""
