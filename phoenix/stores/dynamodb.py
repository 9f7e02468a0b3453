"""Records, leases and history in one DynamoDB table, for drivers on many machines and for Lambda.

Must never write without a condition on the values that were read: drivers share this table without any other lock. No
two items have to be written together (docs/decisions/0010-dynamodb.md).
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import ClassVar, Final

from phoenix.again import after, again
from phoenix.aws.rights import Names, Rights, arn
from phoenix.aws.session import Aws
from phoenix.core.model import Fence
from phoenix.core.note import Note
from phoenix.core.record import GroupRecord
from phoenix.core.rotation import Rotation
from phoenix.core.tags import fitting
from phoenix.errors import StateConflict, StoreError, TransientError, UsageError
from phoenix.ports import Lease
from phoenix.stores import dynamodb_table
from phoenix.stores.codec import (
    as_text,
    decode_note,
    decode_record,
    decode_rotation,
    encode_note,
    encode_record,
    encode_rotation,
)
from phoenix.stores.dynamodb_table import DUE, MOST_BYTES, Item, Table
from phoenix.stores.lease import Claim, decode_fences, encode_fences, is_same, without_fence
from phoenix.stores.unreadable import readable

KEPT_FOR: Final = timedelta(days=400)
"""The time that a rotation stays in the history, from its start."""
MOST_TRIES: Final = 8
"""The number of times that a lease may change between read and write before the store gives up."""

_RECORD, _LEASE, _ROTATION = "record", "lease", "rotation#"
_URL = re.compile(r"dynamodb://(?P<table>[\w.-]{3,255})(\?region=(?P<region>[a-z0-9-]+))?", re.ASCII)


class _Overtaken(Exception):
    """The item has changed since it was read."""


class DynamoStore:
    """A store in one table: `dynamodb://TABLE`, or `dynamodb://TABLE?region=REGION`. `aws` returns AWS in a Region,
    None: the configured one. Threads may share the store."""

    IAM_ACTIONS: ClassVar[Rights] = dynamodb_table.IAM_ACTIONS

    def __init__(self, url: str, aws: Callable[[str | None], Aws]) -> None:
        named = _URL.fullmatch(url)
        if named is None:
            raise UsageError(
                f"the store {url!r} names no table: write dynamodb://TABLE or dynamodb://TABLE?region=REGION"
            )
        self._name = f"dynamodb://{named['table']}"
        self._table = Table(named["table"], aws(named["region"]))
        self._location = ""
        self._read: dict[str, GroupRecord] = {}

    @staticmethod
    def iam_names(url: str) -> Names:
        """The table that the URL names; empty if it names none."""
        named = _URL.fullmatch(url)
        if named is None:
            return {}
        whole = arn("dynamodb", f"table/{named['table']}")
        return {"table_arn": (whole.replace("${region}", named["region"] or "${region}"),)}

    @property
    def location(self) -> str:
        """Account, Region and table, so that two tables of one name differ. A table's name alone may fill a tag."""
        return fitting(self._whole_location())

    def _whole_location(self) -> str:
        """The account is asked for once, unless a record names it."""
        if not self._location:
            self._location = f"dynamodb://{self._table.account()}{self._place}"
        return self._location

    @property
    def _place(self) -> str:
        return f"/{self._table.region}/{self._table.name}"

    def load(self, group: str) -> GroupRecord | None:
        """The group's record; None when there never was one."""
        found = self._table.get(group, _RECORD)
        return self._seen(found) if found else None

    def load_many(self, groups: Sequence[str]) -> Mapping[str, GroupRecord]:
        """Return the records of those groups that have one, a hundred per call; an unreadable one is left out and
        logged."""
        items = self._table.get_many(groups, _RECORD)
        found = (readable(str(item["group"]), partial(self._seen, item)) for item in items)
        return {record.group: record for record in found if record is not None}

    def save(self, record: GroupRecord) -> GroupRecord:
        """Write the record if its version is still the stored one. A rotation that makes room for another one is filed
        first: it cannot change any more without a change of that version.
        """
        before = self._at_version_of(record)
        saved = replace(record, version=record.version + 1)
        last = before.rotation if before is not None else None
        if last is not None and (saved.rotation is None or saved.rotation.id != last.id):
            self._file(last, record.version)
        self._write(saved.group, saved.version, encode_record(saved))
        self._read[saved.group] = saved
        return saved

    def note(self, key: str) -> Note | None:
        """The note under the key; None when there never was one. Its item is named as a record's."""
        found = self._table.get(key, _RECORD)
        return decode_note(str(found["body"]), self._name) if found else None

    def save_note(self, note: Note) -> Note:
        """Write the note if its version is still the one in the table."""
        saved = replace(note, version=note.version + 1)
        self._write(saved.key, saved.version, encode_note(saved))
        return saved

    def claim(self, group: str, owner: str, now: datetime, ttl: timedelta, *, force: bool = False) -> Lease:
        """Take the lease, renew it, or say who has it.

        Raises:
            TransientError: the lease changed between every read and its write.
        """
        # Machine names repeat, so no driver is called dead here: a crashed one loses its lease when the lease expires.
        claim = Claim(group, owner, now, ttl, force, one_machine=False)

        def settle() -> Lease:
            found = self._table.get(group, _LEASE)
            lease = claim.settle(_held(found), _epoch(found), _fences(found))
            if not self._put_lease(_lease_item(lease, lease.until, owner), found):
                raise _Overtaken
            return lease

        try:
            return again(settle, _Overtaken, give_up=after(MOST_TRIES))
        except _Overtaken:
            raise TransientError(f"the lease of {group} changes hands faster than it can be read: try again") from None

    def holds(self, lease: Lease) -> bool:
        """True until another driver takes the lease; an expired lease counts as held until then."""
        return is_same(self.lease_of(lease.group), lease)

    def release(self, lease: Lease, due_at: datetime | None = None) -> None:
        """Give the lease back if it is still this one; else remove its fence. The item stays: its epoch must go on
        rising, and a fence outlives the driver that met it."""
        only_if = "#owner = :owner AND #epoch = :epoch"
        if not self._table.put(_lease_item(lease, due_at, None), only_if, owner=lease.owner, epoch=lease.epoch):
            self._take_fence_away(lease)

    def _take_fence_away(self, lost: Lease) -> None:
        """Try once. If the lease changes at that moment the fence stays, which costs only its waiting time."""
        found = self._table.get(lost.group, _LEASE)
        left = without_fence(_fences(found), lost)
        if found is None or left == _fences(found):
            return
        item = {name: value for name, value in found.items() if name != "fences"} | _fences_item(left)
        self._put_lease(item, found)

    def due(self, now: datetime) -> Sequence[str]:
        """Return the groups that are due, the longest due first."""
        return [str(found["group"]) for found in self._table.due(as_text(now))]

    def lease_of(self, group: str) -> Lease | None:
        """Return the group's lease, expired or not."""
        return _held(self._table.get(group, _LEASE))

    def history(self, group: str, limit: int = 20) -> Sequence[Rotation]:
        """Return the group's rotations, newest first: the filed ones, and the one that is still in the record."""
        record = self.load(group)
        known = {
            found["item"]: (int(found["version"]), decode_rotation(str(found["body"]), self._name))
            for found in self._table.newest(group, _ROTATION, limit)
        }
        if record is not None and record.rotation is not None:
            name = _filed_as(record.rotation)
            known[name] = max(known.get(name, (0, record.rotation)), (record.version, record.rotation), key=_version)
        rotations = (rotation for _, rotation in known.values())
        return sorted(rotations, key=lambda rotation: rotation.started_at, reverse=True)[:limit]

    # --- records ------------------------------------------------------------------------------------------------------

    def _seen(self, found: Item) -> GroupRecord:
        record = decode_record(str(found["body"]), self._name)
        place = str(found.get("place", ""))
        if place.endswith(self._place):  # else the item came with a copy of another table
            self._location = place
        self._read[record.group] = record
        return record

    def _at_version_of(self, record: GroupRecord) -> GroupRecord | None:
        """Return the record that this one replaces; it is read only if it was not read before."""
        if record.version == 0:
            return None
        known = self._read.get(record.group)
        if known is None or known.version != record.version:
            known = self.load(record.group)
        if known is None or known.version != record.version:
            raise StateConflict(record.group, record.version)
        return known

    def _write(self, key: str, version: int, body: str) -> None:
        before, mark = version - 1, os.urandom(8).hex()
        if len(body.encode()) > MOST_BYTES:
            raise StoreError(
                f"the record of {key} has grown to {len(body.encode()) // 1024} KB, and an item of DynamoDB "
                "takes 400: a store in a file has room for it (sqlite:///PATH)"
            )
        item: dict[str, str | int] = {"group": key, "item": _RECORD, "version": version}
        item |= {"body": body, "mark": mark, "place": self._whole_location()}
        first = "attribute_not_exists(#version)"
        if self._table.put(item, first) if before == 0 else self._table.put(item, "#version = :before", before=before):
            return
        found = self._table.get(key, _RECORD)
        if found is None or found.get("mark") != mark:  # else we wrote it: the answer was lost, and the call repeated
            raise StateConflict(key, before)

    def _file(self, rotation: Rotation, version: int) -> None:
        """Put the rotation into the history as that version of the record had it; a later version there is kept."""
        item: Item = {
            "group": rotation.group,
            "item": _filed_as(rotation),
            "version": version,
            "body": encode_rotation(rotation),
            "expires": int((rotation.started_at + KEPT_FOR).timestamp()),
        }
        self._table.put(item, "attribute_not_exists(#version) OR #version < :version", version=version)

    # --- leases -------------------------------------------------------------------------------------------------------

    def _put_lease(self, item: Item, found: Item | None) -> bool:
        """Write the lease if it has not changed since it was read: a take changes its epoch, a renewal its end."""
        if found is None:
            return self._table.put(item, "attribute_not_exists(#epoch)")
        only_if = "#epoch = :epoch AND #until = :until"
        return self._table.put(item, only_if, epoch=found["epoch"], until=found["until"])


