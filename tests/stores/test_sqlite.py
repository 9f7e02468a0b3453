from __future__ import annotations

import multiprocessing
import multiprocessing.synchronize
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from multiprocessing.queues import Queue
from pathlib import Path

import pytest

from phoenix.core.record import GroupRecord
from phoenix.core.tags import fitting
from phoenix.errors import LeaseHeld, StateConflict, StoreError, UsageError
from phoenix.stores import default_path, open_store
from phoenix.stores.sqlite import SqliteStore
from phoenix.stores.sqlite_file import SCHEMA_VERSION
from tests.stores.builders import NOON, a_full_record, a_record

MINUTE = timedelta(minutes=1)
CONTENDERS = 8


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "phoenix" / "phoenix.db"


@pytest.fixture
def open_at() -> Iterator[Callable[[Path], SqliteStore]]:
    opened: list[SqliteStore] = []

    def open_one(path: Path) -> SqliteStore:
        opened.append(SqliteStore(f"sqlite:///{path}"))
        return opened[-1]

    yield open_one
    for store in opened:
        store.close()


@pytest.fixture
def store(path: Path, open_at: Callable[[Path], SqliteStore]) -> SqliteStore:
    return open_at(path)


def test_reading_creates_neither_file_nor_folder(store: SqliteStore, tmp_path: Path) -> None:
    lease = SqliteStore(f"sqlite:///{tmp_path}/other.db").claim("web", "ada", NOON, MINUTE)

    assert (store.load("web"), store.lease_of("web"), store.history("web")) == (None, None, [])
    assert not store.holds(lease)
    store.release(lease)
    assert not (tmp_path / "state").exists()


def test_files_and_folders_are_for_their_owner_only(store: SqliteStore, path: Path) -> None:
    before = os.umask(0)
    try:
        store.save(a_record())
    finally:
        os.umask(before)

    modes = {place.name: place.stat().st_mode & 0o777 for place in (path.parent.parent, path.parent, path)}
    assert modes == {"state": 0o700, "phoenix": 0o700, "phoenix.db": 0o600}
    assert {other.stat().st_mode & 0o777 for other in path.parent.iterdir()} == {0o600}


def test_a_save_is_on_disk_when_it_returns(store: SqliteStore) -> None:
    store.save(a_record())

    connection = store._file.open()
    assert connection is not None
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL


def test_another_driver_reads_what_was_saved(path: Path, open_at: Callable[[Path], SqliteStore]) -> None:
    saved = open_at(path).save(a_full_record())

    assert open_at(path).load("web") == saved


def test_the_location_is_the_same_for_everybody_and_after_a_move(
    path: Path, tmp_path: Path, open_at: Callable[[Path], SqliteStore]
) -> None:
    first = open_at(path)
    first.save(a_record())
    first.close()

    moved = open_at(path.rename(tmp_path / "elsewhere.db"))
    moved.load("web")

    assert moved.location == first.location
    assert str(path) in first.location


def test_two_stores_at_the_same_path_have_different_locations(
    path: Path, open_at: Callable[[Path], SqliteStore]
) -> None:
    assert open_at(path).location != open_at(path).location


def test_the_location_of_a_store_deep_down_fits_into_a_tag_and_its_neighbours_is_another_place(
    tmp_path: Path, open_at: Callable[[Path], SqliteStore]
) -> None:
    deep = tmp_path.joinpath(*["deeper"] * 40)

    one, other = (open_at(deep / name).location for name in ("web.db", "api.db"))

    assert max(len(one), len(other)) <= 200
    assert one.partition("@")[2] != other.partition("@")[2]


def test_a_location_that_no_tag_takes_is_told_as_one_that_a_tag_takes(
    path: Path, open_at: Callable[[Path], SqliteStore]
) -> None:
    open_at(path).save(a_record())
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE place SET location = ?", ("sqlite://mine, not yours" * 20,))
    store = open_at(path)
    store.load("web")

    assert store.location == fitting("sqlite://mine, not yours" * 20)


def test_a_store_that_was_replaced_under_us_is_noticed(store: SqliteStore, path: Path) -> None:
    saved = store.save(a_record())
    path.unlink()

    assert store.load("web") is None
    with pytest.raises(StateConflict):
        store.save(saved)


