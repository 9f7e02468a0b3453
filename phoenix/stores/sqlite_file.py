"""The file of an SQLite store: it is made, opened, and its errors become one sentence.

Must never show a half-made store: one is built beside its place and moved there complete. Must never leave a file or a
folder that other users can read: records hold names, image ids and reasons.
"""

from __future__ import annotations

import fcntl
import os
import re
import socket
import sqlite3
import weakref
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from phoenix.core.tags import fitting
from phoenix.errors import StoreError

SCHEMA_VERSION = 3
_APPLICATION = 0x50484E58
_LONGEST_LOCATION = 200
"""Marks an SQLite file as a store of phoenix: "PHNX"."""

_SCHEMA = f"""
    BEGIN;
    CREATE TABLE place (location TEXT NOT NULL);
    CREATE TABLE records (group_name TEXT PRIMARY KEY, version INTEGER NOT NULL, written TEXT NOT NULL);
    CREATE TABLE leases (
        group_name TEXT PRIMARY KEY, owner TEXT, epoch INTEGER NOT NULL, since TEXT NOT NULL, until TEXT NOT NULL,
        due_at TEXT, fences TEXT
    );
    CREATE INDEX leases_by_due ON leases (due_at) WHERE due_at IS NOT NULL;
    CREATE TABLE history (
        group_name TEXT NOT NULL, rotation TEXT NOT NULL, started_at TEXT NOT NULL, written TEXT NOT NULL,
        UNIQUE (group_name, rotation)
    );
    CREATE INDEX history_by_start ON history (group_name, started_at);
    PRAGMA application_id = {_APPLICATION};
    PRAGMA user_version = {SCHEMA_VERSION};
    COMMIT;
"""

_UPGRADES = {
    # An older store does not say when a group is due: every group is due once.
    1: (
        "ALTER TABLE leases ADD COLUMN due_at TEXT",
        "UPDATE leases SET due_at = until",
        "CREATE INDEX leases_by_due ON leases (due_at) WHERE due_at IS NOT NULL",
    ),
    # Drivers of an older version leave no fence, and keep none.
    2: ("ALTER TABLE leases ADD COLUMN fences TEXT",),
}
"""Statements that bring a store of that version to the next one."""

_LOCKED = "is locked by another program: find it (fuser names it), end it or wait for it, and try again"
_MEANINGS = {
    "SQLITE_BUSY": _LOCKED,
    "SQLITE_LOCKED": _LOCKED,
    "SQLITE_NOTADB": "is not an SQLite database: name another file in PHOENIX_STORE, or move this one away",
    "SQLITE_CORRUPT": "is damaged: restore a copy of it, or move it away and run phoenix repair --adopt",
    "SQLITE_FULL": "cannot be written because the disk is full: make room and try again",
    "SQLITE_READONLY": "may only be read: let its owner run phoenix, or give yourself the right to write it",
    "SQLITE_CANTOPEN": "cannot be opened: check the permissions of the file and of its folder",
}


