from __future__ import annotations

from datetime import datetime

from hypothesis import given
from hypothesis import strategies as some

from phoenix.core.taint import Taint, read_taint, write_taint
from tests.builders import NOON


def test_a_taint_says_who_when_and_why() -> None:
    value = write_taint("ann@laptop", NOON, "debugging the cache")

    assert value == "2026-11-18T12:00:00Z ann@laptop debugging the cache"
    assert read_taint(value) == Taint("debugging the cache", NOON, "ann@laptop")


@given(by=some.text(max_size=300), why=some.text(max_size=600), at=some.datetimes(min_value=datetime(2000, 1, 1)))  # noqa: DTZ001
def test_whatever_a_person_says_fits_into_a_tag_and_is_read_without_an_error(by: str, why: str, at: datetime) -> None:
    value = write_taint(by, at.replace(tzinfo=NOON.tzinfo), why)

    assert len(value) <= 256
    assert read_taint(value).text


@given(some.text())
def test_any_value_of_another_writer_is_a_taint(value: str) -> None:
    assert read_taint(value).text
