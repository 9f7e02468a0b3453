"""What every store promises, held against all of them, the one in memory included."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from phoenix.aws.session import Aws
from phoenix.core.model import Outcome
from phoenix.core.note import Note
from phoenix.core.tags import fitting
from phoenix.errors import LeaseHeld, StateConflict
from phoenix.ports import Store
from phoenix.stores.sqlite import SqliteStore
from tests.builders import changed
from tests.fakes_store import MemoryStore
from tests.stores.builders import NOON, a_full_record, a_record, a_rotation
from tests.stores.dynamo import SERVERS, a_dynamo_store, a_table

MINUTE = timedelta(minutes=1)


OF_ONE_MACHINE = ("memory", "sqlite")
OF_MANY_MACHINES = ("moto", "dynalite")


@pytest.fixture(scope="module")
def dynamodb() -> Iterator[Callable[[str], Aws]]:
    """DynamoDB of either kind. Both run before the first test begins: what a test starts must end with it."""
    opened: dict[str, Aws] = {}
    missing: dict[str, str] = {}

    def of_kind(kind: str) -> Aws:
        if kind in missing:
            pytest.skip(missing[kind])
        return opened[kind]

    with ExitStack() as stack:
        for kind, serve in SERVERS.items():
            try:
                opened[kind] = stack.enter_context(serve())
            except pytest.skip.Exception as skipped:
                missing[kind] = str(skipped)
        yield of_kind


@pytest.fixture(params=OF_ONE_MACHINE + OF_MANY_MACHINES)
def store(request: pytest.FixtureRequest, tmp_path: Path, dynamodb: Callable[[str], Aws]) -> Iterator[Store]:
    if request.param == "memory":
        yield MemoryStore()
    elif request.param == "sqlite":
        with closing(SqliteStore(f"sqlite:///{tmp_path}/state/phoenix.db")) as made:
            yield made
    else:
        aws = dynamodb(request.param)
        yield a_dynamo_store(aws, a_table(aws))


def test_a_group_that_was_never_saved_has_no_record(store: Store) -> None:
    assert (store.load("web"), store.lease_of("web"), list(store.history("web"))) == (None, None, [])


def test_its_location_is_one_that_a_tag_takes(store: Store) -> None:
    store.save(a_record("web"))

    assert store.location == fitting(store.location)


def test_a_saved_record_comes_back_with_its_new_version(store: Store) -> None:
    saved = store.save(a_full_record())

    assert saved == replace(a_full_record(), version=1)
    assert store.load("web") == saved


def test_groups_do_not_see_each_others_records(store: Store) -> None:
    store.save(a_record("web", highest_number=1))
    store.save(a_record("api", highest_number=2))

    assert [store.load(name).highest_number for name in ("web", "api")] == [1, 2]  # type: ignore[union-attr]


def test_many_records_are_read_at_once_and_those_that_are_not_there_are_left_out(store: Store) -> None:
    saved = {name: store.save(a_record(name)) for name in ("web", "api")}

    assert store.load_many(["web", "never-saved", "api", "web"]) == saved
    assert store.load_many([]) == {}


def test_a_save_on_an_old_version_is_refused_and_changes_nothing(store: Store) -> None:
    first = store.save(a_record())
    second = store.save(replace(first, highest_number=7))

    with pytest.raises(StateConflict):
        store.save(replace(first, highest_number=8, rotation=a_rotation("r-lost")))

    assert store.load("web") == second
    assert not store.history("web")


@pytest.mark.parametrize("version", [0, 5])
def test_a_save_that_does_not_know_the_version_is_refused(store: Store, version: int) -> None:
    store.save(a_record())

    with pytest.raises(StateConflict, match=f"past version {version}"):
        store.save(a_record(version=version))


def test_a_record_that_has_gone_cannot_be_saved_on(store: Store) -> None:
    with pytest.raises(StateConflict):
        store.save(a_record(version=3))

    assert store.load("web") is None


def test_nothing_is_noted_under_a_key_at_first(store: Store) -> None:
    assert store.note("*turn*") is None


def test_a_saved_note_comes_back_with_its_new_version(store: Store) -> None:
    first = store.save_note(Note("*turn*", at=NOON, by="us/1", text="web"))
    second = store.save_note(replace(first, text="api"))

    assert (first.version, store.note("*turn*")) == (1, second)
    assert second == Note("*turn*", version=2, at=NOON, by="us/1", text="api")


def test_of_two_drivers_that_save_a_note_at_once_one_is_refused(store: Store) -> None:
    first = store.save_note(Note("*turn*", text="web"))
    second = store.save_note(replace(first, text="api"))

    for late in (replace(first, text="db"), Note("*turn*"), Note("*other*", version=1)):
        with pytest.raises(StateConflict):
            store.save_note(late)

    assert (store.note("*turn*"), store.note("*other*")) == (second, None)


def test_the_history_holds_each_rotation_once_as_it_was_saved_last(store: Store) -> None:
    saved = store.save(a_record(rotation=a_rotation()))
    ended = a_rotation(outcome=Outcome.SUCCEEDED, ended_at=NOON + MINUTE)
    store.save(replace(saved, rotation=ended))

    assert list(store.history("web")) == [ended]


def test_a_rotation_that_goes_on_after_another_one_is_filed_once_as_it_was_saved_last(store: Store) -> None:
    first, second = a_rotation("r-1"), a_rotation("r-2", started_at=NOON + MINUTE)
    again, third = changed(first, replaced=1), a_rotation("r-3", started_at=NOON + 2 * MINUTE)
    record = a_record()
    for rotation in (first, second, again, third):
        record = store.save(replace(record, rotation=rotation))

    assert list(store.history("web")) == [third, second, again]


def test_a_rotation_that_has_left_the_record_stays_in_the_history(store: Store) -> None:
    saved = store.save(a_record(rotation=a_rotation()))
    store.save(replace(saved, rotation=None))

    assert list(store.history("web")) == [a_rotation()]


def test_the_history_is_newest_first_and_limited(store: Store) -> None:
    record = a_record()
    for number in (2, 4, 5, 3, 1):
        record = store.save(replace(record, rotation=a_rotation(f"r-{number}", started_at=NOON + number * MINUTE)))
    store.save(a_record("api", rotation=a_rotation("r-6", "api")))

    assert [rotation.id for rotation in store.history("web")] == ["r-5", "r-4", "r-3", "r-2", "r-1"]
    assert [rotation.id for rotation in store.history("web", limit=2)] == ["r-5", "r-4"]


def test_a_free_lease_is_given_for_as_long_as_asked(store: Store) -> None:
    lease = store.claim("web", "ada", NOON, MINUTE)

    assert (lease.owner, lease.epoch, lease.since, lease.until) == ("ada", 1, NOON, NOON + MINUTE)
    assert store.lease_of("web") == lease
    assert store.holds(lease)


def test_the_owner_renews_its_lease_and_keeps_the_epoch(store: Store) -> None:
    first = store.claim("web", "ada", NOON, MINUTE)

    renewed = store.claim("web", "ada", NOON + timedelta(seconds=50), MINUTE)

    assert renewed == replace(first, until=NOON + timedelta(seconds=110))
    assert store.holds(first)


def test_another_drivers_lease_is_not_given_away_before_it_expires(store: Store) -> None:
    lease = store.claim("web", "ada", NOON, MINUTE)

    with pytest.raises(LeaseHeld) as refused:
        store.claim("web", "bob", NOON + timedelta(seconds=59), MINUTE)

    assert (refused.value.owner, refused.value.since, refused.value.until) == ("ada", NOON, NOON + MINUTE)
    assert store.lease_of("web") == lease


def test_an_expired_lease_is_held_until_another_driver_takes_it(store: Store) -> None:
    lease = store.claim("web", "ada", NOON, MINUTE)

    assert store.lease_of("web") == lease
    assert store.holds(lease)

    taken = store.claim("web", "bob", NOON + MINUTE, MINUTE)

    assert taken.epoch == 2
    assert (store.holds(lease), store.holds(taken)) == (False, True)


def test_an_owner_that_took_its_lease_back_does_not_hold_the_one_it_had_before(store: Store) -> None:
    lost = store.claim("web", "ada", NOON, MINUTE)
    store.claim("web", "bob", NOON, MINUTE, force=True)

    again = store.claim("web", "ada", NOON, MINUTE, force=True)

    assert again.epoch == 3
    assert (store.holds(lost), store.holds(again)) == (False, True)


def test_force_takes_a_lease_that_has_not_expired(store: Store) -> None:
    lease = store.claim("web", "ada", NOON, MINUTE)

    taken = store.claim("web", "bob", NOON + timedelta(seconds=1), MINUTE, force=True)

    assert (taken.owner, taken.epoch, taken.since) == ("bob", 2, NOON + timedelta(seconds=1))
    assert not store.holds(lease)


def test_a_released_lease_is_free_and_its_epoch_is_never_given_again(store: Store) -> None:
    lease = store.claim("web", "ada", NOON, MINUTE)

    store.release(lease)

    assert (store.lease_of("web"), store.holds(lease)) == (None, False)
    assert store.claim("web", "ada", NOON, MINUTE).epoch == 2


def test_releasing_a_lease_that_another_driver_took_does_nothing(store: Store) -> None:
    lost = store.claim("web", "ada", NOON, MINUTE)
    taken = store.claim("web", "bob", NOON, MINUTE, force=True)

    store.release(lost)

    assert store.lease_of("web") == taken


def test_releasing_the_lease_that_one_had_before_does_nothing(store: Store) -> None:
    lost = store.claim("web", "ada", NOON, MINUTE)
    store.claim("web", "bob", NOON, MINUTE, force=True)
    again = store.claim("web", "ada", NOON, MINUTE, force=True)

    store.release(lost)

    assert store.lease_of("web") == again


@pytest.mark.parametrize("store", OF_ONE_MACHINE, indirect=True)
def test_the_lease_of_a_dead_driver_of_this_machine_is_free_at_once(store: Store) -> None:
    store.claim("web", f"{socket.gethostname()}/{a_dead_pid()}", NOON, MINUTE)

    assert store.claim("web", "bob", NOON, MINUTE).owner == "bob"


@pytest.mark.parametrize("store", OF_MANY_MACHINES, indirect=True)
def test_where_machines_share_a_store_no_driver_is_called_dead_since_two_may_have_one_name(store: Store) -> None:
    store.claim("web", f"{socket.gethostname()}/{a_dead_pid()}", NOON, MINUTE)

    with pytest.raises(LeaseHeld):
        store.claim("web", "bob", NOON, MINUTE)


def test_the_lease_of_another_machine_runs_until_it_expires(store: Store) -> None:
    store.claim("web", f"elsewhere/{a_dead_pid()}", NOON, MINUTE)

    with pytest.raises(LeaseHeld):
        store.claim("web", "bob", NOON, MINUTE)


def test_groups_have_leases_of_their_own(store: Store) -> None:
    lease = store.claim("web", "ada", NOON, MINUTE)

    store.claim("api", "bob", NOON, MINUTE)

    assert store.holds(lease)


def test_a_group_is_due_from_when_its_release_says(store: Store) -> None:
    store.release(store.claim("web", "ada", NOON, MINUTE), due_at=NOON + 5 * MINUTE)

    assert list(store.due(NOON + 5 * MINUTE - timedelta(microseconds=1))) == []
    assert list(store.due(NOON + 5 * MINUTE)) == ["web"]


def test_a_group_that_is_released_without_a_time_is_not_due_any_more(store: Store) -> None:
    store.release(store.claim("web", "ada", NOON, MINUTE), due_at=NOON)
    store.release(store.claim("web", "bob", NOON, MINUTE))

    assert list(store.due(NOON + timedelta(days=400))) == []


def test_a_group_whose_driver_died_is_due_when_its_lease_expires(store: Store) -> None:
    store.release(store.claim("web", "ada", NOON, MINUTE), due_at=NOON)
    store.claim("web", "ada", NOON, MINUTE)
    store.claim("web", "ada", NOON + timedelta(seconds=30), MINUTE)

    assert list(store.due(NOON + MINUTE)) == []
    assert list(store.due(NOON + timedelta(seconds=90))) == ["web"]


def test_a_lease_that_another_driver_took_is_not_released_into_being_due(store: Store) -> None:
    lost = store.claim("web", "ada", NOON, MINUTE)
    store.claim("web", "bob", NOON, 9 * MINUTE, force=True)

    store.release(lost, due_at=NOON)

    assert list(store.due(NOON + MINUTE)) == []


def test_the_group_that_has_been_due_longest_comes_first(store: Store) -> None:
    for name, minutes in (("web", 3), ("api", 1), ("jobs", 2), ("later", 9)):
        store.release(store.claim(name, "ada", NOON, MINUTE), due_at=NOON + minutes * MINUTE)

    assert list(store.due(NOON + 3 * MINUTE)) == ["api", "jobs", "web"]


def a_dead_pid() -> int:
    child = subprocess.Popen([sys.executable, "-S", "-c", ""])
    child.wait()
    return child.pid
