"""`pause`, `resume`, `promote`: a word to the rotation in flight. Its driver heeds the word with the next tick.

Must never drive a rotation themselves.
"""

from __future__ import annotations

import click

from phoenix.cli.help import command
from phoenix.cli.options import takes_group
from phoenix.cli.session import Session


@command(
    ('phoenix pause web --reason "INC-4711"', "stays where it is, and says why"),
)
@takes_group
@click.pass_obj
def pause(session: Session) -> int:
    """Stay where it is; no new starts. A failed gate still rolls back."""
    from phoenix.engine import control
    from phoenix.views import summary

    report = control.pause(session.group(), session.options.reason)
    return session.finish(report, summary.said(report))


@command(
    ("phoenix resume web", "goes on where it stood"),
)
@takes_group
@click.pass_obj
def resume(session: Session) -> int:
    """Go on after a pause, or after it was held."""
    from phoenix.engine import control
    from phoenix.views import summary

    report = control.resume(session.group(), session.options.reason)
    return session.finish(report, summary.said(report))


@command(
    ("phoenix promote web", "the next step, once its gates pass"),
    ("phoenix promote web --full", "no bake at all any more"),
)
@takes_group
@click.option("--full", is_flag=True, help="All bakes still to come, not only this one.")
@click.pass_obj
def promote(session: Session, full: bool) -> int:
    """Skip this bake, but not its gates."""
    from phoenix.engine import control
    from phoenix.views import summary

    report = control.promote(session.group(), session.options.reason, full=full)
    return session.finish(report, summary.said(report))
