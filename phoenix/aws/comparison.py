"""Compare two of AWS's descriptions member by member, by a table with the meaning of each difference. Pure.

Must never skip a member that the table does not know: a member that AWS adds tomorrow is compared as well.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final


class Severity(StrEnum):
    """The weight of a difference. `apart`: it is meant to differ, or another check judges it."""

    BLOCKS = "blocks"
    WARNS = "warns"
    APART = "apart"


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a description.

    `why` is the consequence of a difference, or the reason not to compare. `option` is the AWS CLI's name for the
    member. `default` is the value that AWS means if it shows none, and that clears the member if written. `canonical`
    makes two spellings of one value equal.
    """

    severity: Severity
    why: str
    option: str | None = None
    default: Any = None
    canonical: Callable[[Any], Any] = lambda value: value


UNKNOWN: Final = Member(Severity.WARNS, "phoenix does not know what hangs on it")


@dataclass(frozen=True, slots=True)
class Difference:
    """A member that differs between the two descriptions."""

    key: str
    member: Member
    live: Any
    other: Any

    @property
    def text(self) -> str:
        """`Matcher is {"HttpCode":"200"} and {"HttpCode":"200-499"}`: the live one first."""
        return f"{self.key} is {shown(self.live)} and {shown(self.other)}"

    @property
    def option(self) -> str | None:
        """The AWS CLI's words that give the other side the live value; None if there are none."""
        if self.member.option is None or self.live is None:
            return None
        if isinstance(self.live, bool):
            return self.member.option if self.live else self.member.option.replace("--", "--no-", 1)
        if isinstance(self.live, list | tuple):
            return " ".join([self.member.option, *(shlex.quote(str(value)) for value in self.live)])
        written = json_of(self.live) if isinstance(self.live, Mapping) else str(self.live)
        return f"{self.member.option} {shlex.quote(written)}"


def differences(table: Mapping[str, Member], live: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[Difference]:
    """Return every difference that is not judged apart, in alphabetical order."""
    for key in sorted({*live, *other}):
        member = table.get(key, UNKNOWN)
        mine, theirs = (_or_default(each.get(key), member.default) for each in (live, other))
        if member.severity is not Severity.APART and member.canonical(mine) != member.canonical(theirs):
            yield Difference(key, member, mine, theirs)


def _or_default(value: Any, default: Any) -> Any:
    """True if AWS means "not set": it shows that as nothing, as an empty text, or as an empty list."""
    return default if value in (None, "", [], {}) else value


def shown(value: Any) -> str:
    """A value for people."""
    if value in (None, "", [], {}):
        return "not set"
    return json_of(value) if isinstance(value, Mapping | list | tuple) else str(value)


def json_of(value: Any) -> str:
    """Compact JSON, times as AWS takes them."""
    return json.dumps(value, separators=(",", ":"), default=lambda other: other.isoformat())
