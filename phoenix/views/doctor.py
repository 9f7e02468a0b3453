"""The doctor's findings: one line a check, the remedy below those that failed.

Must never call something in order that could not be looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from phoenix.core.explain import counted
from phoenix.views import text


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at, and in words what was found."""

    name: str
    passed: bool
    words: str
    hint: str | None = None


def render(checks: Sequence[Check]) -> str:
    """All checks, then the count of those that failed."""
    width = max(len(check.name) for check in checks)
    lines: list[str] = []
    for check in checks:
        first = f"  {'PASS' if check.passed else 'FAIL'}  {check.name:<{width}}  "
        lines += text.paragraph(check.words, first=first, rest=" " * len(first))
        if check.hint and not check.passed:
            lines.append(f"{' ' * len(first)}{text.clean(check.hint)}")
    failed = sum(not check.passed for check in checks)
    return text.screen(lines, [f"{counted(failed, 'check')} failed." if failed else "Everything is in order."])


def document(checks: Sequence[Check]) -> dict[str, Any]:
    """The same for a script."""
    return {
        "healthy": all(check.passed for check in checks),
        "checks": [{"name": c.name, "passed": c.passed, "text": c.words, "hint": c.hint} for c in checks],
    }
