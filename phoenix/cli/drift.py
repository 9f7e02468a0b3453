"""`drift`: is every running instance what its generation is, and is the group as it was left?

Must never write anything. Exit status 10 says that something has diverged.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

import click

from phoenix.cli.help import command
from phoenix.cli.options import takes_group
from phoenix.cli.session import Session
from phoenix.errors import PhoenixError

if TYPE_CHECKING:
    from phoenix.engine.drift import DriftReport

DIVERGED = 10
_SIDE_BY_SIDE = 8


@command(("phoenix drift", "all groups; exit 10 if one has diverged"), ("phoenix drift web -v", "instance by instance"))
@takes_group
@click.option("--deep", is_flag=True, help="User data and protection from termination too: two calls an instance.")
@click.pass_obj
def drift(session: Session, deep: bool) -> int:
    """Compare instances with their generation, and the group with how it was left; without a group, all of them.

    Exits 10 if anything has diverged.
    """
    from phoenix.views import drift as view

    if session.options.group is None:
        return _all(session, deep)
    from phoenix.engine.drift import find_drift

    report = find_drift(session.group(), deep=deep)
    session.answer(view.render(report, verbose=session.options.verbose > 0), view.document(report))
    return DIVERGED if report.drift.diverged else 0


def _all(session: Session, deep: bool) -> int:
    """Look at all groups, several side by side. One that cannot be looked at is an error, and hides no other."""
    from phoenix.views import drift as view
    from phoenix.views import json

    names = session.wiring.group_names()
    with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
        found = dict(zip(names, pool.map(partial(_look_at, session, deep), names), strict=True))
    reports = {name: each for name, each in found.items() if not isinstance(each, PhoenixError)}
    failures = {name: each for name, each in found.items() if isinstance(each, PhoenixError)}
    documents = [
        view.document(reports[name]) if name in reports else {"group": name, **json.failure(failures[name])}
        for name in found
    ]
    session.answer(view.render_all(list(reports.values()), failures), documents)
    if failures:
        return max(error.exit_status for error in failures.values())
    return DIVERGED if any(each.drift.diverged for each in reports.values()) else 0


def _look_at(session: Session, deep: bool, name: str) -> DriftReport | PhoenixError:
    from phoenix.engine.drift import find_drift

    try:
        return find_drift(session.wiring.group(name), deep=deep)
    except PhoenixError as error:
        return error
