"""The facts about an account's server groups before there is a policy, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from phoenix.core.blocker import Blocker
from phoenix.inventory.image_filter import ImageFilter


@dataclass(frozen=True, slots=True)
class Attachment:
    """Something that sends requests to the instances. `kind` is alb, nlb, gwlb, classic, lattice or unused; `details`
    are words about a target group's port and health check, `port` and `path` those of its HTTP check."""

    kind: str
    name: str
    details: str = ""
    port: int | None = None
    path: str | None = None


@dataclass(frozen=True, slots=True)
class Hook:
    """A lifecycle hook of the owner. `moment` is launching or terminating; `result` is AWS's word for the end of
    `seconds` without an answer."""

    auto_scaling_group: str
    name: str
    moment: str
    seconds: int
    result: str


@dataclass(frozen=True, slots=True)
class Size:
    """The numbers of a group; of a pair, those of the half with more instances."""

    min: int
    max: int
    desired: int


@dataclass(frozen=True, slots=True)
class ServerGroup:
    """What one policy could be about: one Auto Scaling group, or the two of a pair, the fuller one first.

    `fleet` is the kind that a policy would name, None where it cannot be rotated: `in_the_way` says why. `missing` is
    what a person has to do before the first rotation. `policies` are those that name it already. `hooks` and `image`
    are None where they were not read, or are not known. `drained_by` are the kinds of `before_leaving` that it needs.
    """

    group: str
    auto_scaling_groups: tuple[str, ...]
    size: Size
    attached: tuple[Attachment, ...]
    made_by: str | None
    fleet: str | None
    traffic: str
    in_the_way: tuple[Blocker, ...] = ()
    missing: tuple[Blocker, ...] = ()
    policies: tuple[str, ...] = ()
    hooks: tuple[Hook, ...] | None = None
    image: ImageFilter | None = None
    slots: Mapping[str, str] | None = None
    drained_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Account:
    """Everything that was found in one account and Region; `described` are the Auto Scaling groups as AWS describes
    them, by name."""

    account: str
    region: str | None
    at: datetime
    groups: tuple[ServerGroup, ...]
    described: Mapping[str, Mapping[str, Any]]
