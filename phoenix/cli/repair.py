"""`repair`: show the leftovers of an interrupted, lost or foreign rotation, then undo them.

Must never undo a change without a yes.
"""

from __future__ import annotations

import click

from phoenix.cli.help import command
from phoenix.cli.options import takes_group
from phoenix.cli.session import Session


@command(
    ("phoenix repair web --dry-run", "only lists what it would undo"),
)
@takes_group
@click.option("--dry-run", is_flag=True, help="Only list the changes that it would undo.")
@click.option("--adopt", is_flag=True, help="Also the rotation that another store has in flight; it is rolled back.")
@click.pass_obj
def repair(session: Session, dry_run: bool, adopt: bool) -> int:
    """Find the leftovers of an interrupted or foreign run, and undo them."""
    from phoenix.engine import repair as engine
    from phoenix.views import json, summary

    group = session.group()
    found = engine.find_repairs(group, adopt=adopt, weights=True)
    if dry_run:
        session.answer(summary.repairs(group.name, found.texts), json.repairs(group.name, found.texts))
        return 0
    if found.texts:
        session.note(summary.repairs(group.name, found.texts))
        session.confirm(f"undo this on {group.name}?")
    with session.driving(group) as watch:
        report = engine.repair(group, found, watch, reason=session.options.reason)
    return session.finish(report, summary.said(report))