class SqliteFile:
    """One connection to the file at `path`, opened when first needed, and again when another file has taken its place.

    `location` is where the file was made, with a mark of its own: it stays the same when the file is mounted elsewhere,
    and differs for two machines that keep their stores at the same path.
    """

    def __init__(self, path: Path, busy_seconds: float = 5.0) -> None:
        self._path = path.expanduser().absolute()
        self._busy_seconds = busy_seconds
        self._connection: sqlite3.Connection | None = None
        self._opened: tuple[int, int] | None = None
        self._on_exit: weakref.finalize[..., SqliteFile] | None = None
        self.name = str(self._path)
        self.location = _location(self._path)

    def open(self) -> sqlite3.Connection | None:
        """Return the connection; None if there is no store yet, and none is made."""
        found = self._look()
        if self._connection is not None and found == self._opened:
            return self._connection
        self.close()
        if found is None:
            return None
        self._connection = _connect(self._path, self._busy_seconds)
        self._on_exit = weakref.finalize(self, self._connection.close)
        self._opened = found
        self.location = self._check(self._connection)
        return self._connection

    def open_or_create(self) -> sqlite3.Connection:
        """Return the connection; the store is made if there is none."""
        connection = self.open()
        if connection is None:
            self._create()
            connection = self.open()
        if connection is None:
            raise StoreError(f"the store {self.name} was removed while it was being made: try again")
        self.upgrade()
        return connection

    def upgrade(self) -> None:
        """Bring the open store to our version. A read does not need it, and works without the right to write."""
        database = self._connection
        if database is None or _version_of(database) == SCHEMA_VERSION:
            return
        database.execute("BEGIN IMMEDIATE")
        try:
            for version in range(_version_of(database), SCHEMA_VERSION):  # again: another program may have been faster
                for statement in _UPGRADES[version]:
                    database.execute(statement)
                database.execute(f"PRAGMA user_version = {version + 1}")
            database.execute("COMMIT")
        finally:
            if database.in_transaction:
                database.execute("ROLLBACK")

    def close(self) -> None:
        """Close the file."""
        if self._on_exit is not None:
            self._on_exit()
        self._connection = self._opened = self._on_exit = None

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Turn an error of SQLite or of the system into one sentence about the file."""
        try:
            yield
        except sqlite3.Error as error:
            self.close()
            primary = "_".join(getattr(error, "sqlite_errorname", "").split("_")[:2])
            meaning = _MEANINGS.get(primary, f"cannot be used ({error}): name another one in PHOENIX_STORE")
            raise StoreError(f"the store {self.name} {meaning}") from error
        except OSError as error:
            raise StoreError(f"the store {self.name} cannot be used: {error.strerror} ({error.filename})") from error

    def _look(self) -> tuple[int, int] | None:
        """Identify the file; None if it is missing, or empty, which SQLite takes for a new database."""
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return None
        return (found.st_dev, found.st_ino) if found.st_size else None

    def _check(self, database: sqlite3.Connection) -> str:
        """Return the location written in the file; raise StoreError if the file is not a store that we can use."""
        if database.execute("PRAGMA application_id").fetchone()[0] != _APPLICATION:
            raise self._unfit("is another program's database: name another file in PHOENIX_STORE")
        if _version_of(database) > SCHEMA_VERSION:
            raise self._unfit("was made by a newer version of phoenix: upgrade this one")
        return fitting(str(database.execute("SELECT location FROM place").fetchone()[0]))

    def _unfit(self, why: str) -> StoreError:
        self.close()
        return StoreError(f"the store {self.name} {why}")

    def _create(self) -> None:
        folder, draft = self._path.parent, self._path.with_name(f".{self._path.name}.new")
        _make_private(folder)
        with _locked(folder) as descriptor:
            if self._look() is not None:
                return
            for leftover in (draft, *_logs_of(draft), *_logs_of(self._path)):
                # SQLite would replay an old write-ahead log into the new file.
                leftover.unlink(missing_ok=True)
            os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            with closing(_connect(draft, self._busy_seconds)) as database:
                database.execute("PRAGMA journal_mode = WAL")
                database.executescript(_SCHEMA)
                database.execute("INSERT INTO place VALUES (?)", (self.location,))
            draft.replace(self._path)
            os.fsync(descriptor)  # else a power loss may lose the name of the file, and with it all records


def _version_of(database: sqlite3.Connection) -> int:
    return int(database.execute("PRAGMA user_version").fetchone()[0])


def _connect(path: Path, busy_seconds: float) -> sqlite3.Connection:
    address = f"file:{quote(str(path))}?mode=rw"  # without mode=rw a connection creates a missing file
    database = sqlite3.connect(address, uri=True, timeout=busy_seconds, isolation_level=None, check_same_thread=False)
    database.execute("PRAGMA synchronous = FULL")  # NORMAL may lose the last saves when the power fails
    database.execute("PRAGMA fullfsync = ON")  # macOS keeps them in the drive's cache otherwise
    return database


def _logs_of(path: Path) -> tuple[Path, Path]:
    return path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")


def _location(path: Path) -> str:
    """Make a location for a new store at that path, short enough for a tag, in characters that tags allow."""
    where = re.sub(r"[^\w .:/=+@-]", "_", f"{socket.gethostname()}{path}", flags=re.ASCII)
    mark = f"sqlite://{os.urandom(4).hex()}@"
    return mark + fitting(where, _LONGEST_LOCATION - len(mark))


def _make_private(folder: Path) -> None:
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    for place in reversed(missing):
        place.mkdir(mode=0o700, exist_ok=True)


@contextmanager
def _locked(folder: Path) -> Iterator[int]:
    """Lock the folder, so that no other program makes a store in it meanwhile."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)
