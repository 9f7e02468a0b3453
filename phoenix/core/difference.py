"""A difference between the live generation and the next, for people. Pure: a frozen value, decides nothing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Difference:
    """One attribute. `of` is the thing that has it (`template`, `group`); `live` and `next` are its two values in few
    words, empty where it has none."""

    of: str
    attribute: str
    live: str
    next: str
