"""A group that is to become a pair: its second half as a script, and the two as one server group. Reads only."""

from __future__ import annotations

from dataclasses import dataclass, replace

from phoenix.aws.session import Aws
from phoenix.errors import Blocked
from phoenix.inventory.half_facts import read_original
from phoenix.inventory.model import Account, ServerGroup
from phoenix.inventory.second_half import commands, left_behind, twin_of
from phoenix.inventory.shell import script
from phoenix.inventory.terraform import configuration
from phoenix.routers import KINDS as ROUTERS


@dataclass(frozen=True, slots=True)
class SecondHalf:
    """The script that makes it, the same as Terraform, sentences about what neither carries over, and the pair."""

    script: str
    terraform: str
    left_behind: tuple[str, ...]
    pair: ServerGroup


def second_half(aws: Aws, found: Account, group: ServerGroup) -> SecondHalf:
    """Work it out for one group.

    Raises:
        Blocked: it is a pair already, or nothing could move weights between the two.
    """
    if group.slots is not None:
        raise Blocked(f"{group.group} is a pair already: {' and '.join(group.auto_scaling_groups)}")
    kinds = {each.kind for each in group.attached}
    traffic = next(iter(kinds), "none")
    if len(kinds) > 1 or traffic not in ROUTERS:
        behind = ", ".join(sorted(f"{each.kind} {each.name}" for each in group.attached))
        raise Blocked(
            f"{group.group} is behind {behind}, where no weights can be moved between two groups",
            hint=f"phoenix init --group {group.group} writes a policy that rotates it in place",
        )
    (name,) = group.auto_scaling_groups
    if twin_of(name) in found.described:
        raise Blocked(f"there is an Auto Scaling group {twin_of(name)} already", hint="phoenix init lists all groups")
    original = read_original(aws, found.described[name])
    slots = {"blue": name, "green": twin_of(name)}
    pair = replace(group, fleet="pair", traffic=traffic, slots=slots, auto_scaling_groups=tuple(slots.values()))
    needed = commands(original, found.at)
    return SecondHalf(script(original, needed), configuration(original, needed), tuple(left_behind(original)), pair)
