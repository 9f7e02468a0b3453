"""Windows and freezes, above all on the two nights a year when the clocks are changed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phoenix.core.window import Calendar, Freeze, Window

BERLIN = "Europe/Berlin"
HOUR = timedelta(hours=1)
# Berlin, 2027-03-28: 02:00 becomes 03:00 at 01:00 UTC. 2026-10-25: 03:00 becomes 02:00 at 01:00 UTC.


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def a_calendar(schedule: str, duration: timedelta = HOUR, timezone: str = BERLIN, *freezes: Freeze) -> Calendar:
    return Calendar((Window(schedule, duration, timezone),), freezes)


def a_freeze(first: date, last: date, timezone: str = "UTC") -> Freeze:
    return Freeze(first, last, "peak", timezone)


def test_a_group_without_windows_is_always_open() -> None:
    assert Calendar().next_opening(utc("2026-11-18T02:00")) == utc("2026-11-18T02:00")


def test_a_window_opens_on_the_minute_and_closes_after_its_duration() -> None:
    night = a_calendar("0 2 * * *")

    assert night.opening_at(utc("2026-11-18T00:59:59")) is None
    assert night.opening_at(utc("2026-11-18T01:00:00")) is not None
    assert night.opening_at(utc("2026-11-18T01:59:59.999")) is not None
    assert night.opening_at(utc("2026-11-18T02:00:00")) is None


def test_a_closed_window_names_its_next_opening() -> None:
    weekdays = a_calendar("0 2 * * MON-FRI")

    assert weekdays.next_opening(utc("2026-11-20T12:00")) == utc("2026-11-23T01:00")


def test_an_open_window_opens_now() -> None:
    assert a_calendar("0 2 * * *").next_opening(utc("2026-11-18T01:30")) == utc("2026-11-18T01:30")


def test_of_overlapping_windows_the_one_that_closes_last_counts() -> None:
    both = Calendar((Window("0 2 * * *", HOUR, BERLIN), Window("30 2 * * *", HOUR, BERLIN)))

    opening = both.opening_at(utc("2026-11-18T01:45"))

    assert opening is not None
    assert opening.closes_at == utc("2026-11-18T02:30")


def test_a_local_time_that_does_not_exist_is_the_next_instant() -> None:
    night = a_calendar("30 2 * * *")

    assert night.next_opening(utc("2027-03-27T23:00")) == utc("2027-03-28T01:00")
    assert night.opening_at(utc("2027-03-28T01:59")) is not None
    assert night.opening_at(utc("2027-03-28T02:00")) is None


def test_a_local_time_that_exists_twice_is_the_first() -> None:
    night = a_calendar("30 2 * * *")

    assert night.next_opening(utc("2026-10-24T23:00")) == utc("2026-10-25T00:30")
    assert night.opening_at(utc("2026-10-25T01:30")) is None
    assert night.next_opening(utc("2026-10-25T01:30")) == utc("2026-10-26T01:30")


def test_a_window_stays_open_while_the_clock_is_set_back() -> None:
    opening = a_calendar("30 2 * * *").opening_at(utc("2026-10-25T01:10"))

    assert opening is not None
    assert opening.opens_at == utc("2026-10-25T00:30")


@pytest.mark.parametrize("schedule", ["*/15 * * * *", "0,15,30,45 2 * * *"])
def test_how_a_schedule_is_written_makes_no_difference_to_the_second_of_two_equal_hours(schedule: str) -> None:
    often = a_calendar(schedule, timedelta(minutes=5))

    assert often.opening_at(utc("2026-10-25T00:16")) is not None
    assert often.opening_at(utc("2026-10-25T01:16")) is None


def test_half_an_hour_that_is_skipped_is_skipped_too() -> None:
    lord_howe = a_calendar("15 2 * * *", HOUR, "Australia/Lord_Howe")

    assert lord_howe.next_opening(utc("2026-10-03T12:00")) == utc("2026-10-03T15:30")


def test_a_freeze_covers_whole_days_both_included_in_its_own_zone() -> None:
    peak = a_freeze(date(2026, 12, 20), date(2026, 12, 21), BERLIN)

    assert not peak.covers(utc("2026-12-19T22:59"))
    assert peak.covers(utc("2026-12-19T23:00"))
    assert peak.covers(utc("2026-12-21T22:59"))
    assert peak.ends_at == utc("2026-12-21T23:00")


def test_an_opening_inside_a_freeze_is_passed_over() -> None:
    night = a_calendar("0 2 * * *", HOUR, "UTC", a_freeze(date(2026, 12, 20), date(2027, 1, 3)))

    assert night.next_opening(utc("2026-12-19T12:00")) == utc("2027-01-04T02:00")


def test_a_freeze_that_ends_inside_an_opening_leaves_its_rest() -> None:
    long = a_calendar("0 22 * * *", 4 * HOUR, "UTC", a_freeze(date(2026, 12, 20), date(2026, 12, 20)))

    assert long.next_opening(utc("2026-12-20T12:00")) == utc("2026-12-21T00:00")


def test_freezes_that_follow_each_other_are_one() -> None:
    days = [a_freeze(date(2026, 12, day), date(2026, 12, day)) for day in (22, 21, 20)]

    assert Calendar(freezes=tuple(days)).next_opening(utc("2026-12-20T12:00")) == utc("2026-12-23T00:00")


@pytest.mark.parametrize("schedule", ["0 0 30 2 *", "nonsense"])
def test_a_schedule_that_cannot_be_evaluated_is_closed(schedule: str) -> None:
    never = a_calendar(schedule)

    assert never.opening_at(utc("2026-11-18T02:00")) is None
    assert never.next_opening(utc("2026-11-18T02:00")) is None


instants = st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001
schedules = st.sampled_from(["30 2 * * *", "0 3 * * SUN", "*/20 1-3 * * *", "15 * * * *", "0 0 1 * *"])
zones = st.sampled_from([BERLIN, "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC"])


@given(instants, schedules, zones)
def test_the_next_opening_is_never_past_and_is_open(at: datetime, schedule: str, zone: str) -> None:
    calendar = a_calendar(schedule, timedelta(minutes=10), zone)

    opens = calendar.next_opening(at)

    assert opens is not None
    assert opens >= at
    assert calendar.opening_at(opens) is not None


@given(instants, zones)
def test_a_daily_window_opens_once_a_day_whatever_the_clocks_do(at: datetime, zone: str) -> None:
    daily = a_calendar("30 2 * * *", timedelta(minutes=10), zone)
    first = daily.next_opening(at)
    assert first is not None

    second = daily.next_opening(first + timedelta(minutes=30))

    assert second is not None
    days = [opens.astimezone(ZoneInfo(zone)).date() for opens in (first, second)]
    assert days[1] - days[0] == timedelta(days=1)
