"""`rollback` and `abort`: the way back.

Must never prompt, and must never need a policy or a store: its user has no time. Must never import more than the engine
before the first tick: traffic does not wait for the modules that load a policy or draw a screen.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from phoenix.cli.help import command
from phoenix.cli.options import takes_group
from phoenix.cli.session import Session
from phoenix.errors import AccessDenied, NotFound, UnknownNames

if TYPE_CHECKING:
    from phoenix.engine.group import Group
    from phoenix.engine.report import Report, Watch


@command(
    ('phoenix rollback web --reason "INC-4711"', "to the generation before"),
    ("phoenix rollback web --to 41", "to this one, made anew if need be"),
)
@takes_group
@click.option("--to", "number", type=click.IntRange(min=1), metavar="N", help="To this generation, forward if need be.")
@click.option("--now", is_flag=True, help="Shift before capacity is proven; never onto zero healthy.")
@click.option("--no-wait", is_flag=True, help="One tick only; later ticks go on.")
@click.pass_obj
def rollback(session: Session, number: int | None, now: bool, no_wait: bool) -> int:
    """Send all traffic back to the generation before. Never asks."""
    from phoenix.engine import rollback as engine
    from phoenix.engine.request import RollbackRequest

    request = RollbackRequest(to=number, now=now, reason=session.options.reason, wait=not no_wait)

    def go_back(group: Group, watch: Watch) -> Report:
        return engine.rollback(group, request, watch, session.note)

    # An older generation may have to be launched, which needs the whole policy.
    return _drive(session, go_back) if number is not None else _drive_quickly(session, go_back)


@command(
    ("phoenix abort web", "undoes the rotation in flight"),
)
@takes_group
@click.pass_obj
def abort(session: Session) -> int:
    """Undo the rotation in flight. Does nothing if there is none."""
    from phoenix.engine import rollback as engine

    def go_back(group: Group, watch: Watch) -> Report:
        return engine.abort(group, session.options.reason, watch)

    return _drive_quickly(session, go_back)


def _drive_quickly(session: Session, go_back: Callable[[Group, Watch], Report]) -> int:
    """Wire the group from its record if that suffices; the policy may have named another role or other groups since."""
    group = session.group_from_record()
    if group is None:
        return _drive(session, go_back)
    try:
        with session.driving(group) as watch:
            report = go_back(group, watch)
    except (AccessDenied, NotFound) as trouble:
        return _drive(session, go_back, gone=isinstance(trouble, UnknownNames))
    return _finish(session, report)


def _drive(session: Session, go_back: Callable[[Group, Watch], Report], *, gone: bool = False) -> int:
    group = session.group_for_rollback(gone=gone)
    with session.driving(group) as watch:
        report = go_back(group, watch)
    return _finish(session, report)


def _finish(session: Session, report: Report) -> int:
    from phoenix.views import summary

    return session.finish(report, summary.rolled_back(report))
