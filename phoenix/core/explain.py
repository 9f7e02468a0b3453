"""Durations and counts the way an operator reads them. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_UNITS = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))


def ago(span: timedelta) -> str:
    """The two largest units of a span: `7d 2h`, `5m48s`, `0s`. Negative spans read as `0s`."""
    seconds = max(0, int(span.total_seconds()))
    parts: list[tuple[int, str]] = []
    for unit, size in _UNITS:
        count, seconds = divmod(seconds, size)
        if count or parts:
            parts.append((count, unit))
    two = [f"{count}{unit}" for count, unit in parts[:2] if count]
    return (" " if parts and parts[0][1] == "d" else "").join(two) or "0s"


def name_of(source: str) -> str:
    """The name of a target group, by its ARN, or of another source of traffic."""
    return source.split("/")[1] if "/" in source else source


def counted(count: int, noun: str) -> str:
    """`1 instance`, `3 instances`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def clock_time(at: datetime) -> str:
    """`03:04:27`, in UTC, as everything else on the screen."""
    return at.astimezone(UTC).strftime("%H:%M:%S")
