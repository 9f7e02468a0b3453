"""A policy, key by key.

Single keys are checked here, contradictions between keys in `checks`. Must never ask AWS, and never name an adapter
unless the core needs its settings.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from difflib import get_close_matches
from typing import Annotated, Final, Literal, Protocol

from pydantic import AfterValidator, BeforeValidator, Field

from phoenix import gates, images, leaving, notifiers
from phoenix.core.drift import KINDS as DRIFT_KINDS
from phoenix.core.model import OnFailure
from phoenix.core.serving import Serving
from phoenix.fleets import KINDS as _FLEET_KINDS
from phoenix.fleets import keys as fleets
from phoenix.fleets.keys import FleetKeys
from phoenix.gates.keys import GateKeys
from phoenix.keys import (
    Account,
    Duration,
    Flag,
    FlagOrDuration,
    GroupName,
    Keys,
    Kind,
    Matching,
    Percent,
    Region,
    RoleArn,
    Share,
    Text,
    Url,
    Whole,
    wrong,
)
from phoenix.leaving.keys import LeavingKeys
from phoenix.policy.common import SETTINGS
from phoenix.policy.cron import check_schedule, check_timezone
from phoenix.policy.kinds import OneOf
from phoenix.policy.strategy import KINDS as STRATEGIES
from phoenix.policy.strategy import BlueGreen, Strategy
from phoenix.routers import KINDS as _ROUTER_KINDS
from phoenix.routers import keys as routers
from phoenix.routers.keys import TrafficKeys
from phoenix.settings import CallsPerSecond, FunctionName, LeaseSeconds, LogLines, PollSeconds, StoreUrl

VERSION: Final = 1


_NO_ROUTERS: Final = dict.fromkeys(
    ("elb", "clb", "classic", "gwlb", "lattice", "vpc-lattice", "vpc_lattice", "dns", "route-53"),
    "phoenix moves weights of a pair on Application Load Balancers (alb) and Network Load Balancers (nlb), or between"
    " two load balancers by records of Route 53 (route53); one group is rotated in place whatever it is attached to"
    " (attached), or without a load balancer (none)",
)
_NO_FLEETS: Final = dict.fromkeys(
    ("in-place", "asg", "single", "refresh"),
    "phoenix rotates one Auto Scaling group (in_place), or a pair of them (pair), one of them live and one empty",
)
"""Kinds that people ask for, and the kinds that exist; a guess at another kind would not help."""


class _Adapter(Protocol):
    """A class in an adapter folder's table."""

    @property
    def settings(self) -> type[Kind]:
        """The keys it has in a policy."""
        ...


def _keys_of(table: Mapping[str, _Adapter]) -> Mapping[str, type[Kind]]:
    return {kind: adapter.settings for kind, adapter in table.items()}


# Named here: a field with the name of a folder hides the folder from later annotations.
FLEETS: Final = fleets.KEYS
ROUTERS: Final = routers.KEYS
IMAGES: Final = _keys_of(images.KINDS)
GATES: Final[Mapping[str, type[GateKeys]]] = {name: gate.settings for name, gate in gates.KINDS.items()}
LEAVING: Final[Mapping[str, type[LeavingKeys]]] = {name: each.settings for name, each in leaving.KINDS.items()}
REGISTRIES: Final[Mapping[str, type[LeavingKeys]]] = {name: each.settings for name, each in leaving.REGISTRIES.items()}
NOTIFIERS: Final = _keys_of(notifiers.KINDS)


def _longer_than_nothing(duration: timedelta) -> timedelta:
    if not duration:
        raise wrong("must be longer than 0s")
    return duration


def _read_kind(kind: str) -> str:
    if kind in DRIFT_KINDS or (kind.startswith("tag:") and len(kind) > len("tag:")):
        return kind
    near = next(iter(get_close_matches(kind, DRIFT_KINDS, n=1)), None)
    raise wrong(f"no kind of drift; there are {', '.join(DRIFT_KINDS)}", instead=near)


def _read_version(value: object) -> object:
    if value != VERSION or isinstance(value, bool):
        raise wrong(f"unknown version {value!r}: this phoenix reads version {VERSION}", instead=str(VERSION))
    return value


def _read_day(value: object) -> object:
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        raise wrong("must be a day that exists, such as 2026-12-20") from None


PositiveDuration = Annotated[Duration, AfterValidator(_longer_than_nothing)]
DriftKind = Annotated[str, AfterValidator(_read_kind)]
Schedule = Annotated[str, AfterValidator(check_schedule)]
Timezone = Annotated[str, AfterValidator(check_timezone)]
Day = Annotated[date, BeforeValidator(_read_day)]
LabelName = Annotated[str, Matching(r"[A-Za-z][A-Za-z0-9._-]{0,62}", "letters, digits, '.', '_' and '-', at most 63")]
ExternalId = Annotated[str, Matching(r"[\w+=,.@:/-]{2,1224}", "an external id: letters, digits and +=,.@:/-")]


