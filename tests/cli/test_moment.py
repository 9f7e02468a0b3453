"""Times as they are typed."""

from __future__ import annotations

from datetime import UTC, datetime

import click
import pytest

from phoenix.cli.moment import MOMENT

NOW = datetime(2026, 11, 18, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("1h", datetime(2026, 11, 18, 0, 30, tzinfo=UTC)),
        ("01:00", datetime(2026, 11, 18, 1, 0, tzinfo=UTC)),
        ("02:00", datetime(2026, 11, 17, 2, 0, tzinfo=UTC)),
        ("2026-11-01", datetime(2026, 11, 1, tzinfo=UTC)),
        ("2026-11-01T03:00", datetime(2026, 11, 1, 3, tzinfo=UTC)),
        ("2026-11-01T03:00+02:00", datetime(2026, 11, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_time_is_a_duration_a_clock_or_a_date(typed: str, meant: datetime) -> None:
    assert MOMENT.convert(typed, None, None).before(NOW) == meant


@pytest.mark.parametrize("typed", ["", "10", "25:00", "yesterday", "2026-13-01"])
def test_what_is_no_time_is_refused_with_examples(typed: str) -> None:
    with pytest.raises(click.BadParameter, match="is no time: 1h"):
        MOMENT.convert(typed, None, None)
