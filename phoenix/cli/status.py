"""`status`: the present of a group.

Must never write, not even a lease.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from shutil import get_terminal_size
from typing import TYPE_CHECKING

import click

from phoenix.cli.duration import DURATION
from phoenix.cli.help import command
from phoenix.cli.options import takes_group
from phoenix.cli.session import Session
from phoenix.cli.signals import stopping_on_signals
from phoenix.errors import Interrupted, PhoenixError, TransientError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import timedelta

    from phoenix.engine.group import Group
    from phoenix.engine.many.age import Age
    from phoenix.engine.many.roster import Together
    from phoenix.engine.report import Report
    from phoenix.views.documents import Failure, ReportWithAge

_SIDE_BY_SIDE = 8


@command(
    ("phoenix status", "all groups, a line each"),
    ("phoenix status web -v", "with each instance"),
    ("phoenix status web --watch", "until Ctrl-C"),
)
@takes_group
@click.option("--watch", is_flag=True, help="Refresh until Ctrl-C; with -o json one object a line.")
@click.option("--wait", is_flag=True, help="Wait until the rotation in flight has ended; exits as rotate would.")
@click.option("--timeout", type=DURATION, metavar="DURATION", help="Give up --wait after this time, and exit 1.")
@click.pass_obj
def status(session: Session, watch: bool, wait: bool, timeout: timedelta | None) -> int:
    """Show a group's state, the reason it waits, and the commands to type; without a group, all of them."""
    if session.options.group is None:
        if watch or wait:
            raise UsageError("--watch and --wait need a group", hint="phoenix status --watch --group GROUP")
        return _all(session)
    group = session.group()
    if watch:
        return _watch(session, group)
    if wait:
        return _wait(session, group, timeout)
    from phoenix.engine.look import look
    from phoenix.engine.outlook import with_outlook
    from phoenix.engine.trace import with_traces
    from phoenix.views import json
    from phoenix.views import status as view

    report = with_traces(group, with_outlook(group, look(group)))
    session.answer(view.render(report, verbose=session.options.verbose > 0), json.report(report))
    return 0


def _all(session: Session) -> int:
    """Return all groups, observed side by side. One that cannot be observed does not hide the others."""
    from phoenix.views import ages as age_view
    from phoenix.views import json
    from phoenix.views import status as view

    names = session.wiring.group_names()
    with session.wiring.together() as (make, read), ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
        looks = list(pool.map(partial(_look_at, make, read), names))
    seen = [found for found in looks if not isinstance(found, PhoenixError)]
    failures = [(name, found) for name, found in zip(names, looks, strict=True) if isinstance(found, PhoenixError)]
    documents: list[ReportWithAge | Failure] = [
        {**json.report(report), "age": age_view.document(age)} for report, age in seen
    ]
    documents += [json.failed_group(name, error) for name, error in failures]
    text = view.render_all([report for report, _ in seen], failures, _columns()) + age_view.render(
        [age for _, age in seen]
    )
    session.answer(text, sorted(documents, key=lambda document: str(document["group"])))
    return max((error.exit_status for _, error in failures), default=0)


def _columns() -> int:
    """The width of the terminal; pipes and files get the narrowest."""
    return get_terminal_size((80, 24)).columns if sys.stdout.isatty() else 80


def _look_at(make: Callable[[str], Group], read: Together, name: str) -> tuple[Report, Age] | PhoenixError:
    from phoenix.engine.many.age import age_of
    from phoenix.engine.many.roster import look_at

    try:
        group = make(name)
        report = look_at(group, read)
        return report, age_of(group, report)
    except PhoenixError as error:
        return error


def _watch(session: Session, group: Group) -> int:
    from phoenix.views import json, text
    from phoenix.views import status as view

    for report in _looks(session, group, closely=True):
        if session.options.json:
            print(json.dump(json.report(report), one_line=True), flush=True)
        else:
            session.screen(view.render(report), text.command("status", group.name))
    return 0


def _wait(session: Session, group: Group, timeout: timedelta | None) -> int:
    """Wait for the rotation that is in flight now; another driver drives it."""
    from phoenix.views import json
    from phoenix.views import status as view

    awaited, report = False, None
    for report in _looks(session, group, timeout):
        rotation = report.record.in_flight
        if rotation is None or rotation.held:
            break
        awaited = True
    if group.clock.stopping:
        raise Interrupted("stopped waiting; the rotation goes on", hint=f"phoenix status --group {group.name}")
    if report is None:
        raise TransientError(f"{group.name} could not be observed within {timeout}")
    session.answer(view.render(report), json.report(report))
    return _as_rotate_would(report) if awaited else 0


def _looks(
    session: Session, group: Group, timeout: timedelta | None = None, *, closely: bool = False
) -> Iterator[Report]:
    """Yield a report per poll interval, until a signal comes or the time is up. A TransientError is waited out."""
    from phoenix.engine.look import look
    from phoenix.engine.outlook import with_outlook

    give_up_at = None if timeout is None else group.clock.now() + timeout
    with stopping_on_signals(group.clock):
        while not group.clock.stopping:
            try:
                report = look(group, closely=closely)
                report = with_outlook(group, report) if closely else report
            except TransientError as error:
                session.note(f"{group.name}: {error.message}")
            else:
                yield report
            if give_up_at is not None and group.clock.now() >= give_up_at:
                return
            group.clock.sleep(group.poll_seconds)


def _as_rotate_would(report: Report) -> int:
    from phoenix.core.model import Outcome

    last = report.record.rotation
    if last is None or last.outcome is Outcome.SUCCEEDED:
        return 0
    return 3 if last.outcome is Outcome.ROLLED_BACK else 1
