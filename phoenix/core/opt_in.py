"""Requests that ask for the candidate, and the rules of phoenix's own that send them there. Pure.

Such a rule is not weight: only requests that ask for the candidate meet it through that. It is exposure all the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class OptInKind(StrEnum):
    """The part of a request that asks."""

    HEADER = "header"
    COOKIE = "cookie"
    QUERY = "query"
    SOURCE = "source"


@dataclass(frozen=True, slots=True)
class OptIn:
    """One way to ask for the candidate; any of the `values` does. `name` is the header's, the cookie's or the query
    key's, and empty for sources, whose values are CIDR blocks."""

    kind: OptInKind
    name: str
    values: tuple[str, ...]

    def __str__(self) -> str:
        """`header X-Canary: always`."""
        name = f" {self.name}:" if self.name else ""
        return f"{self.kind.value}{name} {' or '.join(self.values)}"


@dataclass(frozen=True, slots=True)
class OptInRule:
    """A rule of ours: its ARN, and its name for people (`:443 header X-Canary: always, priority 9`)."""

    arn: str
    name: str


@dataclass(frozen=True, slots=True)
class OptIns:
    """The rules of ours that are there, and those that are wanted and are not there, in words. `stray` are there and
    not wanted."""

    rules: tuple[OptInRule, ...] = ()
    missing: tuple[str, ...] = ()
    stray: tuple[str, ...] = ()

    @property
    def are_in_place(self) -> bool:
        """True when exactly the wanted ones are there."""
        return not self.missing and not self.stray