def _lease_item(lease: Lease, due_at: datetime | None, owner: str | None) -> Item:
    item: dict[str, str | int] = {"group": lease.group, "item": _LEASE, "epoch": lease.epoch}
    item |= {"since": as_text(lease.since), "until": as_text(lease.until)} | _fences_item(lease.fences)
    if owner is not None:
        item["owner"] = owner
    if due_at is not None:
        item |= {DUE: DUE, "due_at": as_text(due_at)}
    return item


def _held(found: Item | None) -> Lease | None:
    if found is None or "owner" not in found:
        return None
    since, until = (datetime.fromisoformat(str(found[name])) for name in ("since", "until"))
    return Lease(str(found["group"]), str(found["owner"]), int(found["epoch"]), since, until, _fences(found))


def _epoch(found: Item | None) -> int:
    return int(found["epoch"]) if found else 0


def _fences(found: Item | None) -> tuple[Fence, ...]:
    return decode_fences(str(found["fences"])) if found and "fences" in found else ()


def _fences_item(fences: tuple[Fence, ...]) -> dict[str, str | int]:
    written = encode_fences(fences)
    return {} if written is None else {"fences": written}


def _filed_as(rotation: Rotation) -> str:
    return f"{_ROTATION}{as_text(rotation.started_at)}#{rotation.id}"


def _version(known: tuple[int, Rotation]) -> int:
    return known[0]
