"""Which Auto Scaling groups look like blue and green of one server group. Pure.

Must never take two shards for a pair: groups that are told apart by a letter or a number are a pair only if one of them
is empty.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from phoenix.fleets.group_shapes import subnets_of, target_groups

_COLOURS: Final = (("blue", "green"), ("red", "black"))
_ORDINALS: Final = (("a", "b"), ("1", "2"), ("old", "new"), ("even", "odd"))
_LATER: Final = ("green", "black")
"""The colour of a second half beside one that has kept its name, as `init --as pair` makes it."""

Group = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Halves:
    """Two groups, and the name that they share."""

    stem: str
    blue: Group
    green: Group

    @property
    def fuller_first(self) -> tuple[Group, Group]:
        """The one with more instances is taken for the live one."""
        in_order = int(self.blue["DesiredCapacity"]) >= int(self.green["DesiredCapacity"])
        return (self.blue, self.green) if in_order else (self.green, self.blue)


def find_pairs(groups: Sequence[Group]) -> Iterator[Halves]:
    """Every pair among the groups; no group is in two."""
    by_name = {str(group["AutoScalingGroupName"]): group for group in groups}
    taken: set[str] = set()
    for name, group in by_name.items():
        for stem, other, told_by_colour in _mates(name):
            if other not in by_name or taken & {name, other}:
                continue
            halves = Halves(stem, group, by_name[other])
            if _is_pair(halves, told_by_colour=told_by_colour):
                taken |= {name, other}
                yield halves


def _mates(name: str) -> Iterator[tuple[str, str, bool]]:
    """What the other half could be called, with the name that the two would share, and whether a colour says so."""
    for colour in _LATER:
        yield name, f"{name}-{colour}", True
    for first, second in (*_COLOURS, *_ORDINALS):
        other = _with_word(name, first, second)
        if other is not None:
            yield _stem(name, first), other, (first, second) in _COLOURS


def _with_word(name: str, word: str, other: str) -> str | None:
    """The name with the other word in the place of this one; None if it is not in it once."""
    found = list(_places(name, word))
    return None if len(found) != 1 else name[: found[0].start()] + other + name[found[0].end() :]


def _stem(name: str, word: str) -> str:
    place = next(_places(name, word))
    rest = re.sub(r"([-_./ ])[-_./ ]+", r"\1", name[: place.start()] + name[place.end() :])
    return rest.strip("-_./ ") or name


def _places(name: str, word: str) -> Iterator[re.Match[str]]:
    return re.finditer(rf"(?<![A-Za-z0-9]){re.escape(word)}(?![A-Za-z0-9])", name)


def _is_pair(halves: Halves, *, told_by_colour: bool) -> bool:
    """Twins launch into the same subnets, and are both behind load balancers, each with target groups of its own."""
    sources = [frozenset(target_groups(each)) for each in (halves.blue, halves.green)]
    if subnets_of(halves.blue) != subnets_of(halves.green) or bool(sources[0]) != bool(sources[1]):
        return False
    if sources[0] & sources[1]:
        return False
    return told_by_colour or 0 in (int(halves.blue["DesiredCapacity"]), int(halves.green["DesiredCapacity"]))
