"""The blocked screen: every blocker of a start, each with the command that mends it.

Must never leave out a blocker: an operator who learns of them one at a time starts over each time.
"""

from __future__ import annotations

from phoenix.core.blocker import Blocker
from phoenix.core.explain import counted
from phoenix.engine.report import Plan
from phoenix.views import text


def render(plan: Plan, *, verbose: bool = False) -> str:
    """Return the screen of a `rotate` that did not start."""
    warnings = [b for b in plan.blockers if b.warning]
    also = f", {counted(len(warnings), 'warning')}" if warnings else ""
    count = f"{counted(len(plan.in_the_way), 'blocker')}{also}. Nothing was changed, in AWS or in the store."
    return text.screen(
        [text.header(plan.group, plan.about, plan.at)],
        text.headline("BLOCKED", count),
        *paragraphs(plan),
        checks(plan, verbose=verbose),
        _what_to_type(plan),
    )


def paragraphs(plan: Plan) -> list[list[str]]:
    """Return a numbered block of lines for each blocker, the warnings last and marked `!`."""
    blockers = [_paragraph(str(number), b, plan.group) for number, b in enumerate(plan.in_the_way, start=1)]
    return blockers + [_paragraph("!", b, plan.group) for b in plan.blockers if b.warning]


def _paragraph(mark: str, blocker: Blocker, group: str) -> list[str]:
    lines = [f"{mark:<2} {text.clean(blocker.name):<21}  {text.clean(blocker.where)}".rstrip()]
    lines += text.paragraph(blocker.text, first="   ", rest="   ")
    remedy = blocker.remedy
    if remedy is None and blocker.ignorable:
        remedy = (
            f'{text.command("rotate", group)} --ignore {text.clean(blocker.ignored_as or blocker.name)} --reason "..."'
        )
    return lines + [f"     {text.clean(line)}" for line in (remedy or "").split("\n") if line]


def checks(plan: Plan, *, verbose: bool) -> list[str]:
    """Return the checks that passed."""
    if not plan.checks:
        return []
    noun = "other check" if plan.blockers else "check"
    if verbose:
        names = text.paragraph(", ".join(plan.checks), first="  ", rest="  ")
        return [f"{counted(len(plan.checks), noun)} passed:", *names]
    ignorable = [str(number) for number, b in enumerate(plan.in_the_way, start=1) if b.ignorable]
    may = f" Only {' and '.join(ignorable)} can be ignored." if ignorable else ""
    return [f"{counted(len(plan.checks), noun)} passed (-v lists them).{may}"]


def _what_to_type(plan: Plan) -> list[str]:
    return [f"When these are mended: {text.command('plan', plan.group)}"]
