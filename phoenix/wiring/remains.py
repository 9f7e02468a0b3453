"""A group for a rollback from what is left of it when its policy cannot be had: its record, else its tags on AWS.

The only place that asks AWS while it wires, and only for tags, when nobody else knows the group.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from phoenix.aws.scope import Scope
from phoenix.aws.session import Access
from phoenix.core.model import Slot, Step, Terms
from phoenix.core.record import GroupRecord
from phoenix.engine.group import Group
from phoenix.errors import PermanentError, PhoenixError, UnknownGroup
from phoenix.fleets import pair
from phoenix.ports import Store
from phoenix.wiring.ground import Ground, Kinds

_FLEET = "pair"


def group_from_record(ground: Ground, store: Store, record: GroupRecord) -> Group | None:
    """None when the record does not name both Auto Scaling groups."""
    if set(record.slots) != set(Slot):
        return None
    terms = record.rotation.terms if record.rotation is not None else _plain_terms(bool(record.routes))
    scope = Scope(record.group, dict(record.slots), ground.aws(Access(region=record.region)), ground.clock, terms)
    return ground.bare_group(scope, _kinds(terms), store)


def group_from_tags(ground: Ground, store: Store, name: str, trouble: PhoenixError) -> Group:
    """The group that is tagged so. `trouble` is why there is no policy, and what is raised when there are no tags.

    Raises:
        PermanentError: the tags name more or fewer than two Auto Scaling groups.
    """
    aws = ground.aws(Access())
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
    scope = Scope(name, _slots_by_name(found), aws, ground.clock)
    view = pair.PairFleet(scope).observe(None)
    terms = _plain_terms(any(state.target_groups for state in view.slots.values()))
    return ground.bare_group(replace(scope, terms=terms), _kinds(terms), store)


def _slots_by_name(names: list[str]) -> Mapping[Slot, str]:
    """Tags do not say which is which, and nothing depends on it; names mostly do, so that screens read well."""
    first, second = names
    if "green" in first.lower() or "blue" in second.lower():
        first, second = second, first
    return {Slot.BLUE: first, Slot.GREEN: second}


def _kinds(terms: Terms) -> Kinds:
    return Kinds(_FLEET, "alb" if terms.has_traffic else "none")


def _plain_terms(balances: bool) -> Terms:
    return Terms(steps=(Step(new_capacity=100, old_capacity=0, new_weight=100),), has_traffic=balances)
