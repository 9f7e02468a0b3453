"""One record that cannot be read among many: it is its own group's trouble, in either store."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from phoenix.errors import StoreError
from phoenix.stores.dynamodb import DynamoStore
from phoenix.stores.sqlite import SqliteStore
from tests.stores.builders import a_record
from tests.stores.dynamo import Wire

NEWER = '{"group": "web", "from_tomorrow": 1}'


def test_a_record_in_a_file_that_cannot_be_read_is_left_out_and_told_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = SqliteStore(f"sqlite:///{tmp_path}/phoenix.db")
    for name in ("web", "api"):
        store.save(a_record(name))
    with closing(sqlite3.connect(tmp_path / "phoenix.db")) as database, database:
        database.execute("UPDATE records SET written = ? WHERE group_name = 'web'", (NEWER,))

    assert set(store.load_many(["web", "api"])) == {"api"}
    with pytest.raises(StoreError, match="from_tomorrow"):
        store.load("web")
    assert [(each.levelno, vars(each)["group"]) for each in caplog.records] == [(logging.ERROR, "web")]


def test_an_item_that_cannot_be_read_is_left_out_and_told_of(
    aws: Wire, store: DynamoStore, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("web", "api"):
        store.save(a_record(name))
    item = store._table.get("web", "record")
    assert item is not None
    assert store._table.put({**item, "body": NEWER}, "attribute_exists(#version)")

    assert set(store.load_many(["web", "api"])) == {"api"}
    with pytest.raises(StoreError, match="from_tomorrow"):
        store.load("web")
    assert [(each.levelno, vars(each)["group"]) for each in caplog.records] == [(logging.ERROR, "web")]
