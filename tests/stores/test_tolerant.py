from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from phoenix.errors import LeaseHeld, StateConflict
from phoenix.stores.tolerant import TolerantStore
from tests.fakes_store import MemoryStore
from tests.stores.builders import NOON, a_record, a_rotation

MINUTE = timedelta(minutes=1)


def test_a_store_that_works_is_used() -> None:
    real = MemoryStore()
    store = TolerantStore(real)

    saved = store.save(a_record(rotation=a_rotation()))

    assert (real.load("web"), store.load("web")) == (saved, saved)
    assert list(store.history("web")) == [saved.rotation]
    assert store.load_many(["web", "api"]) == {"web": saved}
    assert store.location == real.location


def test_a_store_that_cannot_be_read_from_the_start_is_left_out() -> None:
    real = MemoryStore()
    real.broken = True
    store = TolerantStore(real)

    assert (store.load("web"), store.location) == (None, "none")
    assert store.save(a_record()).version == 1
    assert store.claim("web", "ada", NOON, MINUTE).owner == "ada"


def test_a_store_that_fails_halfway_leaves_record_and_lease_as_they_were() -> None:
    real = MemoryStore()
    store = TolerantStore(real)
    lease = store.claim("web", "ada", NOON, MINUTE)
    saved = store.save(a_record())
    real.broken = True

    again = store.save(replace(saved, highest_number=3))

    assert (again.version, store.load("web")) == (2, again)
    assert store.holds(lease)
    assert store.lease_of("web") == lease
    store.release(lease, NOON + MINUTE)
    assert store.lease_of("web") is None
    assert store.due(NOON + MINUTE) == ["web"]


def test_refusals_are_not_failures() -> None:
    real = MemoryStore()
    real.claim("web", "bob", NOON, MINUTE)
    store = TolerantStore(real)

    with pytest.raises(LeaseHeld):
        store.claim("web", "ada", NOON, MINUTE)
    with pytest.raises(StateConflict):
        store.save(a_record(version=9))
    assert store.location == real.location


def test_without_any_store_it_goes_on_in_memory() -> None:
    store = TolerantStore(None, "phoenix.yaml is broken")

    assert store.location == "none"
    assert store.save(a_record()).version == 1
