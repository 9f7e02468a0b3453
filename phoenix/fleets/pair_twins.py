"""The two Auto Scaling groups of a pair as twins: what one says of itself, said of the other. Pure.

Must never take a setting for right because both groups have it word for word: one that names the other group, or the
other's target group, works for that one only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from phoenix.fleets.group_shapes import target_groups

_SHORTEST_WORD = 3
"""Shorter ones, as in web-1 and web-2, stand for too much else."""


@dataclass(frozen=True, slots=True)
class Twins:
    """Both groups as AWS describes them."""

    live: Mapping[str, Any]
    other: Mapping[str, Any]

    @property
    def names(self) -> tuple[str, str]:
        """The live one's first."""
        return str(self.live["AutoScalingGroupName"]), str(self.other["AutoScalingGroupName"])

    @property
    def where(self) -> str:
        """As blockers call them."""
        return f"Auto Scaling groups {self.names[0]} and {self.names[1]}"

    @property
    def swapped(self) -> Twins:
        """The other way round."""
        return Twins(self.other, self.live)

    def carried_over(self, value: Any) -> Any:
        """The live group's setting as the other group has to have it: with its name, its target groups, its colour."""
        return _mapped(value, self._identities() | self._colours())

    def alike(self, live: Any, other: Any) -> bool:
        """True when the other one's setting does for it what the live one's does for the live one."""
        if isinstance(live, Mapping) and isinstance(other, Mapping):
            return all(self.alike(live.get(key), other.get(key)) for key in {*live, *other})
        if isinstance(live, list | tuple) and isinstance(other, list | tuple):
            return len(live) == len(other) and all(map(self.alike, live, other))
        return other in (_mapped(live, self._identities()), self.carried_over(live))

    def names_the_other(self, value: Any) -> bool:
        """True when a setting of the live one is about the other."""
        mine_by_theirs = self.swapped._identities()
        # Its own stay: the name of the one may begin with the name of the other.
        words = {mine: mine for mine in mine_by_theirs.values()} | dict.fromkeys(mine_by_theirs, "")
        return bool(_mapped(value, words) != value)

    def _identities(self) -> dict[str, str]:
        """The live one's name, ARN parts and target groups by what stands for them on the other."""
        groups = [sorted(_label(arn) for arn in target_groups(each)) for each in (self.live, self.other)]
        paired = dict(zip(*groups, strict=True)) if len(groups[0]) == len(groups[1]) else {}
        return dict([self.names]) | {mine: theirs for mine, theirs in paired.items() if mine != theirs}

    def _colours(self) -> dict[str, str]:
        """The part in which the names differ: blue and green of web-blue and web-green."""
        words = [re.split(r"[^A-Za-z0-9]+", name) for name in self.names]
        if len(words[0]) != len(words[1]):
            return {}
        differing = [pair for pair in zip(*words, strict=True) if pair[0] != pair[1]]
        is_word = len(differing) == 1 and all(len(w) >= _SHORTEST_WORD and w.isalpha() for w in differing[0])
        return dict(differing) if is_word else {}


def _label(arn: str) -> str:
    """`targetgroup/web-blue/73e2d6bc24d8a067`, as it stands in ARNs, in dimensions and in a ResourceLabel."""
    return arn.rsplit(":", 1)[-1]


def _mapped(value: Any, words: Mapping[str, str]) -> Any:
    if isinstance(value, Mapping):
        return {key: _mapped(each, words) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_mapped(each, words) for each in value]
    return _replaced(value, words) if isinstance(value, str) else value


def _replaced(text: str, words: Mapping[str, str]) -> str:
    """All at once and whole words only: web and web-next may be the names of a pair."""
    known: Sequence[str] = sorted({*words, *words.values()} - {""}, key=len, reverse=True)
    if not known:
        return text
    pattern = "|".join(map(re.escape, known))
    return re.sub(rf"(?<![A-Za-z0-9])(?:{pattern})(?![A-Za-z0-9])", lambda m: words.get(m[0], m[0]), text)
