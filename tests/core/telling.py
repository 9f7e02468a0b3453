"""How stories in tests/golden write values down: without what is empty, times as a clock shows them, and the ledger as
a record spells it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime, timedelta
from enum import Enum

from phoenix.core.temporary import Ledger
from phoenix.stores import entries
from tests.builders import NOON

EMPTY: tuple[object, ...] = (None, "", (), {}, frozenset())


def shown(value: object) -> str:
    """One value in as few words as it can be told apart by."""
    match value:
        case datetime():
            return f"{value:%H:%M:%S}" if value.date() == NOON.date() else f"{value:%d.%H:%M:%S}"
        case Enum():
            return str(value.value)
        case Mapping():
            return "{" + ", ".join(f"{shown(k)}: {shown(v)}" for k, v in sorted(value.items())) + "}"
        case Ledger():
            return shown(tuple(entries.spell(value)))
        case tuple() | frozenset():
            parts = [shown(each) for each in value]
            return "(" + ", ".join(parts if isinstance(value, tuple) else sorted(parts)) + ")"
        case str() | int() | None | timedelta():
            return str(value)
        case _:
            named = [(f.name, getattr(value, f.name)) for f in fields(value)]  # type: ignore[arg-type]
            return " ".join(f"{name}={shown(each)}" for name, each in named if each not in EMPTY)
