"""What a slot does by itself until it is suspended, in phoenix's words. Pure. A fleet translates AWS's words."""

from __future__ import annotations

from enum import StrEnum


class Routine(StrEnum):
    """A routine that a decision depends on; others are their owner's, and are not observed.

    Without launches or registrations no new instance ever serves. A machine that has crashed is replaced once checks
    have found it, and where replacements and terminations run ("How suspended processes affect other processes").
    """

    SCHEDULES = "schedules"
    LAUNCHES = "launches"
    REGISTRATIONS = "registrations"
    CHECKS = "health checks"
    REPLACEMENTS = "replacements"
    TERMINATIONS = "terminations"
