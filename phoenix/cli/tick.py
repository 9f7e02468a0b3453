"""`tick`: one pass over all groups, for cron and its mails.

Must never print without news, and never let one group's error keep the others waiting.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from phoenix.cli.errors import translate
from phoenix.cli.help import command
from phoenix.cli.options import takes_group
from phoenix.cli.session import Session
from phoenix.errors import InvalidPolicy, PhoenixError

if TYPE_CHECKING:
    from phoenix.core.record import GroupRecord
    from phoenix.engine.many.sweep import Estate
    from phoenix.engine.report import Report
    from phoenix.views import documents

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Pass:
    """The result of a pass, group by group."""

    documents: dict[str, documents.Report | documents.Failure] = field(default_factory=dict)
    sentences: dict[str, str] = field(default_factory=dict)
    errors: dict[str, PhoenixError] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    """The groups with an invalid policy; a rotation in flight goes on all the same."""

    @property
    def exit_status(self) -> int:
        """2 for an invalid policy, else 1 for a failed group; busy and blocked groups count as neither."""
        errors = self.errors.values()
        if self.broken:
            return 2
        return max((min(error.exit_status, 1) for error in errors if error.exit_status not in (4, 5)), default=0)

    def fail(self, name: str, error: PhoenixError) -> None:
        """Print a group's error at once."""
        from phoenix.views import json
        from phoenix.views.text import trouble

        if isinstance(error, InvalidPolicy):
            self.broken.add(name)
        self.errors[name] = error
        self.documents[name] = json.failed_group(name, error)
        print("\n".join(trouble(name, error.message)), file=sys.stderr)

    def fail_for_all(self, error: PhoenixError) -> None:
        """Print that idle groups could not be observed; there is no document, because it is about no single group."""
        from phoenix.core.many.limits import IDLE

        self.errors[IDLE] = error
        print(f"phoenix: the idle groups could not be looked at: {error.message}", file=sys.stderr)


@command(
    ("* * * * * phoenix tick", "in a crontab; prints only what is news"),
)
@takes_group
@click.pass_obj
def tick(session: Session) -> int:
    """Start due rotations and advance those in flight, once; for cron."""
    done = _Pass()
    name = session.options.group
    if name is not None:
        try:
            _tick_one(session, name, done)
            _say_if_broken(session, name, done)
        except PhoenixError as error:
            if error.exit_status == 2:
                raise
            done.fail(name, error)
    else:
        _tick_all(session, done)
    documents = [done.documents[each] for each in sorted(done.documents)]
    if session.options.json:
        session.answer("", documents[0] if name is not None else documents)
    elif done.sentences and not session.options.quiet:
        session.write("\n".join(done.sentences[each] for each in sorted(done.sentences)) + "\n")
    return done.exit_status


def _tick_all(session: Session, done: _Pass) -> None:
    """Tick the groups that a sweep finds in this program; of the others only the record is read, and nothing is due."""
    from phoenix.engine.many.sweep import sweep

    wiring = session.wiring
    for name in sorted(wiring.library().broken):
        with _trouble_of(name, done):
            wiring.library().find(name)

    def one(name: str, _poll_seconds: float) -> None:
        with _trouble_of(name, done):
            _tick_one(session, name, done)

    # This program advances the groups itself, even if the settings name a function.
    estate = wiring.estate(one, here=True)
    trouble = sweep(estate, idle=True).trouble
    if trouble is not None:
        done.fail_for_all(trouble)
    if session.options.json:
        done.documents |= _idle(estate, {*estate.members} - {*done.documents})


def _say_if_broken(session: Session, name: str, done: _Pass) -> None:
    """Report the broken policy of a group that went on without it: a person has to mend the file."""
    answer = done.documents[name]
    with _trouble_of(name, done):
        session.wiring.library().find(name)
    done.documents[name] = answer


def _tick_one(session: Session, name: str, done: _Pass) -> None:
    from phoenix.engine.tick import tick as engine
    from phoenix.views import json
    from phoenix.views.text import clean
    from phoenix.wiring import SCHEDULE

    group = session.wiring.group(name, by=SCHEDULE)
    before = group.store.load(name)
    report = engine(group)
    done.documents[name] = json.report(report)
    if report.sentence and (session.options.verbose or _is_news(before, report)):
        done.sentences[name] = f"{clean(name)}: {clean(report.sentence)}"


@contextmanager
def _trouble_of(name: str, done: _Pass) -> Iterator[None]:
    try:
        yield
    except PhoenixError as error:
        done.fail(name, error)
    except Exception as error:  # a defect, but this group's only; cron must report it, and the others go on
        log.exception("tick.failed", extra={"group": name})
        done.fail(name, translate(error))


def _idle(estate: Estate, names: set[str]) -> dict[str, documents.Report]:
    from phoenix.core.model import Outcome
    from phoenix.core.record import GroupRecord
    from phoenix.engine.report import Report
    from phoenix.views import json

    records, at = estate.store.load_many(sorted(names)), estate.clock.now()
    return {
        name: json.report(Report(name, at, Outcome.NONE, "", records.get(name) or GroupRecord(name))) for name in names
    }


def _is_news(before: GroupRecord | None, report: Report) -> bool:
    """False for a rotation that has not moved: cron would send a mail a minute about a bake."""
    now, then = report.record.in_flight, before.in_flight if before is not None else None
    if now is None or then is None:
        return True
    return (now.id, now.step, now.weight, now.phase, now.held) != (
        then.id,
        then.step,
        then.weight,
        then.phase,
        then.held,
    )
