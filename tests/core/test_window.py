"""Windows and freezes, above all on the two nights a year when the clocks are changed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phoenix.core.window import Calendar, Freeze, Opening, Window

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


EVERY_HOUR = a_calendar("0 * * * *", timedelta(minutes=10), "UTC")


def test_an_opening_has_both_its_ends() -> None:
    opening = a_calendar("0 2 * * *").opening_at(utc("2026-11-18T01:30"))

    assert opening == Opening(utc("2026-11-18T01:00"), utc("2026-11-18T02:00"))


@pytest.mark.parametrize("at", ["01:59:59.999999", "01:00:00", "01:00:00.5"])
def test_to_the_microsecond_it_is_open_from_its_start_to_its_end(at: str) -> None:
    assert a_calendar("0 2 * * *").opening_at(utc(f"2026-11-18T{at}")) is not None


@pytest.mark.parametrize("at", ["00:59:58", "00:59:59", "00:59:59.999999", "02:00:00"])
def test_a_second_before_or_after_it_is_closed(at: str) -> None:
    assert a_calendar("0 2 * * *").opening_at(utc(f"2026-11-18T{at}")) is None


def test_at_the_instant_it_opens_the_next_opening_is_now() -> None:
    assert EVERY_HOUR.next_opening(utc("2026-11-18T12:00:00")) == utc("2026-11-18T12:00:00")
    assert EVERY_HOUR.next_opening(utc("2026-11-18T12:10:00")) == utc("2026-11-18T13:00:00")


def test_of_two_windows_the_one_that_opens_first_is_next() -> None:
    both = Calendar((Window("0 5 * * *", HOUR), Window("0 3 * * *", HOUR)))

    assert both.next_opening(utc("2026-11-18T02:00")) == utc("2026-11-18T03:00")


def test_a_window_without_a_zone_is_in_utc() -> None:
    assert Calendar((Window("0 3 * * *", HOUR),)).opening_at(utc("2026-07-01T03:30")) is not None


def test_a_schedule_that_is_nonsense_does_not_close_the_window_next_to_it() -> None:
    both = Calendar((Window("nonsense", HOUR), Window("0 3 * * *", HOUR)))

    assert both.next_opening(utc("2026-11-18T02:00")) == utc("2026-11-18T03:00")


def test_the_freeze_that_holds_is_the_one_that_covers_the_day() -> None:
    first, second = a_freeze(date(2026, 12, 1), date(2026, 12, 2)), Freeze(date(2026, 12, 5), date(2026, 12, 6), "sale")
    calendar = Calendar(freezes=(first, second))

    assert calendar.freeze_at(utc("2026-12-05T00:00")) is second
    assert calendar.freeze_at(utc("2026-12-04T00:00")) is None


def test_a_freeze_ends_at_midnight_of_its_own_zone_also_when_the_clocks_change() -> None:
    assert a_freeze(date(2026, 10, 24), date(2026, 10, 25), BERLIN).ends_at == utc("2026-10-25T23:00")
    assert a_freeze(date(2027, 3, 27), date(2027, 3, 28), BERLIN).ends_at == utc("2027-03-28T22:00")


def test_in_the_second_of_two_equal_hours_a_long_window_from_the_first_is_still_open() -> None:
    night = a_calendar("30 2 * * *", 2 * HOUR)

    opening = night.opening_at(utc("2026-10-25T01:40"))

    assert opening == Opening(utc("2026-10-25T00:30"), utc("2026-10-25T02:30"))


def test_in_the_second_of_two_equal_hours_what_opened_later_in_the_first_is_found() -> None:
    """At 02:10 the second time, 02:50 lies ahead on the dial, and was twenty minutes ago."""
    night = a_calendar("50 2 * * *", HOUR)

    assert night.opening_at(utc("2026-10-25T01:10")) == Opening(utc("2026-10-25T00:50"), utc("2026-10-25T01:50"))


def test_the_hour_before_the_clocks_are_set_back_sees_no_opening_that_is_to_come() -> None:
    night = a_calendar("50 2 * * *", HOUR)

    assert night.opening_at(utc("2026-10-25T00:10")) is None
    assert night.next_opening(utc("2026-10-25T00:10")) == utc("2026-10-25T00:50")


def test_west_of_greenwich_the_next_opening_is_the_one_of_today() -> None:
    new_york = a_calendar("0 3 * * *", HOUR, "America/New_York")

    assert new_york.next_opening(utc("2026-11-18T07:00")) == utc("2026-11-18T08:00")


def test_in_london_the_second_of_two_equal_hours_has_no_offset_at_all() -> None:
    night = a_calendar("50 1 * * *", HOUR, "Europe/London")

    assert night.opening_at(utc("2026-10-25T01:10")) == Opening(utc("2026-10-25T00:50"), utc("2026-10-25T01:50"))
