"""What every store keeps of those who have lost a lease, held against all of them."""

from __future__ import annotations

import socket
from datetime import timedelta

import pytest

from phoenix.core.fence import DELIVERED, SIGNED_FOR, Patience
from phoenix.ports import Lease, Store
from tests.contract.test_store_contract import MINUTE, OF_ONE_MACHINE, a_dead_pid, dynamodb, store
from tests.stores.builders import NOON

__all__ = ["dynamodb", "store"]


def fenced(lease: Lease | None) -> list[tuple[str, int]]:
    """Whose last requests may still be on their way."""
    return [(fence.owner, fence.epoch) for fence in (lease.fences if lease is not None else ())]


def test_a_lease_that_was_given_back_leaves_no_fence(store: Store) -> None:
    store.release(store.claim("web", "ada", NOON, MINUTE))

    assert fenced(store.claim("web", "bob", NOON, MINUTE)) == []


@pytest.mark.parametrize("force", [False, True])
def test_a_lease_that_was_taken_leaves_a_fence_until_aws_would_refuse_its_last_request(
    store: Store, force: bool
) -> None:
    lost = store.claim("web", "ada", NOON, MINUTE)
    now = NOON + (timedelta(seconds=10) if force else MINUTE)

    (fence,) = store.claim("web", "bob", now, MINUTE, force=force).fences

    assert (fence.owner, fence.epoch, fence.taken_at) == ("ada", lost.epoch, now)
    assert (fence.answered_by, fence.refused_from) == (lost.until + Patience().needed, lost.until + SIGNED_FOR)


def test_a_fence_outlives_the_driver_that_has_met_it(store: Store) -> None:
    store.claim("web", "ada", NOON, MINUTE)
    store.release(store.claim("web", "bob", NOON + MINUTE, MINUTE))

    assert fenced(store.claim("web", "cyd", NOON + 2 * MINUTE, MINUTE)) == [("ada", 1)]
    assert fenced(store.lease_of("web")) == [("ada", 1)]
    assert fenced(store.claim("web", "dan", NOON + 3 * MINUTE, MINUTE)) == [("ada", 1), ("cyd", 3)]


def test_a_fence_comes_to_its_end(store: Store) -> None:
    lost = store.claim("web", "ada", NOON, MINUTE)
    store.claim("web", "bob", NOON + MINUTE, MINUTE)

    renewed = store.claim("web", "bob", lost.until + SIGNED_FOR, MINUTE)

    assert fenced(renewed) == []


def test_a_driver_that_releases_a_lost_lease_takes_its_fence_away(store: Store) -> None:
    lost = store.claim("web", "ada", NOON, MINUTE)
    taken = store.claim("web", "bob", NOON, MINUTE, force=True)
    store.claim("web", "cyd", NOON, MINUTE, force=True)

    store.release(lost, due_at=NOON)

    assert fenced(store.claim("web", "cyd", NOON, MINUTE)) == [("bob", taken.epoch)]
    assert not store.due(NOON)


def test_a_driver_has_no_fence_against_itself(store: Store) -> None:
    store.claim("web", "ada", NOON, MINUTE)
    store.claim("web", "bob", NOON, MINUTE, force=True)

    assert fenced(store.claim("web", "ada", NOON, MINUTE, force=True)) == [("bob", 2)]


@pytest.mark.parametrize("store", OF_ONE_MACHINE, indirect=True)
def test_the_fence_of_a_dead_driver_of_this_machine_stands_for_seconds(store: Store) -> None:
    store.claim("web", f"{socket.gethostname()}/{a_dead_pid()}", NOON, MINUTE)

    (fence,) = store.claim("web", "bob", NOON, MINUTE).fences

    assert fence.answered_by == fence.refused_from == NOON + DELIVERED