def test_an_empty_file_is_as_good_as_none(store: SqliteStore, path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.touch()

    assert store.load("web") is None
    assert store.save(a_record()).version == 1


def test_the_log_of_a_store_that_was_removed_is_not_played_into_a_new_one(
    path: Path, open_at: Callable[[Path], SqliteStore]
) -> None:
    removed = open_at(path)
    removed.save(a_record("web"))
    path.unlink()

    fresh = open_at(path)
    fresh.save(a_record("api"))

    assert fresh.load("web") is None


def test_what_is_no_database_is_named_in_one_sentence(store: SqliteStore, path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_text("not a database at all, but long enough to be looked at as one" * 20)

    with pytest.raises(StoreError, match=r"phoenix\.db is not an SQLite database: name another"):
        store.load("web")


def test_a_damaged_file_is_named_in_one_sentence(path: Path, open_at: Callable[[Path], SqliteStore]) -> None:
    first = open_at(path)
    first.save(a_full_record())
    first.close()
    path.write_bytes(path.read_bytes()[:4096] + b"\xff" * 4096 * 8)

    with pytest.raises(StoreError, match=r"phoenix\.db is damaged: restore a copy"):
        open_at(path).load("web")


def test_a_record_that_cannot_be_read_names_the_file(store: SqliteStore, path: Path) -> None:
    store.save(a_record())
    _execute(path, "UPDATE records SET written = '{'")

    with pytest.raises(StoreError, match=r"a record in .*phoenix\.db cannot be read"):
        store.load("web")


def test_another_programs_database_is_left_alone(store: SqliteStore, path: Path) -> None:
    path.parent.mkdir(parents=True)
    _execute(path, "CREATE TABLE theirs (x)")

    with pytest.raises(StoreError, match="is another program's database"):
        store.save(a_record())


def test_a_store_of_a_newer_version_is_not_touched(store: SqliteStore, path: Path) -> None:
    store.save(a_record())
    store.close()
    _execute(path, "PRAGMA user_version = 99")

    with pytest.raises(StoreError, match="made by a newer version of phoenix: upgrade"):
        store.load("web")


def test_a_store_of_the_version_before_is_read_as_it_is_and_upgraded_by_a_driver(
    path: Path, open_at: Callable[[Path], SqliteStore]
) -> None:
    saved = a_store_of_version_1(open_at(path), path)

    assert open_at(path).load("web") == saved
    assert _version(path) == 1
    assert open_at(path).claim("web", "bob", NOON, MINUTE).epoch == 2
    assert _version(path) == SCHEMA_VERSION


def test_every_group_of_an_older_store_is_looked_at_once(path: Path, open_at: Callable[[Path], SqliteStore]) -> None:
    a_store_of_version_1(open_at(path), path)

    assert open_at(path).due(NOON + MINUTE) == ["web"]


def test_a_lease_that_a_version_without_fences_has_written_is_read_and_taken_over(
    path: Path, open_at: Callable[[Path], SqliteStore]
) -> None:
    store = open_at(path)
    lost = store.claim("web", "ada", NOON, MINUTE)
    store.close()
    for statement in ("ALTER TABLE leases DROP COLUMN fences", "PRAGMA user_version = 2"):
        _execute(path, statement)

    assert open_at(path).lease_of("web") == lost
    assert [fence.owner for fence in open_at(path).claim("web", "bob", NOON + MINUTE, MINUTE).fences] == ["ada"]
    assert _version(path) == SCHEMA_VERSION


def test_a_locked_store_is_named_in_one_sentence(store: SqliteStore, path: Path) -> None:
    saved = store.save(a_record())
    store._file.open().execute("PRAGMA busy_timeout = 1")  # type: ignore[union-attr]
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(StoreError, match=r"phoenix\.db is locked by another program"):
        store.save(saved)

    other.close()
    assert store.save(saved).version == 2


def test_a_folder_where_the_store_should_be_is_an_error(store: SqliteStore, path: Path) -> None:
    path.mkdir(parents=True)

    with pytest.raises(StoreError, match=r"phoenix\.db cannot be opened: check the permissions"):
        store.load("web")


def test_a_file_where_the_folder_should_be_is_an_error(store: SqliteStore, path: Path) -> None:
    path.parent.parent.write_text("in the way")

    with pytest.raises(StoreError, match=r"phoenix\.db cannot be used: Not a directory"):
        store.save(a_record())


def test_of_many_drivers_exactly_one_gets_the_lease_of_a_store_yet_to_be_made(path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    start, answers = context.Barrier(CONTENDERS), context.Queue()
    contenders = [context.Process(target=_contend, args=(str(path), n, start, answers)) for n in range(CONTENDERS)]
    for contender in contenders:
        contender.start()

    said = sorted(answers.get(timeout=60) for _ in contenders)
    for contender in contenders:
        contender.join(timeout=60)

    assert said == ["held"] * (CONTENDERS - 1) + ["won"]


def test_stores_are_opened_by_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    open_store("sqlite:///near/p.db", {}).save(a_record("near"))
    open_store(f"sqlite:///{tmp_path}/far.db", {}).save(a_record("far"))

    assert (tmp_path / "near" / "p.db").exists()
    assert (tmp_path / "far.db").exists()


def test_the_default_store_is_in_the_state_folder(tmp_path: Path) -> None:
    open_store(None, {"XDG_STATE_HOME": str(tmp_path)}).save(a_record())

    assert (tmp_path / "phoenix" / "phoenix.db").exists()
    assert default_path({"XDG_STATE_HOME": "relative"}) == Path.home() / ".local/state/phoenix/phoenix.db"


@pytest.mark.parametrize("url", ["phoenix.db", "sqlite:", "sqlite://host/x", "sqlite:///", "redis://x"])
def test_what_is_no_store_is_a_usage_error_that_says_what_is(url: str) -> None:
    with pytest.raises(UsageError, match=r"write sqlite:///relative/path or sqlite:////absolute/path"):
        open_store(url, {})


def a_store_of_version_1(store: SqliteStore, path: Path) -> GroupRecord:
    """With a record and a lease that was given back; phoenix did not note then when a group is due."""
    saved = store.save(a_record())
    store.release(store.claim("web", "ada", NOON, MINUTE))
    store.close()
    for statement in (
        "DROP INDEX leases_by_due",
        "CREATE TABLE old AS SELECT group_name, owner, epoch, since, until FROM leases",
        "DROP TABLE leases",
        "CREATE TABLE leases (group_name TEXT PRIMARY KEY, owner TEXT, epoch INTEGER, since TEXT, until TEXT)",
        "INSERT INTO leases SELECT * FROM old",
        "DROP TABLE old",
        "PRAGMA user_version = 1",
    ):
        _execute(path, statement)
    return saved


def _version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _execute(path: Path, statement: str) -> None:
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.commit()
    connection.close()


def _contend(
    path: str, number: int, start: multiprocessing.synchronize.Barrier, answers: Queue[str]
) -> None:  # in a program of its own
    start.wait(60)
    try:
        SqliteStore(f"sqlite:///{path}").claim("web", f"elsewhere/{number + 1}", NOON, MINUTE)
    except LeaseHeld:
        answers.put("held")
    else:
        answers.put("won")
