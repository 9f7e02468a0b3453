"""Whole commands told line by line: what is looked at, saved, done, logged, sent and slept, in that order.

The stories are tests/golden/driven_*.txt. A line that moves there is a promise of the tick's order that has changed.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import groupby
from typing import Any

import pytest

from phoenix.core.model import Judgement, OnFailure
from phoenix.core.notice import Notice
from phoenix.core.record import GroupRecord
from phoenix.core.window import Calendar, Window
from phoenix.engine.control import pause, promote, resume
from phoenix.engine.group import About
from phoenix.engine.report import Report
from phoenix.engine.request import RollbackRequest, RotateRequest
from phoenix.engine.rollback import abort, rollback
from phoenix.engine.rotate import rotate
from phoenix.engine.tick import tick
from phoenix.errors import AccessDenied, Throttled
from phoenix.telemetry.spans import NoTracer
from tests.builders import ROLLING
from tests.core.telling import shown
from tests.engine.builders import CANARY, GREEN, Bench, Inbox, a_bench

Golden = Callable[[str, str], None]
NOISE = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
MINUTE = timedelta(minutes=1)


class Told:
    """Writes down whatever happens, with the time at which it does."""

    def __init__(self, bench: Bench) -> None:
        self.bench, self.lines = bench, list[str]()
        bench.group = replace(bench.group, tracer=_Spans(self), notifiers=(_Sent(self),))
        bench.fleet.before_write = self.action
        save, shift, sleep = bench.store.save, bench.router.shift, bench.clock.sleep

        def saved(record: GroupRecord) -> GroupRecord:
            found = save(record)
            rotation = found.rotation
            stage = f"{rotation.phase.value}, {rotation.outcome.value}" if rotation else "no rotation"
            self.line(f"save: {stage}")
            return found

        def shifted(action: Any, *asked: Any) -> Any:
            self.action(action)
            return shift(action, *asked)

        def slept(seconds: float) -> None:
            self.line(f"sleep {seconds:g}")
            sleep(seconds)

        bench.store.save, bench.router.shift = saved, shifted  # type: ignore[method-assign,assignment]
        bench.clock.sleep = slept  # type: ignore[method-assign]

    def line(self, text: str) -> None:
        self.lines.append(f"{self.bench.clock.now():%H:%M:%S} {text}")

    def action(self, action: Any) -> None:
        self.line(f"do {type(action).__name__} {shown(action)}")

    def report(self, report: Report) -> None:
        self.line(f"report {report.outcome.value} ({report.exit_status}): {report.sentence or '-'}")

    def text(self) -> str:
        """What happens over and over is told once, and ids and traces do not change from run to run."""
        found = re.sub(r"\bweb-(\d+)-[2-9a-z]{4}\b", r"web-\1-7k3f", "\n".join(_once(self.lines)))
        return re.sub(r"\b[0-9a-f]{32}\b", "0" * 32, found)


def _once(lines: list[str]) -> Iterator[str]:
    """The lines, without stretches between two sleeps that are as the one before, but for the time."""
    before, again = list[str](), 0
    for is_sleep, stretch in groupby(lines, key=lambda line: line[9:].startswith("sleep")):
        told = list(stretch)
        if is_sleep:
            yield from told if not again else ()
            continue
        same = [line[9:] for line in told] == before
        if again and not same:
            yield f"         (and so {again} times more)"
            yield told[0][:9] + "until"
        again = again + 1 if same else 0
        before = [line[9:] for line in told]
        yield from told if not same else ()


class _Spans(NoTracer):
    def __init__(self, told: Told) -> None:
        self.told = told

    @contextmanager
    def span(self, name: str, **facts: Any) -> Iterator[None]:
        self.told.line(f"span {name} {shown(facts)}")
        yield


class _Sent(Inbox):
    def __init__(self, told: Told) -> None:
        super().__init__()
        self.told = told

    def notify(self, notice: Notice) -> None:
        self.told.line(f"send {notice.id}: {notice.subject} | {notice.text} | {shown(notice.facts)}")


class _Logged(logging.Handler):
    def __init__(self, told: Told) -> None:
        super().__init__(logging.DEBUG)
        self.told = told

    def emit(self, record: logging.LogRecord) -> None:
        facts = {name: value for name, value in vars(record).items() if name not in NOISE}
        self.told.line(f"log {record.levelname.lower()} {record.getMessage()} {shown(facts)}")


@pytest.fixture
def tell(golden: Golden) -> Iterator[Callable[[str, Bench, Callable[[Bench, Told], None]], None]]:
    """Run something and compare its story with the golden file of that name."""
    log, handlers = logging.getLogger("phoenix.engine"), list[_Logged]()
    level = log.level

    def run(name: str, bench: Bench, happen: Callable[[Bench, Told], None]) -> None:
        told = Told(bench)
        handlers.append(_Logged(told))
        log.addHandler(handlers[-1])
        log.setLevel(logging.DEBUG)
        happen(bench, told)
        golden(f"driven_{name}", told.text())

    yield run
    log.setLevel(level)
    for handler in handlers:
        log.removeHandler(handler)


def rotated(bench: Bench, told: Told) -> None:
    told.report(rotate(bench.group, RotateRequest(), told.report))


def by_cron(bench: Bench, told: Told) -> None:
    for _ in range(40):
        told.report(tick(bench.group))
        bench.clock.sleep(60)


def there_and_back(bench: Bench, told: Told) -> None:
    told.report(rotate(bench.group, RotateRequest()))
    told.lines.clear()
    told.report(rollback(bench.group, RollbackRequest(reason="INC-1"), told.report))
    told.report(rollback(bench.group, RollbackRequest()))


def aborted(bench: Bench, told: Told) -> None:
    bench.baking()
    told.lines.clear()
    told.report(abort(bench.group, None, told.report))
    told.report(abort(bench.group, None))


def spoken_to(bench: Bench, told: Told) -> None:
    bench.baking()
    told.lines.clear()
    said = (partial(pause, bench.group, "lunch"), partial(resume, bench.group), partial(promote, bench.group))
    for say in said:
        told.report(say())
        bench.clock.at += MINUTE
        told.report(tick(bench.group))


def stumbling(bench: Bench, told: Told) -> None:
    bench.clock.when(MINUTE, lambda: setattr(bench.fleet, "fail_once", Throttled("slow down")))
    rotated(bench, told)


def refused(bench: Bench, told: Told) -> None:
    def refuse(action: Any) -> None:
        raise AccessDenied("no right to make a template version")

    bench.fleet.before_write = refuse
    rotated(bench, told)


ABOUT = About(account="123456789012", region="eu-west-1", owner="team-web", runbook="https://wiki.example.com/web")


def test_a_canary_that_is_driven_to_its_end(tell: Any) -> None:
    tell("canary", a_bench(terms={"steps": CANARY}, about=ABOUT), rotated)


def test_a_rolling_rotation_by_cron(tell: Any) -> None:
    tell("rolling_by_cron", a_bench(terms={"steps": ROLLING}, about=ABOUT), by_cron)


def test_a_bad_image_that_is_brought_back(tell: Any) -> None:
    bench = a_bench(terms={"steps": CANARY, "launch_timeout": MINUTE}, about=ABOUT)
    bench.router.all_sick_in = GREEN

    tell("bad_image", bench, rotated)


def test_a_failed_gate_that_only_pauses(tell: Any) -> None:
    bench = a_bench(terms={"on_failure": OnFailure.PAUSE})
    bench.gate.judgement, bench.gate.reason = Judgement.FAIL, "web-5xx is in ALARM"

    tell("held", bench, rotated)


def test_a_rollback_after_a_success_and_a_second_one(tell: Any) -> None:
    tell("rollback", a_bench(terms={"steps": CANARY}, about=ABOUT), there_and_back)


def test_an_abort_in_a_bake_and_a_second_one(tell: Any) -> None:
    tell("abort", a_bench(terms={"steps": CANARY}), aborted)


def test_a_pause_a_resume_and_a_promotion(tell: Any) -> None:
    tell("spoken_to", a_bench(terms={"steps": CANARY}), spoken_to)


def test_an_aws_that_is_slow_for_a_moment(tell: Any) -> None:
    tell("throttled", a_bench(), stumbling)


def test_an_aws_that_refuses(tell: Any) -> None:
    tell("refused", a_bench(), refused)


def test_a_window_that_is_closed_and_opens(tell: Any) -> None:
    bench = a_bench(calendar=Calendar((Window("20 12 * * *", timedelta(minutes=30)),)))

    tell("window", bench, by_cron)
