"""The Lambda entry points: schedules and events start `sweep`, and sweeps start `advance`.

Must never hold a lease longer than the function lives: it is given back before the time is used up. Must never trust an
invocation: it may come twice, late, without need, or at the same time as another one.
"""

from __future__ import annotations

import gc
import logging
import os
import random
import secrets
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol

from phoenix.engine.clock import WallClock
from phoenix.engine.group import Group
from phoenix.engine.many import sweep as sweeping
from phoenix.engine.report import Report
from phoenix.engine.tick import advance as advance_group
from phoenix.engine.tick import tick as tick_group
from phoenix.errors import PhoenixError, TransientError, UsageError
from phoenix.policy.loader import Library
from phoenix.ports import Clock
from phoenix.settings import read_settings
from phoenix.wiring import SCHEDULE, Overrides, Wiring, open_wiring

log = logging.getLogger("phoenix.handler")

MARGIN: Final = timedelta(seconds=30)
"""A function starts no new work this long before its end; a short one keeps a third of its time."""
UNEVEN: Final = 0.2
"""The spread of waits: functions that started together must not call AWS together."""
_GARBAGE_THRESHOLD: Final = 200_000
"""New objects between two garbage collections: a thousand policies are many objects, and hardly any is garbage."""
MOST_LETTERS_OF_A_TIME: Final = 80
"""The length to which an unreadable time is cut in the log."""
_SCHEDULED: Final = frozenset({None, "aws.events", "aws.scheduler"})
"""Sources of events that only tell the time."""


class Context(Protocol):
    """The part of Lambda's context that is used here."""

    function_name: str
    aws_request_id: str

    def get_remaining_time_in_millis(self) -> int:
        """Return the time that this invocation has left."""
        ...


@dataclass(frozen=True, slots=True)
class LimitedClock:
    """A clock that stops the driver, as a signal would, when the time is nearly used up."""

    clock: Clock
    until: datetime

    @property
    def stopping(self) -> bool:
        """True once the time is up, or a signal has come."""
        return self.clock.stopping or self.clock.now() >= self.until

    def now(self) -> datetime:
        """The time now."""
        return self.clock.now()

    def elapsed(self) -> float:
        """Return the seconds since a fixed moment."""
        return self.clock.elapsed()

    def sleep(self, seconds: float) -> None:
        """Wait that long, or until the time is up."""
        left = (self.until - self.clock.now()).total_seconds()
        self.clock.sleep(max(0.0, min(seconds, left)))


@dataclass(slots=True)
class Program:
    """State that a warm function keeps between invocations: clients, policies, warnings already logged."""

    wiring: Wiring
    clock: Clock
    told: set[str] = field(default_factory=set)

    def sweep(self, event: Mapping[str, Any], context: Context) -> dict[str, Any]:
        """Find the groups that need attention, and hand them on."""
        with self._invoked(context) as (clock, driver):
            began = self.wiring.requests()
            self.wiring.reread()
            library = self.wiring.library()
            self._tell_broken(library)
            # Without an `advance` function this one advances the groups; if it stayed with one, the others would wait.
            estate = self.wiring.estate(lambda group, poll: self._advance(group, poll, clock, tick_group))
            estate = replace(estate, driver=driver, clock=clock)
            found = sweeping.sweep(estate, idle=brings_news(event, clock.now()), until=clock.until)
            facts = {
                "groups": len(library.groups),
                "broken": len(library.broken),
                **_facts_of(found),
                "calls": self.wiring.requests() - began,
            }
            log.info("sweep.ended", extra=facts)
            return facts

    def advance(self, event: Mapping[str, Any], context: Context) -> dict[str, Any]:
        """Advance one group.

        Raises:
            PhoenixError: a person must look; Lambda counts the invocation as failed.
        """
        name = event.get("group")
        if not isinstance(name, str) or not name:
            raise UsageError('advance wants an event such as {"group": "web"}')
        with self._invoked(context) as (clock, _):
            began = self.wiring.requests()
            self.wiring.reread()
            poll = float(event.get("poll_seconds") or self.wiring.settings.poll_seconds)
            return {**self._advance(name, poll, clock), "calls": self.wiring.requests() - began}

    def _advance(
        self, name: str, poll_seconds: float, clock: LimitedClock, visit: Callable[[Group], Report] = advance_group
    ) -> dict[str, Any]:
        poll = poll_seconds * random.uniform(1 - UNEVEN, 1 + UNEVEN)
        group = self.wiring.group(name, by=SCHEDULE)
        # The owner's name must be unique: two drivers under one name would both take the lease for theirs.
        group = replace(group, driver=_driver("advance"), clock=clock, poll_seconds=poll)
        try:
            report = visit(group)
        except TransientError as error:
            # The group is due again in a minute; the next look sees whether the trouble has passed.
            log.warning("advance.failed", extra={"group": name, "reason": error.message})
            return {"group": name, "outcome": "transient", "sentence": error.message}
        except PhoenixError as error:
            if error.exit_status in (4, 5):
                log.warning("advance.refused", extra={"group": name, "reason": error.message})
                return {"group": name, "outcome": error.code, "sentence": error.message}
            log.error("advance.failed", extra={"group": name, "reason": error.message})
            raise
        return {"group": name, "outcome": report.outcome.value, "sentence": report.sentence}

    @contextmanager
    def _invoked(self, context: Context) -> Iterator[tuple[LimitedClock, str]]:
        left = timedelta(milliseconds=context.get_remaining_time_in_millis())
        until = self.clock.now() + left - min(MARGIN, left / 3)
        try:
            yield LimitedClock(self.clock, until), _driver("sweep")
        finally:
            self.wiring.close()

    def _tell_broken(self, library: Library) -> None:
        """Log a broken policy once, not with every sweep: it stays broken until a person mends it."""
        for problem in library.all_problems:
            if problem not in self.told:
                log.error("policy.broken", extra={"problem": problem})
        self.told = set(library.all_problems)


