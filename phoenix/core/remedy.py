"""What a person is to change in AWS, or to read there, as values. Pure. The fleet spells the command.

Must never hold a word of a command: a fleet of another kind does the same by other commands.
"""

from __future__ import annotations

from dataclasses import dataclass

from phoenix.core.model import Slot


@dataclass(frozen=True, slots=True)
class LeaveTargetGroups:
    """The slot registers with these target groups (ARNs) no more, and keeps its others."""

    slot: Slot
    target_groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ShowTargetGroups:
    """Print what the slot registers with."""

    slot: Slot


@dataclass(frozen=True, slots=True)
class Resize:
    """The slot has `count` instances; None leaves the number to the reader."""

    slot: Slot
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Empty:
    """The slot has no instances, and launches none."""

    slot: Slot


@dataclass(frozen=True, slots=True)
class KeepOldInstances:
    """AWS replaces no instance of the slot for its age."""

    slot: Slot


Remedy = LeaveTargetGroups | ShowTargetGroups | Resize | Empty | KeepOldInstances