class RotateWhen(Keys):
    """What makes a rotation due."""

    new_image: Flag = Field(default=True, description="A newer image than the live one is chosen.")
    max_instance_lifetime: PositiveDuration | None = Field(default=None, description="An instance is older than this.")
    drift: Flag = Field(default=False, description="An instance is not what its generation is (phoenix drift).")
    tainted: FlagOrDuration = Field(
        default=False, description="An instance carries the tag phoenix:tainted; for this long, where a time is given."
    )
    template: Flag = Field(default=False, description="The launch template has changed in more than the image.")
    base_older_than: PositiveDuration | None = Field(
        default=None, description="The image's base is older than this: told to its baker, nothing is rotated."
    )


class Drift(Keys):
    """What counts as drift."""

    ignore: tuple[DriftKind, ...] = Field(
        default=(), description="Kinds of drift that are not told.", examples=['[bounds, "tag:Name"]']
    )


class Window(Keys):
    """When a rotation may start."""

    schedule: Schedule = Field(description="When it opens: minute, hour, day of month, month, day of week.")
    duration: PositiveDuration = Field(description="How long it stays open.")
    timezone: Timezone = Field(default="UTC", description="Time zone of the schedule, such as Europe/Berlin.")


class Freeze(Keys):
    """Days on which no rotation starts."""

    first: Day = Field(alias="from", description="First day of the freeze.")
    last: Day = Field(alias="until", description="Last day of the freeze, included.")
    reason: Text = Field(default="freeze", description="Why; shown when it blocks a start.")
    timezone: Timezone = Field(default="UTC", description="Time zone whose days are meant.")


class Capacity(Keys):
    """How far the capacity may move during a rotation, in per cent of the need."""

    min_healthy_percentage: Percent = Field(default=100, description="Never fewer than this share of the need serve.")
    max_healthy_percentage: Annotated[int, Whole(100, 200)] = Field(
        default=200, description="Never more than this share of the need exist."
    )


class Timeouts(Keys):
    """How long things may take."""

    launch: PositiveDuration = Field(
        default=timedelta(minutes=15), description="From a launch until the instances are ready."
    )
    drain: Duration = Field(default=timedelta(minutes=5), description="From a shift until the old instances are gone.")
    rotation: PositiveDuration = Field(
        default=timedelta(hours=2), description="The whole rotation; until_promoted and pauses do not count."
    )


class Retain(Keys):
    """What becomes of the old generation after a success."""

    hot_for: Duration = Field(
        default=timedelta(hours=1), description="How long it keeps running, so that a rollback takes seconds."
    )


class Drill(Keys):
    """What a drill may end on purpose."""

    most: Annotated[int, Whole(1, 100)] = Field(description="At most this number of instances in one drill.")
    floor: Share = Field(description="Never fewer healthy instances than this share of the group.")
    timeout: PositiveDuration = Field(
        default=timedelta(minutes=30), description="A group that is not whole again by then has failed the drill."
    )


