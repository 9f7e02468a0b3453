"""What an operator, or a schedule, asks for. Values only."""

from __future__ import annotations

from dataclasses import dataclass

IGNORABLE = frozenset({"window", "freeze", "quarantine", "limit", "breaker"})
"""What `--ignore` may list."""


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


@dataclass(frozen=True, slots=True)
class RollbackRequest:
    """`to` None: the generation before. `now`: shift before capacity is proven, never onto zero healthy."""

    to: int | None = None
    now: bool = False
    reason: str | None = None
    wait: bool = True
