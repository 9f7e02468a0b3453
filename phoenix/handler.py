"""The Lambda entry points: `sweep`, which a schedule and events start, and `advance`, which sweeps start.

Must never hold a group longer than the function lives: what is held is given back before the time is used up. Must
never take an invocation for a fact: it may come twice, late, for nothing, or at the same time as another one.
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
"""How long before its end a function begins nothing new; a shorter one keeps a third of its time."""
UNEVEN: Final = 0.2
"""How far waits are stretched or shortened: functions that started together must not call together."""
_GARBAGE_THRESHOLD: Final = 200_000
"""New objects between two garbage collections: a thousand policies are many objects, and hardly any is waste."""
MOST_LETTERS_OF_A_TIME: Final = 80
"""How much of a time that cannot be read is shown."""
_SCHEDULED: Final = frozenset({None, "aws.events", "aws.scheduler"})
"""Where events come from that bring no news but the time."""


class Context(Protocol):
    """As much of Lambda's context as is used here."""

    function_name: str
    aws_request_id: str

    def get_remaining_time_in_millis(self) -> int:
        """How long this invocation may go on."""
        ...


@dataclass(frozen=True, slots=True)
class LimitedClock:
    """A clock that asks whoever drives to stop when the time is nearly used up, as a signal would."""

    clock: Clock
    until: datetime

    @property
    def stopping(self) -> bool:
        """True once the time is up, or somebody has asked to stop."""
        return self.clock.stopping or self.clock.now() >= self.until

    def now(self) -> datetime:
        """The time now."""
        return self.clock.now()

    def elapsed(self) -> float:
        """Seconds that have passed since some moment."""
        return self.clock.elapsed()

    def sleep(self, seconds: float) -> None:
        """Wait that long, but no longer than there is time."""
        left = (self.until - self.clock.now()).total_seconds()
        self.clock.sleep(max(0.0, min(seconds, left)))


@dataclass(slots=True)
class Program:
    """What stays from one invocation to the next while the function is warm: clients, policies, what has been said."""

    wiring: Wiring
    clock: Clock
    told: set[str] = field(default_factory=set)

    def sweep(self, event: Mapping[str, Any], context: Context) -> dict[str, Any]:
        """Find who needs attention, and hand them on."""
        with self._invoked(context) as (clock, driver):
            began = self.wiring.requests()
            self.wiring.reread()
            library = self.wiring.library()
            self._tell_broken(library)
            # Where no function advances, this one does; if it stayed with one group, the others would wait for it.
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
        """Give one group what it needs now.

        Raises:
            PhoenixError: a person must look; Lambda files the invocation as failed.
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
        # The name must be nobody else's: of two who hold a lease under one name, neither would know of the other.
        group = replace(group, driver=_driver("advance"), clock=clock, poll_seconds=poll)
        try:
            report = visit(group)
        except TransientError as error:
            # The group is due again in a minute; what is still wrong by then is seen by then.
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
        """Once, not with every sweep: what is broken stays so until somebody mends it."""
        for problem in library.all_problems:
            if problem not in self.told:
                log.error("policy.broken", extra={"problem": problem})
        self.told = set(library.all_problems)


def brings_news(event: Mapping[str, Any], now: datetime) -> bool:
    """Whether idle groups are to be looked at: an image was registered, somebody asks, or a quarter of an hour is over.

    A schedule's own time counts, not that of its delivery; one that was lost costs a quarter of an hour. Without a time
    that can be read the delivery's is taken, and a warning says so: looks at idle groups may then be missed or doubled.
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
    """What a sweep has found, in numbers; how all groups stand is left out where it did not look at all of them."""
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
    """`lambda/phoenix-advance/4f1c…`; request ids repeat when Lambda does, so they would not do."""
    function = os.environ.get("AWS_LAMBDA_FUNCTION_NAME") or part
    return f"lambda/{function}/{secrets.token_hex(8)}"


_program: Program | None = None


def _warm() -> Program:
    """Made with the first invocation, so that what is wrong with the settings is said by an invocation that fails."""
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
    """Entry point: find who needs attention, and hand them on."""
    return _warm().sweep(event, context)


def advance(event: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Entry point: give one group what it needs now."""
    return _warm().advance(event, context)
