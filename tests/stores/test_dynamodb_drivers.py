"""Many drivers at one table: exactly one of them at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from threading import Barrier
from typing import Any

import pytest

from phoenix.errors import LeaseHeld, StateConflict, TransientError
from phoenix.ports import Lease
from phoenix.stores.dynamodb import DynamoStore
from tests.stores.builders import NOON, a_record
from tests.stores.dynamo import SERVERS, Wire, a_dynamo_store, a_table

MINUTE = timedelta(minutes=1)
CONTENDERS, ROUNDS = 16, 3


@pytest.fixture(params=SERVERS)
def shared(request: pytest.FixtureRequest) -> Iterator[Callable[[], DynamoStore]]:
    """Makes another driver's way to one and the same table."""
    with ExitStack() as stack:
        aws = stack.enter_context(SERVERS[request.param]())
        name = a_table(aws)
        yield lambda: a_dynamo_store(aws, name)


def test_of_sixteen_drivers_one_gets_the_lease_each_time_and_the_epoch_rises(
    shared: Callable[[], DynamoStore],
) -> None:
    stores, start = [shared() for _ in range(CONTENDERS)], Barrier(CONTENDERS)
    won: list[Lease] = []
    with ThreadPoolExecutor(CONTENDERS) as pool:
        for turn in range(ROUNDS):
            owners = [f"driver-{turn}-{number}" for number in range(CONTENDERS)]
            contend = partial(_contend, start, NOON + turn * MINUTE)  # when the lease before has just expired
            won += [lease for lease in pool.map(contend, stores, owners) if lease is not None]

    assert [lease.epoch for lease in won] == [1, 2, 3]
    assert [shared().holds(lease) for lease in won] == [False, False, True]


def test_of_sixteen_drivers_one_saves(shared: Callable[[], DynamoStore]) -> None:
    saved, start = shared().save(a_record()), Barrier(CONTENDERS)

    def save(number: int) -> bool:
        start.wait(60)
        try:
            return bool(shared().save(replace(saved, highest_number=number)))
        except StateConflict:
            return False

    with ThreadPoolExecutor(CONTENDERS) as pool:
        assert sum(pool.map(save, range(CONTENDERS))) == 1


def test_a_lease_that_changes_under_every_try_is_given_up_for_now(aws: Wire, store: DynamoStore, table: str) -> None:
    other, turns = a_dynamo_store(Wire(aws._session), table), iter(range(100))

    def interfere(method: str, parameters: dict[str, Any], go_on: Callable[[], Any]) -> Any:
        if method == "put_item":
            other.claim("web", f"driver-{next(turns)}", NOON, MINUTE, force=True)
        return go_on()

    aws.on_call = interfere

    with pytest.raises(TransientError, match="changes hands faster"):
        store.claim("web", "ada", NOON, MINUTE, force=True)


def test_a_lease_that_is_renewed_while_another_driver_takes_it_for_expired_stays(
    aws: Wire, store: DynamoStore, table: str
) -> None:
    owners = a_dynamo_store(Wire(aws._session), table)
    lease = owners.claim("web", "ada", NOON, MINUTE)

    def interfere(method: str, parameters: dict[str, Any], go_on: Callable[[], Any]) -> Any:
        if method == "put_item":
            owners.claim("web", "ada", NOON + MINUTE, MINUTE)
        return go_on()

    aws.on_call = interfere

    with pytest.raises(LeaseHeld):
        store.claim("web", "bob", NOON + MINUTE, MINUTE)
    assert owners.holds(lease)


def _contend(start: Barrier, now: datetime, store: DynamoStore, owner: str) -> Lease | None:
    start.wait(60)
    try:
        return store.claim("web", owner, now, MINUTE)
    except LeaseHeld:
        return None
