"""The permit to change AWS ends before its lease does, by whichever clock has moved further."""

from __future__ import annotations

from contextvars import copy_context
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from phoenix.core.fence import Patience
from phoenix.errors import LeaseRanOut
from phoenix.permit import Permit, current_permit, permitted
from phoenix.ports import Lease
from tests.builders import NOON

NEEDED = Patience().needed.total_seconds()


@dataclass
class Clocks:
    """The wall clock of a machine, and the one that counts its seconds; a test moves either."""

    at: datetime = NOON
    seconds: float = 1000.0
    stopping = False

    def now(self) -> datetime:
        return self.at

    def elapsed(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)
        self.seconds += seconds


def a_permit(clocks: Clocks, lasts: float = 60.0, *, ends: bool = True) -> Permit:
    until = clocks.at + timedelta(seconds=lasts)
    lease = Lease("web", "here/1", 1, clocks.at, until, ends=clocks.seconds + lasts if ends else None)
    return Permit(lease, clocks, Patience())


def test_a_request_may_go_out_as_long_as_it_will_be_over_before_the_lease() -> None:
    clocks = Clocks()
    permit = a_permit(clocks)

    clocks.sleep(60 - NEEDED)
    permit.check()
    clocks.sleep(0.1)

    with pytest.raises(LeaseRanOut, match="28 s of the lease of web are left, and it may be on its way for 28 s"):
        permit.check()


def test_a_wall_clock_that_is_set_back_does_not_make_the_lease_longer() -> None:
    clocks = Clocks()
    permit = a_permit(clocks)
    clocks.sleep(50)
    clocks.at -= timedelta(hours=1)

    assert permit.left() == timedelta(seconds=10)


def test_a_machine_that_was_stopped_is_told_by_its_wall_clock() -> None:
    clocks = Clocks()
    permit = a_permit(clocks)
    clocks.at += timedelta(minutes=5)

    with pytest.raises(LeaseRanOut):
        permit.check()


def test_a_lease_that_was_not_claimed_here_is_measured_by_the_wall_clock() -> None:
    clocks = Clocks()
    permit = a_permit(clocks, ends=False)
    clocks.seconds += 3600

    assert permit.left() == timedelta(seconds=60)


def test_it_holds_in_the_block_and_in_threads_that_take_its_context_along() -> None:
    permit = a_permit(Clocks())

    with permitted(permit):
        inside, aside = current_permit(), copy_context().run(current_permit)

    assert (inside, aside, current_permit()) == (permit, permit, None)
