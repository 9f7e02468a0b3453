"""The documents of the commands that set phoenix up: the doctor, policies, first policies, rights, the sandbox.

Must never hold a secret: documents are pasted elsewhere.
"""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict

from phoenix.views.documents.reports import Error


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
