"""Records, leases and history in one SQLite file, for drivers that share a machine.

Must never lose an intent that was saved: the file is in WAL mode with synchronous FULL, so a save is on disk when it
returns. Must never create a file for a read. Every failure is one sentence that names the file.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from phoenix.core.model import Fence
from phoenix.core.note import Note
from phoenix.core.record import GroupRecord
from phoenix.core.rotation import Rotation
from phoenix.errors import StateConflict, UsageError
from phoenix.ports import Lease
from phoenix.stores.codec import (
    as_text,
    decode_note,
    decode_record,
    decode_rotation,
    encode_note,
    encode_record,
    encode_rotation,
)
from phoenix.stores.lease import Claim, decode_fences, encode_fences, is_same, without_fence
from phoenix.stores.sqlite_file import SqliteFile
from phoenix.stores.unreadable import readable

_RECORD = "SELECT written FROM records WHERE group_name = ?"
_FIRST_RECORD = """
    INSERT INTO records (written, version, group_name) SELECT ?1, ?2, ?3 WHERE ?4 = 0
    ON CONFLICT (group_name) DO NOTHING
"""
_NEXT_RECORD = "UPDATE records SET written = ?1, version = ?2 WHERE group_name = ?3 AND version = ?4"
_FILE_ROTATION = """
    INSERT INTO history (group_name, rotation, started_at, written) VALUES (?, ?, ?, ?)
    ON CONFLICT (group_name, rotation) DO UPDATE SET written = excluded.written
"""
_TAKE_LEASE = """
    INSERT INTO leases (group_name, owner, epoch, since, until, due_at, fences) VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6)
    ON CONFLICT (group_name) DO UPDATE
    SET owner = excluded.owner, epoch = excluded.epoch, since = excluded.since, until = excluded.until,
        due_at = excluded.due_at, fences = excluded.fences
