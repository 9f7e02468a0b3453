"""A group from its tags on AWS, for a rollback that finds neither its policy nor its record.

The only place that asks AWS while it wires.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from phoenix.aws.scope import Scope
from phoenix.aws.session import Access
from phoenix.core.model import Slot
from phoenix.engine.group import Group
from phoenix.errors import PermanentError, PhoenixError, UnknownGroup
from phoenix.fleets import pair
from phoenix.ports import Store
from phoenix.wiring.base import Base, plain_kinds, plain_terms


def group_from_tags(base: Base, store: Store, name: str, trouble: PhoenixError) -> Group:
    """The group that is tagged so. `trouble` is why there is no policy, and what is raised when there are no tags.

    Raises:
        PermanentError: the tags name more or fewer than two Auto Scaling groups.
    """
    aws = base.aws(Access())
    try:
        found = sorted(pair.find_group(aws, name))
    except PhoenixError as error:
        if isinstance(trouble, UnknownGroup):  # a slip of the keyboard is likelier, and cheaper to mend
            raise trouble from error
        raise
    if not found:
        raise trouble
    if len(found) != 2:
        raise PermanentError(
            f"{len(found)} Auto Scaling groups carry the tag phoenix:group={name}, not two: {', '.join(found)}",
            hint="remove the tag where it does not belong",
        )
    scope = Scope(name, _slots_by_name(found), aws, base.clock)
    view = pair.PairFleet(scope).observe(None)
    terms = plain_terms(is_routed=any(state.target_groups for state in view.slots.values()))
    return base.bare_group(replace(scope, terms=terms), plain_kinds(terms), store)


def _slots_by_name(names: list[str]) -> Mapping[Slot, str]:
    """Tags do not say which is which, and nothing depends on it; names mostly do, so that screens read well."""
    first, second = names
    if "green" in first.lower() or "blue" in second.lower():
        first, second = second, first
    return {Slot.BLUE: first, Slot.GREEN: second}
