"""`drill`: a game day. Ends instances on purpose, and measures how long their group needs.

Must never end anything before a person, or `--yes`, has agreed to these very instances.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from phoenix.cli.help import command
from phoenix.cli.options import takes_group
from phoenix.cli.session import Session
from phoenix.cli.signals import stopping_on_signals
from phoenix.errors import PhoenixError, UsageError

if TYPE_CHECKING:
    from phoenix.core.drill import Drill
    from phoenix.engine.drill import DrillPlan, DrillRequest, WatchDrill

_SIDE_BY_SIDE = 8
_BLOCKED = 5


@command(
    ("phoenix drill web --dry-run", "which instances, and what is in the way"),
    ("phoenix drill web", "asks, ends them, and measures"),
    ("phoenix drill --all --report", "how long each group needed"),
)
@takes_group
@click.option("--instances", "count", type=click.IntRange(min=1), metavar="K",
              help="This number; default: drill.most of the policy.")  # fmt: skip
@click.option("--zone", metavar="ZONE", help="Instances of this Availability Zone only; without --instances all of it.")
@click.option("--seed", metavar="TEXT", help="Choose as the drill with this seed did.")
@click.option("--hard", is_flag=True, help="End the machines like a crash: no hooks, no draining. Needs a right more.")
@click.option("--dry-run", is_flag=True, help="Only show what would be ended, and what is in the way.")
@click.option("--no-wait", is_flag=True, help="One look only; later ticks go on measuring.")
@click.option("--report", is_flag=True, help="How long groups needed, the slowest first; ends nothing.")
@click.option("--all", "every", is_flag=True, help="With --report: all groups.")
@click.pass_obj
def drill(
    session: Session,
    count: int | None,
    zone: str | None,
    seed: str | None,
    hard: bool,
    dry_run: bool,
    no_wait: bool,
    report: bool,
    every: bool,
) -> int:
    """End instances of a group on purpose, and measure until it is whole again."""
    from phoenix.engine.drill import DrillRequest

    if every and not report:
        raise UsageError("--all is for --report: drills are started group by group")
    if report:
        return _report(session, every=every)
    if seed is not None and (not seed.isprintable() or not 1 <= len(seed) <= 64):
        raise UsageError("--seed: 1 to 64 printable letters")
    request = DrillRequest(count, zone, seed, hard, session.options.reason, wait=not no_wait)
    return _drill(session, request, dry_run=dry_run)


def _drill(session: Session, request: DrillRequest, *, dry_run: bool) -> int:
    from phoenix.engine import drill as engine
    from phoenix.views import drill as view
    from phoenix.views import json

    group = session.group()
    plan = engine.plan_drill(group, request)
    if dry_run or plan.objections or plan.drill is None:
        session.answer(view.plan(plan), view.plan_document(plan))
        return _BLOCKED if plan.objections else 0
    if not session.options.json:
        session.note(view.plan(plan))
    session.confirm(_question(plan, plan.drill))
    # The instances that were agreed to: by the same seed, unless the group has changed meanwhile.
    agreed = replace(request, seed=plan.drill.seed)
    with stopping_on_signals(group.clock):
        drilled = engine.run_drill(group, agreed, _progress(session), agreed_to=plan.drill.victims)
    session.answer(view.drill(drilled.drill), json.drill(drilled.drill))
    return 1 if drilled.drill.ending in ("failed", "stopped") else 0


def _question(plan: DrillPlan, chosen: Drill) -> str:
    return f"end {' and '.join(chosen.victims)} of {plan.group.name}?"


def _progress(session: Session) -> WatchDrill:
    said: list[str] = []

    def watch(told: Drill) -> None:
        if told.sentence not in said:
            said.append(told.sentence)
            session.note(told.sentence)

    return watch


def _report(session: Session, *, every: bool) -> int:
    """From the records alone. One that cannot be read does not hide the others."""
    from phoenix.views import drill as view

    names = session.wiring.group_names() if every else (session.group().name,)
    store = session.wiring.store()

    def read(name: str) -> view.Standing | PhoenixError:
        try:
            record = store.load(name)
        except PhoenixError as error:
            return error
        return view.standing_of(name, record.drills if record is not None else ())

    with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
        found = dict(zip(names, pool.map(read, names), strict=True))
    failures = {name: each for name, each in found.items() if isinstance(each, PhoenixError)}
    standings = [each for each in found.values() if not isinstance(each, PhoenixError)]
    shown = view.report(standings, failures, session.wiring.clock.now())
    session.answer(shown, view.report_document(standings, failures))
    return max((error.exit_status for error in failures.values()), default=0)
