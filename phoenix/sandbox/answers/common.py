"""Parts of several services' answers: refusals, pages, a group by its name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from phoenix.sandbox.groups import Group
from phoenix.sandbox.refusal import Refusal
from phoenix.sandbox.world import World


def refuse(code: str, message: str) -> Refusal:
    """The error to raise, as AWS words it."""
    return Refusal(code, message)


def invalid(message: str) -> Refusal:
    """A ValidationError."""
    return refuse("ValidationError", message)


def group_named(world: World, name: str) -> Group:
    """The group.

    Raises:
        Refusal: there is none of that name.
    """
    group = world.scaling.groups.get(name)
    if group is None:
        raise invalid(f"AutoScalingGroup name not found - AutoScalingGroup '{name}' not found")
    return group


def page(items: Sequence[Any], token: str | None, size: int) -> tuple[list[Any], str | None]:
    """One page, and the token of the next; None after the last. A token is the position to go on from."""
    if token is not None and not token.isdigit():
        raise refuse("InvalidNextToken", "The NextToken value is not valid.")
    start = int(token or 0)
    rest = start + size
    return list(items[start:rest]), str(rest) if rest < len(items) else None