"""
_GIVE_BACK = "UPDATE leases SET owner = NULL, due_at = ? WHERE group_name = ? AND owner = ? AND epoch = ?"
_REFENCE = "UPDATE leases SET fences = ? WHERE group_name = ?"
_DUE = "SELECT group_name FROM leases WHERE due_at <= ? ORDER BY due_at, group_name"


class SqliteStore:
    """A store in one file: `sqlite:///relative` or `sqlite:////absolute`. Threads may share it and take turns."""

    def __init__(self, url: str) -> None:
        if not url.startswith("sqlite:///") or url == "sqlite:///":
            raise UsageError(
                f"the store {url!r} names no file: write sqlite:///relative/path or sqlite:////absolute/path"
            )
        self._file = SqliteFile(Path(url.removeprefix("sqlite:///")))
        self._turn = threading.RLock()
        self.location = self._file.location

    def load(self, group: str) -> GroupRecord | None:
        """The group's record; None when there never was one."""
        with self._reading() as database:
            row = database and _one(database, _RECORD, group)
        return decode_record(row[0], self._file.name) if row else None

    def load_many(self, groups: Sequence[str]) -> Mapping[str, GroupRecord]:
        """Return the records of those groups that have one; an unreadable one is left out and logged."""
        with self._reading() as database:
            rows = {group: _one(database, _RECORD, group) for group in groups} if database else {}
        found = {
            group: readable(group, partial(decode_record, row[0], self._file.name))
            for group, row in rows.items()
            if row
        }
        return {group: record for group, record in found.items() if record is not None}

    def save(self, record: GroupRecord) -> GroupRecord:
        """Write the record and file its rotation, both or neither."""
        saved = replace(record, version=record.version + 1)
        written, rotation = encode_record(saved), saved.rotation
        with self._writing() as database:
            _write(database, saved.group, saved.version, written)
            if rotation is not None:
                filed = (record.group, rotation.id, as_text(rotation.started_at), encode_rotation(rotation))
                database.execute(_FILE_ROTATION, filed)
        return saved

    def note(self, key: str) -> Note | None:
        """The note under the key; None when there never was one. It is kept among the records."""
        with self._reading() as database:
            row = database and _one(database, _RECORD, key)
        return decode_note(row[0], self._file.name) if row else None

    def save_note(self, note: Note) -> Note:
        """Write the note if its version is still the one in the file."""
        saved = replace(note, version=note.version + 1)
        with self._writing() as database:
            _write(database, saved.key, saved.version, encode_note(saved))
        return saved

    def claim(self, group: str, owner: str, now: datetime, ttl: timedelta, *, force: bool = False) -> Lease:
        """Take the lease or renew it, or raise LeaseHeld."""
        with self._writing() as database:
            lease = Claim(group, owner, now, ttl, force).settle(*_held(database, group))
            fences = encode_fences(lease.fences)
            taken = (group, owner, lease.epoch, as_text(lease.since), as_text(lease.until), fences)
            database.execute(_TAKE_LEASE, taken)
        return lease

    def holds(self, lease: Lease) -> bool:
        """True until another driver takes the lease; an expired lease counts as held until then."""
        return is_same(self.lease_of(lease.group), lease)

    def release(self, lease: Lease, due_at: datetime | None = None) -> None:
        """Give the lease back if it is still this one; else remove its fence."""
        if not self.holds(lease):
            self._take_fence_away(lease)
            return
        with self._writing() as database:
            # The row stays: its epoch must go on rising, and a fence outlives the driver that met it.
            due = as_text(due_at) if due_at is not None else None
            database.execute(_GIVE_BACK, (due, lease.group, lease.owner, lease.epoch))

    def _take_fence_away(self, lost: Lease) -> None:
        with self._reading() as database:
            fences = _held(database, lost.group)[2] if database else ()
        if without_fence(fences, lost) == fences:
            return
        with self._writing() as database:
            left = without_fence(_held(database, lost.group)[2], lost)
            database.execute(_REFENCE, (encode_fences(left), lost.group))

    def due(self, now: datetime) -> Sequence[str]:
        """Return the groups that are due, the longest due first."""
        with self._reading() as database:
            if database is None:
                return []
            self._file.upgrade()
            return [row[0] for row in database.execute(_DUE, (as_text(now),))]

    def lease_of(self, group: str) -> Lease | None:
        """Return the group's lease, expired or not."""
        with self._reading() as database:
            return _held(database, group)[0] if database else None

    def history(self, group: str, limit: int = 20) -> Sequence[Rotation]:
        """Return the group's rotations, newest first."""
        statement = "SELECT written FROM history WHERE group_name = ? ORDER BY started_at DESC, rowid DESC LIMIT ?"
        with self._reading() as database:
            rows = database.execute(statement, (group, limit)).fetchall() if database else []
        return [decode_rotation(row[0], self._file.name) for row in rows]

    def close(self) -> None:
        """Close the file; the next call opens it again."""
        with self._turn:
            self._file.close()

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection | None]:
        """Yield the database, or None if it does not exist yet."""
        with self._turn, self._file.explained():
            database = self._file.open()
            self.location = self._file.location
            yield database

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """Yield the database with its write lock; an exception in the block rolls everything back."""
        with self._turn, self._file.explained():
            database = self._file.open_or_create()
            self.location = self._file.location
            database.execute("BEGIN IMMEDIATE")
            try:
                yield database
                database.execute("COMMIT")
            finally:
                if database.in_transaction:
                    database.execute("ROLLBACK")


def _write(database: sqlite3.Connection, key: str, version: int, written: str) -> None:
    """Put this version in the place of the one before, or refuse where another one is there."""
    before = version - 1
    statement = _FIRST_RECORD if before == 0 else _NEXT_RECORD
    if database.execute(statement, (written, version, key, before)).rowcount != 1:
        raise StateConflict(key, before)


def _held(database: sqlite3.Connection, group: str) -> tuple[Lease | None, int, tuple[Fence, ...]]:
    """Return the lease, the group's highest epoch so far, and its fences."""
    found = database.execute("SELECT * FROM leases WHERE group_name = ?", (group,))
    row = found.fetchone()
    if row is None:
        return None, 0, ()
    # By name: a read-only file may be an older one, which has fewer columns.
    kept = dict(zip((column[0] for column in found.description), row, strict=True))
    owner, epoch, fences = kept["owner"], kept["epoch"], decode_fences(kept.get("fences"))
    since, until = (datetime.fromisoformat(kept[name]) for name in ("since", "until"))
    return Lease(group, owner, epoch, since, until, fences) if owner else None, epoch, fences


def _one(database: sqlite3.Connection, statement: str, group: str) -> Any:
    return database.execute(statement, (group,)).fetchone()
