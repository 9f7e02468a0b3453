"""`taint` and `untaint`: say of a running instance that a person has changed it, or that it does not matter.

Must never tag an instance that no policy is about: nothing would ever replace it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from phoenix.cli.help import command
from phoenix.cli.options import common, named_group
from phoenix.cli.session import Session
from phoenix.errors import UsageError

if TYPE_CHECKING:
    from phoenix.views.documents import Marked

_instances = click.argument("instances", nargs=-1, required=True, metavar="INSTANCE...")


@command(('phoenix taint i-0abc --reason "INC-4711"', "the next rotation replaces it"))
@named_group
@common
@_instances
@click.option("--clear", is_flag=True, help="Take the mark away, as untaint does.")
@click.pass_obj
def taint(session: Session, instances: tuple[str, ...], clear: bool) -> int:
    """Mark instances that were changed by hand, with who, when and --reason; the next rotation replaces them.

    With rotate_when.tainted in its policy, the mark makes a rotation of the group due.
    """
    if clear:
        return _clear(session, instances)
    why = session.options.reason
    if not why:
        raise UsageError("taint needs --reason: the next person must know why")
    from phoenix.engine.taint import taint as mark

    documents: list[Marked] = []
    for name, ids in _by_group(session, instances).items():
        group = session.wiring.group(name)
        value = mark(group, ids, why)
        documents += [{"instance": each, "group": name, "tainted": True, "value": value} for each in ids]
        due = "a rotation is due" if group.rotate_when.tainted else "the next rotation replaces it"
        session.note(f"{name}: {', '.join(ids)} tainted; {due}: phoenix plan --group {name}")
    session.answer(_told(documents), documents)
    return 0


@command(("phoenix untaint i-0abc", "it stays"))
@named_group
@common
@_instances
@click.pass_obj
def untaint(session: Session, instances: tuple[str, ...]) -> int:
    """Take the mark away from instances: what was changed by hand does not matter."""
    return _clear(session, instances)


def _clear(session: Session, instances: tuple[str, ...]) -> int:
    from phoenix.engine.taint import untaint as unmark

    documents: list[Marked] = []
    for name, ids in _by_group(session, instances).items():
        unmark(session.wiring.group(name), ids)
        documents += [{"instance": each, "group": name, "tainted": False, "value": None} for each in ids]
    session.answer(_told(documents), documents)
    return 0


def _by_group(session: Session, instances: tuple[str, ...]) -> dict[str, list[str]]:
    """The instances, each once, by the name of their group, which is searched for unless it was typed."""
    ids = list(dict.fromkeys(instances))
    strange = [each for each in ids if not each.startswith("i-")]
    if strange:
        raise UsageError(f"{', '.join(strange)}: an instance's id begins with i-")
    if session.options.group is not None:
        return {session.options.group: ids}
    found: dict[str, list[str]] = defaultdict(list)
    for each, name in session.wiring.groups_of_instances(ids).items():
        found[name].append(each)
    return dict(found)


def _told(documents: Sequence[Marked]) -> str:
    words = {True: "tainted", False: "not tainted"}
    return "".join(f"{each['instance']}  {each['group']}  {words[each['tainted']]}\n" for each in documents)
