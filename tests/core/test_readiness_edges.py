"""Readiness without a load balancer, with warnings, and where AWS would not launch what has to grow first."""

from __future__ import annotations

from dataclasses import replace

import pytest

from phoenix.core.blocker import Blocker
from phoenix.core.model import NO_TRAFFIC, Slot
from phoenix.core.readiness import Revival, RollbackReady, percent_of, rollback_readiness, with_blockers
from tests.builders import a_generation, a_record, a_rotation, a_slot, an_observation, some_terms

OLD = a_generation(41)
REVIVAL = Revival(OLD, healthy=1, needed=4, missing=3)
GROWS = RollbackReady(True, "41 has 1 of 4 healthy: it grows first", revival=REVIVAL)


@pytest.mark.parametrize(
    ("healthy", "expected"),
    [
        (4, RollbackReady(True, "41 has 4 of 4; no load balancer: 42 is let go at once", at_once=True)),
        (1, RollbackReady(True, "41 has 1 of 4; no load balancer: it grows first", revival=Revival(OLD, 1, 4, 3))),
    ],
)
def test_without_a_load_balancer_it_lets_go_at_once_or_grows_first(healthy: int, expected: RollbackReady) -> None:
    rotation = a_rotation(terms=some_terms(serving=NO_TRAFFIC))
    seen = an_observation(a_slot(healthy=healthy), a_slot(Slot.GREEN, 4, "2"), routes=())

    assert rollback_readiness(a_record(rotation), seen) == expected


def test_what_cannot_be_launched_is_said_with_every_reason_and_the_first_remedy() -> None:
    quota = Blocker("quota", "vCPU", "3 more than the quota.")
    gone = Blocker("image-gone", "ami-1", "ami-1 is gone.", "restore it")

    assert with_blockers(GROWS, [quota, gone]) == RollbackReady(
        False,
        "41 has 1 of 4 healthy and cannot grow: 3 more than the quota. ami-1 is gone. --now leaves 25 %.",
        revival=REVIVAL,
        remedy="restore it",
    )
    assert with_blockers(GROWS, [quota]).remedy is None


def test_what_could_not_be_checked_is_listed_and_stands_in_nobodys_way() -> None:
    denied = [Blocker("not-checked", where, "denied", warning=True) for where in ("vCPU quota", "image")]

    assert with_blockers(GROWS, denied) == replace(GROWS, why=f"{GROWS.why}; not checked: vCPU quota, image")
    assert with_blockers(GROWS, []) == GROWS


def test_per_cent_of_nothing_is_nothing() -> None:
    assert [percent_of(1, 1), percent_of(1, 3), percent_of(0, 0), percent_of(1, 0)] == [100, 33, 0, 100]
