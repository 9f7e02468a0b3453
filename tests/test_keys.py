"""The values of a policy, one by one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from phoenix.keys import (
    Account,
    AutoScalingGroupName,
    Duration,
    Flag,
    GroupName,
    Percent,
    Share,
    Text,
    parse_duration,
    render_duration,
)


def complaint(kind: Any, value: object) -> tuple[str, str | None]:
    """The sentence and the correction for a value that this type refuses."""
    with pytest.raises(ValidationError) as caught:
        TypeAdapter[object](kind).validate_python(value)
    (error,) = caught.value.errors()
    return error["msg"], error["ctx"]["instead"]


@given(st.integers(0, 3650 * 86_400))
def test_a_duration_reads_back_as_it_was_written(seconds: int) -> None:
    duration = timedelta(seconds=seconds)

    assert parse_duration(render_duration(duration)) == duration


@pytest.mark.parametrize(
    ("text", "seconds"), [("0s", 0), ("90s", 90), ("1h30m", 5400), ("2d", 172_800), ("30m1h", 5400), ("007s", 7)]
)
def test_durations_are_whole_numbers_with_units_one_after_the_other(text: str, seconds: int) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("value", "instead"),
    [
        (10, "10m"),
        ("10", "10m"),
        (0, "0s"),
        ("10 min", "10m"),
        ("1 hour and 5 minutes", "1h5m"),
        ("2 days, 3 hrs", "2d3h"),
        ("5M", "5m"),
        (-5, None),
        ("-5m", None),
        ("1.5h", None),
        (1.5, None),
        (True, None),
        (None, None),
        ("", None),
        ("10ms", None),
        ("2 months", None),
        ("5m\n", "5m"),
        ("٣m", None),
        ("9999d", None),
        ("9" * 5000 + "s", None),
    ],
)
def test_what_is_no_duration_brings_the_right_one_where_that_is_clear(value: object, instead: str | None) -> None:
    assert complaint(Duration, value)[1] == instead


def test_a_duration_is_serialised_as_it_was_written() -> None:
    assert TypeAdapter(Duration).dump_python(timedelta(minutes=90)) == "1h30m"


@pytest.mark.parametrize(
    ("value", "instead"), [("5%", "5"), ("5", "5"), (5.0, "5"), (101, None), (-1, None), (True, None)]
)
def test_per_cent_is_a_bare_whole_number(value: object, instead: str | None) -> None:
    assert complaint(Percent, value)[1] == instead


@pytest.mark.parametrize(("value", "instead"), [(25, "25%"), ("25", None), ("0%", None), ("101%", None), (True, None)])
def test_a_share_of_the_group_carries_its_sign(value: object, instead: str | None) -> None:
    assert complaint(Share, value)[1] == instead


@pytest.mark.parametrize(("value", "instead"), [("yes", "true"), ("off", "false"), ("maybe", None), (1, None)])
def test_a_flag_is_not_a_word(value: object, instead: str | None) -> None:
    assert complaint(Flag, value)[1] == instead


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (GroupName, "-web"),
        (GroupName, "web/1"),
        (GroupName, "w" * 64),
        (GroupName, "web\n"),
        (AutoScalingGroupName, "web blue"),
        (AutoScalingGroupName, "web:blue"),
        (Account, "12345678901"),
        (Text, " "),
        (Text, "two\nlines"),
    ],
)
def test_names_that_aws_or_a_terminal_would_choke_on_are_refused(kind: Any, value: str) -> None:
    assert complaint(kind, value)[0].startswith("must be ")
