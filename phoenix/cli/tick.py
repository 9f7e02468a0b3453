"""`tick`: one pass over all groups, for cron and its mails.

Must be silent when there is nothing to say, and one group's trouble must never keep the others waiting.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click

from phoenix.cli.options import takes_group
from phoenix.cli.session import Session
from phoenix.errors import InvalidPolicy, PhoenixError

if TYPE_CHECKING:
    from phoenix.core.record import GroupRecord
    from phoenix.engine.report import Report


@dataclass(slots=True)
class _Pass:
    """What a pass has to say, group by group, and how it went."""

    documents: list[dict[str, Any]] = field(default_factory=list)
    sentences: list[str] = field(default_factory=list)
    errors: list[PhoenixError] = field(default_factory=list)

    @property
    def exit_status(self) -> int:
        """2 for an invalid policy, else 1 for a group in trouble; busy and blocked groups are neither."""
        if any(isinstance(error, InvalidPolicy) for error in self.errors):
            return 2
        return max((min(error.exit_status, 1) for error in self.errors if error.exit_status not in (4, 5)), default=0)


@click.command()
@takes_group
@click.pass_obj
def tick(session: Session) -> int:
    """Start what is due and advance what is in flight, once; for cron."""
    from phoenix.engine.tick import tick as engine
    from phoenix.views import json
    from phoenix.views.text import clean, trouble
    from phoenix.wiring import SCHEDULE

    done = _Pass()
    names = [session.options.group] if session.options.group else session.wiring.group_names()
    for name in names:
        try:
            group = session.wiring.group(name, by=SCHEDULE)
            before = group.store.load(name)
            report = engine(group)
            done.documents.append(json.report(report))
            if report.sentence and (session.options.verbose or _is_news(before, report)):
                done.sentences.append(f"{clean(name)}: {clean(report.sentence)}")
        except PhoenixError as error:
            if session.options.group and error.exit_status == 2:
                raise
            done.errors.append(error)
            done.documents.append({"group": name, **json.failure(error)})
            print("\n".join(trouble(name, error.message)), file=sys.stderr)
    if session.options.json:
        session.answer("", done.documents[0] if session.options.group else done.documents)
    elif done.sentences and not session.options.quiet:
        session.write("\n".join(done.sentences) + "\n")
    return done.exit_status


def _is_news(before: GroupRecord | None, report: Report) -> bool:
    """False for a rotation that stands where it stood: cron would send a mail a minute about a bake."""
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