def brings_news(event: Mapping[str, Any], now: datetime) -> bool:
    """True if this sweep looks at idle groups too: an image was registered, a person asks, or a quarter of an hour is
    over.

    The schedule's own time counts, not that of the delivery; a lost event costs a quarter of an hour. If the time
    cannot be read, the delivery's counts, and a warning says so: looks at idle groups may then be missed or doubled.
    """
    if event.get("source") not in _SCHEDULED or event.get("idle"):
        return True
    at, given = now, event.get("time")
    try:
        at = datetime.fromisoformat(str(given)).astimezone(UTC) if given is not None else now
    except ValueError:
        log.warning("sweep.time_unreadable", extra={"time": str(given)[:MOST_LETTERS_OF_A_TIME]})
    return at.minute % int(sweeping.IDLE_EVERY.total_seconds() // 60) == 0


def _facts_of(found: sweeping.Swept) -> dict[str, int]:
    """Return a sweep's result in numbers; the totals are left out if it did not look at all groups."""
    facts = {
        "due": found.due,
        "looked_at": found.looked_at,
        "invoked": len(found.invoked),
        "waiting": len(found.waiting),
        "left": found.left,
    }
    if found.standing is not None:
        facts |= {"in_flight": found.standing.in_flight, "stuck": found.standing.stuck}
        if found.standing.oldest is not None:
            facts["oldest_s"] = round(found.standing.oldest.total_seconds())
    return facts


def _driver(part: str) -> str:
    """Return an owner's name such as `lambda/phoenix-advance/4f1c…`; a retried invocation has the same request id, so
    that would not do."""
    function = os.environ.get("AWS_LAMBDA_FUNCTION_NAME") or part
    return f"lambda/{function}/{secrets.token_hex(8)}"


_program: Program | None = None


def _warm() -> Program:
    """Return the state, made with the first invocation, so that wrong settings fail an invocation and show in its
    error."""
    global _program  # noqa: PLW0603 - Lambda keeps a module from one invocation to the next, and nothing else
    if _program is None:
        gc.set_threshold(_GARBAGE_THRESHOLD)
        clock = WallClock()
        wiring = open_wiring(read_settings(), Overrides(clock=clock, driver=_driver("phoenix"), by=SCHEDULE))
        if "AWS_LAMBDA_RUNTIME_API" in os.environ:
            signal.signal(signal.SIGTERM, lambda *_: clock.stop())
        _program = Program(wiring, clock)
    return _program


def sweep(event: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Entry point: find the groups that need attention, and hand them on."""
    return _warm().sweep(event, context)


def advance(event: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Entry point: advance one group."""
    return _warm().advance(event, context)
