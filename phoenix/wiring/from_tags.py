"""A group from its tags on AWS, for a rollback that finds neither its policy nor its record.

The only place that asks AWS while it wires.
"""

from __future__ import annotations

from dataclasses import replace

from phoenix import fleets, routers
from phoenix.aws.scope import Scope
from phoenix.aws.session import Access
from phoenix.engine.group import Group
from phoenix.errors import PermanentError, PhoenixError, UnknownGroup, UsageError
from phoenix.fleets import group_marks
from phoenix.ports import Store
from phoenix.wiring.base import Base, Kinds, plain_terms


def group_from_tags(base: Base, store: Store, name: str, trouble: PhoenixError) -> Group:
    """The group that is tagged so. `trouble` is why there is no policy, and what is raised when there are no tags.

    Raises:
        PermanentError: the tags name more than two Auto Scaling groups.
    """
    aws = base.aws(Access())
    try:
        found = group_marks.groups_tagged(aws, name)
    except PhoenixError as error:
        if isinstance(trouble, UnknownGroup):  # a slip of the keyboard is likelier, and cheaper to mend
            raise trouble from error
        raise
    if not found and type(trouble) is UsageError:  # as from a folder without policies: the name may be wrong as well
        told = f"{trouble.message}, and no Auto Scaling group here has the tag phoenix:group={name}"
        raise UsageError(told, hint=trouble.hint) from trouble
    if not found:
        raise trouble
    made = fleets.kind_of(found)
    if made is None:
        raise PermanentError(
            f"{len(found)} Auto Scaling groups carry the tag phoenix:group={name}, not one or two: {', '.join(found)}",
            hint="remove the tag where it does not belong",
        )
    kind, slots = made
    scope = Scope(name, slots, aws, base.clock)
    view = fleets.KINDS[kind](scope).observe(None)
    sources = {slot: state.sources for slot, state in view.slots.items()}
    terms = plain_terms(kind, is_routed=any(sources.values()))
    router = routers.kind_behind(terms.serving, aws, sources)
    return base.bare_group(replace(scope, terms=terms), Kinds(kind, router), store)
