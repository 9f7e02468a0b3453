"""The groups' ages against the limits for all groups: the last block of the status of all groups.

Must never call a group young because its age is unknown.
"""

from __future__ import annotations

from collections.abc import Sequence

from phoenix.core.explain import ago, counted
from phoenix.engine.many.age import Age
from phoenix.views import documents, json, text


def render(ages: Sequence[Age]) -> str:
    """Return a line for each group, the oldest first; nothing if no age is limited."""
    limits = [age.limit for age in ages if age.limit is not None]
    if not limits:
        return ""
    over = sum(age.is_over for age in ages)
    verdict = f"{counted(over, 'group')} of {len(ages)} older" if over else "no group is older"
    ordered = sorted(ages, key=lambda age: (age.since is not None, age.since or age.at, age.group))
    table = text.table(["group", "oldest>", "age>", ""], [_line(age) for age in ordered])
    return text.screen([], [f"Age limit {ago(limits[0])}: {verdict}.", *table])


def document(age: Age) -> documents.Age:
    """Return `age` for the JSON of each group."""
    return {
        "generation": age.generation.number if age.generation is not None else None,
        "since": json.time(age.since),
        "seconds": None if age.age is None else int(age.age.total_seconds()),
        "max_seconds": None if age.limit is None else int(age.limit.total_seconds()),
        "over": age.is_over,
    }


def _line(age: Age) -> list[str]:
    number = "-" if age.generation is None else str(age.generation.number)
    known = "not known" if age.age is None else ago(age.age)
    return [text.clip(age.group, 28), number, known, "over" if age.is_over else ""]
