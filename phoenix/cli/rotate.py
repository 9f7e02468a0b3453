"""`rotate`, `plan`, `retry`: the way forward, or a preview of it.

Must never prompt for anything but `--ignore` and `retry`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from phoenix.cli.completion import complete_ignored, complete_image
from phoenix.cli.help import command
from phoenix.cli.options import takes_group
from phoenix.cli.session import Session
from phoenix.errors import PhoenixError, UsageError

if TYPE_CHECKING:
    from phoenix.engine.report import Plan
    from phoenix.engine.request import RotateRequest

DUE = 10
BLOCKED = 5
_FROM_GOOD_TO_BAD = (0, DUE, BLOCKED, 4, 3, 2, 1, 130)
SIDE_BY_SIDE = 8
"""The number of groups planned at once."""

_image = click.option(
    "--image", metavar="AMI", help="Use this image, whatever its name, tags and age.", shell_complete=complete_image
)
_force = click.option("--force", is_flag=True, help="Start although nothing is due, or with an older image.")
_ignore = click.option(
    "--ignore",
    metavar="NAMES",
    multiple=True,
    shell_complete=complete_ignored,
    help="window, freeze, quarantine, limit, breaker, or alarm:NAME for one that rings already; with --reason. Asks on"
    " a terminal.",
)
_no_wait = click.option("--no-wait", is_flag=True, help="One tick only; later ticks go on.")


@command(
    ("phoenix rotate web", "follows it to its end; Ctrl-C is safe"),
    ("phoenix rotate web --force", "although nothing is due"),
)
@takes_group
@_image
@_force
@_ignore
@click.option("--dry-run", is_flag=True, help="Only show the plan; the same as plan.")
@_no_wait
@click.pass_obj
def rotate(
    session: Session, image: str | None, force: bool, ignore: tuple[str, ...], dry_run: bool, no_wait: bool
) -> int:
    """Start a rotation if one is due, and follow it to the end of its last bake."""
    request = _request(session, image, force, ignore)
    if dry_run:
        return _plan(session, request, detailed=False)
    if request.ignore:
        session.confirm(f"start although {' and '.join(sorted(request.ignore))} would forbid it?")
    from phoenix.engine import rotate as engine
    from phoenix.views import summary

    group = session.group()
    with session.driving(group) as watch:
        report = engine.rotate(group, replace(request, wait=not no_wait), watch)
    return session.finish(report, summary.rotated(report))


@command(
    ("phoenix plan web", "steps, cost, and all that is in the way"),
    ("phoenix plan --detailed-exitcode", "for CI: 10 if a rotation is due"),
)
@takes_group
@_image
@_force
@_ignore
@click.option("--detailed-exitcode", is_flag=True, help="Exit 10 if a rotation is due, 0 if not.")
@click.option("--calls", is_flag=True, help="Also list the calls that would change AWS, with all their parameters.")
@click.pass_obj
def plan(
    session: Session, image: str | None, force: bool, ignore: tuple[str, ...], detailed_exitcode: bool, calls: bool
) -> int:
    """Show the effects of a rotation, its reasons and its blockers; without a group, a line for each. Changes
    nothing."""
    request = _request(session, image, force, ignore, asks=False)
    if session.options.group is None and image is None:
        if calls:
            raise UsageError("--calls needs a group", hint="phoenix plan --calls --group GROUP")
        return _plan_all(session, request, detailed=detailed_exitcode)
    return _plan(session, request, detailed=detailed_exitcode, calls=calls)


@command(
    ("phoenix retry web", "asks first; --yes answers"),
)
@takes_group
@_no_wait
@click.pass_obj
def retry(session: Session, no_wait: bool) -> int:
    """Rotate once more to the image that was rolled back, and release its quarantine."""
    from phoenix.engine import control
    from phoenix.engine.request import RotateRequest
    from phoenix.views import summary

    group = session.group()
    image = control.retry_image(group)
    session.confirm(f"rotate {group.name} once more to {image}, which was rolled back?")
    request = RotateRequest(reason=session.options.reason, wait=not no_wait)
    with session.driving(group) as watch:
        report = control.retry(group, request, watch)
    return session.finish(report, summary.rotated(report))


def _plan(session: Session, request: RotateRequest, *, detailed: bool, calls: bool = False) -> int:
    from phoenix.engine.plan import make_plan
    from phoenix.views import json_plan
    from phoenix.views import plan as view

    told = make_plan(session.group(), request)
    verbose = session.options.verbose > 0
    manner = view.Manner(verbose=verbose, calls=calls, asked=_asked(request), width=session.width)
    session.answer(view.render(told, manner), json_plan.plan(told, _asked(request)))
    return _status_of(told, detailed=detailed)


def _plan_all(session: Session, request: RotateRequest, *, detailed: bool) -> int:
    """Plan all groups, several side by side. One that cannot be planned does not hide the others. The worst status is
    the command's: an error before a blocker, a blocker before a rotation that is due."""
    from concurrent.futures import ThreadPoolExecutor
    from functools import partial

    from phoenix.views import json, json_plan
    from phoenix.views import plan as view

    names = session.wiring.group_names()
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        found = dict(zip(names, pool.map(partial(_planned, session, request), names), strict=True))
    documents = [
        json.failed_group(name, each) if isinstance(each, PhoenixError) else json_plan.plan(each)
        for name, each in found.items()
    ]
    session.answer(view.render_all(found), documents)
    statuses = [
        each.exit_status if isinstance(each, PhoenixError) else _status_of(each, detailed=detailed)
        for each in found.values()
    ]
    return max(statuses, key=_FROM_GOOD_TO_BAD.index, default=0)


def _planned(session: Session, request: RotateRequest, name: str) -> Plan | PhoenixError:
    from phoenix.engine.plan import make_plan

    try:
        return make_plan(session.wiring.group(name), request)
    except PhoenixError as error:
        return error


def _status_of(told: Plan, *, detailed: bool) -> int:
    # Blockers that can be ignored matter only to a start, and there is none if nothing is due.
    if any(told.due or not blocker.ignorable for blocker in told.in_the_way):
        return BLOCKED
    return DUE if told.due and detailed else 0


def _asked(request: RotateRequest) -> str:
    """Return the options, besides the image, without which the planned start would be blocked."""
    import shlex

    force = ["--force"] if request.force else []
    if not request.ignore:
        return " ".join(force)
    reason = shlex.quote(request.reason) if request.reason else '"..."'
    return " ".join([*force, "--ignore", shlex.quote(",".join(sorted(request.ignore))), "--reason", reason])


def _request(
    session: Session, image: str | None, force: bool, ignore: tuple[str, ...], *, asks: bool = True
) -> RotateRequest:
    from phoenix.engine.request import IGNORABLE, RotateRequest, can_be_ignored

    names = frozenset(name.strip() for several in ignore for name in several.split(",") if name.strip())
    if unknown := sorted(name for name in names if not can_be_ignored(name)):
        known = f"{', '.join(sorted(IGNORABLE))} and alarm:NAME"
        raise UsageError(f"--ignore {', '.join(unknown)}: only {known} can be ignored")
    if names and asks and not session.options.reason:
        raise UsageError("--ignore needs --reason: the next person must know why")
    return RotateRequest(image=image, force=force, ignore=names, reason=session.options.reason)
