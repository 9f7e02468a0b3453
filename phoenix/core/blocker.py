"""Blockers, which stand in the way of a start, as values. Pure; preflight and the adapters find them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Blocker:
    """Something that stands in the way of a start: what, where, and the command that mends it.

    `ignorable` is True for those that `--ignore NAME` may list, under `ignored_as` where that is not the name. A
    `warning` blocks no start. `unchecked` names what could not be looked at because of this one. One `of_rights`
    is about who asks: it stands in the way of a start by them, but a plan by a person who may only read is as good as
    any.
    """

    name: str
    where: str
    text: str
    remedy: str | None = None
    ignorable: bool = False
    warning: bool = False
    unchecked: tuple[str, ...] = ()
    of_rights: bool = False
    ignored_as: str = ""


@dataclass(frozen=True, slots=True)
class Ahead:
    """The effects of a start: how long it takes at the least, and how many more instances than now run at its peak.

    `extra` None: as many again as there are.
    """

    lasts: timedelta = timedelta(0)
    extra: int | None = None


UNKNOWN_AHEAD = Ahead()


def passed(checks: Iterable[str], found: Iterable[Blocker]) -> tuple[str, ...]:
    """The checks that were made and found nothing. A check is called like the blocker that it would yield."""
    spoiled = {name for blocker in found for name in (blocker.name, *blocker.unchecked)}
    return tuple(check for check in dict.fromkeys(checks) if check not in spoiled)
