"""`repair`: what an interrupted, a lost or a foreign rotation has left behind, shown and then undone.

Must never undo anything without a yes.
"""

from __future__ import annotations

import click

from phoenix.cli.options import takes_group
from phoenix.cli.session import Session


@click.command()
@takes_group
@click.option("--dry-run", is_flag=True, help="Only list what would be undone.")
@click.option("--adopt", is_flag=True, help="Also what another store has in flight; it is rolled back.")
@click.pass_obj
def repair(session: Session, dry_run: bool, adopt: bool) -> int:
    """Find what an interrupted or a foreign run has left, and undo it."""
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
        report = engine.repair(group, found, watch)
    return session.finish(report, summary.said(report))
