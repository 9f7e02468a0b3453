"""The requests of an operator or a schedule. Values only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from phoenix.core.blocker import Blocker

IGNORABLE = frozenset({"window", "freeze", "quarantine", "limit", "breaker"})
"""The names that `--ignore` may list, besides alarms by name."""
BY_NAME = "alarm:"
"""`alarm:web-5xx` passes over one alarm that rings already."""


def can_be_ignored(name: str) -> bool:
    """True for what `--ignore` may list."""
    return name in IGNORABLE or (name.startswith(BY_NAME) and name != BY_NAME)


@dataclass(frozen=True, slots=True)
class RotateRequest:
    """`image` None: the one the policy chooses. `wait` False: one tick only. `scheduled`: it is `tick` that asks, which
    waits out setbacks and starts only what can end inside the window."""

    image: str | None = None
    force: bool = False
    ignore: frozenset[str] = frozenset()
    reason: str | None = None
    wait: bool = True
    scheduled: bool = False

    @property
    def by_name(self) -> frozenset[str]:
        """The alarms that are ignored by name."""
        return frozenset(name for name in self.ignore if name.startswith(BY_NAME))

    def narrowed(self, blockers: Iterable[Blocker]) -> RotateRequest:
        """Without the names that pass over nothing: what does not ring at the start counts from the start."""
        found = {blocker.ignored_as for blocker in blockers}
        return replace(self, ignore=self.ignore - (self.by_name - found))


@dataclass(frozen=True, slots=True)
class RollbackRequest:
    """`to` None: the generation before. `now`: shift before capacity is proven, never onto zero healthy."""

    to: int | None = None
    now: bool = False
    reason: str | None = None
    wait: bool = True
