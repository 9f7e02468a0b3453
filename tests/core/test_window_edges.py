"""The seconds around an opening, and the zones that a reader would not think of."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from phoenix.core.window import Calendar, Freeze, Opening, Window
from tests.core.test_window import BERLIN, HOUR, a_calendar, a_freeze, utc

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
