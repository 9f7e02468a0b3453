"""`rollback` and `abort`: the way back.

Must never prompt, and must need neither a policy nor a store: whoever types this has no time.
"""

from __future__ import annotations

import click

from phoenix.cli.options import takes_group
from phoenix.cli.session import Session


@click.command()
@takes_group
@click.option("--to", "number", type=click.IntRange(min=1), metavar="N", help="To this generation, forward if need be.")
@click.option("--now", is_flag=True, help="Shift before capacity is proven; never onto zero healthy.")
@click.option("--no-wait", is_flag=True, help="One tick only; later ticks go on.")
@click.pass_obj
def rollback(session: Session, number: int | None, now: bool, no_wait: bool) -> int:
    """Send all traffic back to the generation before. Never asks."""
    from phoenix.engine import rollback as engine
    from phoenix.engine.request import RollbackRequest
    from phoenix.views import summary

    group = session.group_for_rollback()
    request = RollbackRequest(to=number, now=now, reason=session.options.reason, wait=not no_wait)
    with session.driving(group) as watch:
        report = engine.rollback(group, request, watch)
    return session.finish(report, summary.rolled_back(report))


@click.command()
@takes_group
@click.pass_obj
def abort(session: Session) -> int:
    """Undo the rotation in flight. Does nothing if there is none."""
    from phoenix.engine import rollback as engine
    from phoenix.views import summary

    group = session.group_for_rollback()
    with session.driving(group) as watch:
        report = engine.abort(group, session.options.reason, watch)
    return session.finish(report, summary.rolled_back(report))
