"""The doctor's findings: a line per check, with a remedy below each one that did not pass.

Must never count a check that could not be made as passed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from phoenix.core.explain import counted
from phoenix.views import documents, text


@dataclass(frozen=True, slots=True)
class Check:
    """One check, and its finding in words. A `warning` needs no remedy."""

    name: str
    passed: bool
    words: str
    hint: str | None = None
    warning: bool = False

    @property
    def verdict(self) -> str:
        """In one word."""
        return ("WARN" if self.warning else "PASS") if self.passed else "FAIL"


def render(checks: Sequence[Check]) -> str:
    """All checks, then the count of those that failed."""
    width = max(len(check.name) for check in checks)
    lines: list[str] = []
    for check in checks:
        first = f"  {check.verdict}  {check.name:<{width}}  "
        lines += text.paragraph(check.words, first=first, rest=" " * len(first))
        if check.hint and check.verdict != "PASS":
            lines += [f"{' ' * len(first)}{text.clean(line)}" for line in check.hint.splitlines()]
    failed = sum(not check.passed for check in checks)
    return text.screen(lines, [f"{counted(failed, 'check')} failed." if failed else "Everything is in order."])


def document(checks: Sequence[Check]) -> documents.Doctor:
    """The same for a script."""
    return {
        "healthy": all(check.passed for check in checks),
        "checks": [
            {"name": c.name, "passed": c.passed, "warning": c.warning, "text": c.words, "hint": c.hint} for c in checks
        ],
    }