class Policy(Keys):
    """The owner's wishes for one group."""

    version: Annotated[Literal[1], BeforeValidator(_read_version)] = Field(
        default=1, description="Version of the format."
    )
    group: GroupName = Field(description="Name of the group; every command takes it.", examples=["web"])
    description: Text | None = Field(default=None, description="What the group does; for people.")
    account: Account | None = Field(
        default=None, description="AWS account it must run in; checked before anything else."
    )
    region: Region | None = Field(default=None, description="AWS region; default: that of the environment.")
    role_arn: RoleArn | None = Field(default=None, description="Role to assume for everything this policy needs.")
    external_id: ExternalId | None = Field(default=None, description="External id to assume the role with.")
    owner: Text | None = Field(default=None, description="Who answers for the group; shown where it helps.")
    runbook: Url | None = Field(default=None, description="Where to read on in an incident; shown where it helps.")
    labels: Mapping[LabelName, Text] = Field(
        default_factory=dict, description="Labels that limits for all groups may refer to.", examples=["{tier: web}"]
    )
    fleet: Annotated[FleetKeys, OneOf(FLEETS, elsewhere=_NO_FLEETS)] = Field(
        description="How the capacity exists in AWS.", examples=["{kind: pair, blue: web-blue, green: web-green}"]
    )
    traffic: Annotated[TrafficKeys, OneOf(ROUTERS, elsewhere=_NO_ROUTERS)] = Field(
        description="How traffic reaches the group; none where there is no load balancer.", examples=["{kind: alb}"]
    )
    image: Annotated[Kind, OneOf(IMAGES)] = Field(
        description="Where the next image comes from.", examples=['{kind: search, owners: [self], name: "web-*"}']
    )
    rotate_when: RotateWhen = Field(default=RotateWhen(), description="What makes a rotation due.")
    drift: Drift = Field(default=Drift(), description="What counts as drift.")
    windows: tuple[Window, ...] = Field(default=(), description="When a rotation may start; none: at any time.")
    freezes: tuple[Freeze, ...] = Field(default=(), description="Days on which no rotation starts.")
    drill: Drill | None = Field(default=None, description="What a drill may end on purpose; without it, nothing.")
    drills: tuple[Window, ...] = Field(default=(), description="When drills start by themselves, once each time.")
    strategy: Annotated[Strategy, OneOf(STRATEGIES, default="blue_green")] = Field(
        default=BlueGreen(), description="In which steps the new generation takes over."
    )
    gates: tuple[Annotated[GateKeys, OneOf(GATES)], ...] = Field(
        default=(), description="What the new generation must pass; its health is always one of them."
    )
    before_leaving: tuple[Annotated[LeavingKeys, OneOf(LEAVING)], ...] = Field(
        default=(),
        description="What an instance passes, in this order, before it leaves: nothing is left on it by then.",
        examples=["[{kind: ecs, cluster: shop}]"],
    )
    discovery: tuple[Annotated[LeavingKeys, OneOf(REGISTRIES)], ...] = Field(
        default=(),
        description="Where clients look instances up: announced when their step gives them traffic, withdrawn before"
        " they leave.",
        examples=["[{kind: cloud_map, service: srv-0123456789abcdef, port: 8080}]"],
    )
    capacity: Capacity = Field(default=Capacity(), description="How far the capacity may move during a rotation.")
    timeouts: Timeouts = Field(default=Timeouts(), description="How long things may take.")
    retain: Retain = Field(default=Retain(), description="What becomes of the old generation after a success.")
    on_failure: OnFailure = Field(default=OnFailure.ROLLBACK, description="What a failed gate leads to.")
    notify: tuple[Annotated[Kind, OneOf(NOTIFIERS)], ...] = Field(
        default=(), description="Where news go, besides the log."
    )

    @property
    def serving(self) -> Serving:
        """The possibilities of its kinds of fleet and traffic."""
        fleet, router = _FLEET_KINDS[self.fleet.kind], _ROUTER_KINDS[self.traffic.kind]
        return Serving.of(weights=router.WEIGHTS, health=router.HEALTH, reserve=fleet.RESERVE)


class Limits(Keys):
    """How many rotations may be in flight at the same time."""

    in_flight: Annotated[int, Whole(1, 1000)] | None = Field(default=None, description="Of all groups together.")
    per_label: Mapping[LabelName, Annotated[int, Whole(1, 1000)]] = Field(
        default_factory=dict, description="Of groups with the same value of this label.", examples=["{tier: 1}"]
    )


class Breaker(Keys):
    """The breaker: no rotation of any group starts any more once too many have gone wrong."""

    rollbacks: Annotated[int, Whole(1, 1000)] = Field(description="This many groups rolled back, not by an operator,")
    within: PositiveDuration = Field(description="within this time.")


class AllGroups(Keys):
    """The keys of phoenix.yaml, which hold for all groups of a directory."""

    store: StoreUrl | None = Field(
        default=None, description="Where records are kept, unless --store or PHOENIX_STORE says otherwise."
    )
    poll_seconds: PollSeconds | None = Field(default=None, description="Between two looks while AWS is busy.")
    lease_seconds: LeaseSeconds | None = Field(
        default=None, description="After this time without a renewal another driver may take over."
    )
    calls_per_second: CallsPerSecond | None = Field(
        default=None, description="API calls that all advancing groups may make together."
    )
    advance: FunctionName | None = Field(default=None, description="Lambda function to which a sweep hands groups on.")
    log: LogLines | None = Field(default=None, description="How log lines look, and from which level on.")
    freezes: tuple[Freeze, ...] = Field(default=(), description="Days on which no rotation of any group starts.")
    limits: Limits = Field(default=Limits(), description="How many rotations may be in flight at the same time.")
    breaker: Breaker | None = Field(default=None, description="When no rotation of any group starts any more.")
    max_age: PositiveDuration | None = Field(
        default=None, description="How old a generation should become at most; phoenix status reports on it."
    )

    @property
    def settings(self) -> dict[str, object]:
        """Return the given keys that are settings."""
        return {name: getattr(self, name) for name in SETTINGS if getattr(self, name) is not None}


def complete(policy: Policy) -> Policy:
    """Fill in values that follow from other keys: the implied gate, and no hot generation if none can be kept hot."""
    has_health = policy.serving.health
    implied = next(name for name, keys in GATES.items() if keys.implied_with_health is has_health)
    changes: dict[str, object] = {}
    if all(gate.kind != implied for gate in policy.gates):
        changes["gates"] = (GATES[implied].model_validate({"kind": implied}), *policy.gates)
    if not policy.serving.keeps_hot:
        changes["retain"] = Retain(hot_for=timedelta(0))
    return policy.model_copy(update=changes)
