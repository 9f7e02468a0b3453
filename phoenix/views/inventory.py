"""The screen of `init`: every server group of an account, how it can be rotated, and the steps before that.

Must never leave out a group: one that cannot be rotated is listed with the reason.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from phoenix.core.blocker import Blocker
from phoenix.core.explain import counted
from phoenix.core.tags import MANAGED
from phoenix.inventory.half import SecondHalf
from phoenix.inventory.model import Account, ServerGroup
from phoenix.views import documents, text

BEHIND: Final[Mapping[str, str]] = {
    "alb": "ALB",
    "nlb": "NLB",
    "gwlb": "GWLB",
    "classic": "Classic",
    "lattice": "Lattice",
    "unused": "unused",
}
_HOW: Final = {"in_place": "in place", "pair": "pair", None: "no"}
_UNMARKED: Final = "unmarked"
_REASONS = " " * 6
_MOST_NAMES = 5


def render(found: Account, *, verbose: bool = False) -> str:
    """Return the overview; `verbose` adds warnings, and the command against each obstacle."""
    if not found.groups:
        where = found.region or "this Region"
        return f"There is no Auto Scaling group in account {text.clean(found.account)}, {text.clean(where)}.\n"
    lines = text.table(["group", "size>", "behind", "made by", "policy", "rotate"], map(_row, found.groups))
    told = [lines[0]]
    for line, group in zip(lines[1:], found.groups, strict=True):
        told += [line, *_reasons(group, verbose=verbose)]
    return text.screen(
        [text.header("", found, found.at)],
        text.headline("FOUND", _sentence(found.groups), "Nothing was changed, in AWS or here."),
        told,
        _unmarked(found.groups),
        _notes(found.groups, verbose=verbose),
        _what_to_type(found.groups),
    )


def _sentence(groups: Sequence[ServerGroup]) -> str:
    kinds = [group.fleet for group in groups]
    counts = [f"{kinds.count('in_place')} can be rotated in place", f"{kinds.count('pair')} as a pair"]
    if None in kinds:
        counts.append(f"{kinds.count(None)} not at all")
    return f"{counted(len(groups), 'group')}: {', '.join(counts)}."


def _row(group: ServerGroup) -> list[str]:
    behind = "+".join(dict.fromkeys(BEHIND.get(each.kind, each.kind) for each in group.attached))
    size = f"{group.size.desired} ({group.size.min}-{group.size.max})"
    policy = ", ".join(group.policies)
    return [
        text.clip(group.group, 24), size, text.clip(behind or "none", 11), text.clip(group.made_by or "-", 13),
        text.clip(policy or "-", 12), _HOW[group.fleet],
    ]  # fmt: skip


def _reasons(group: ServerGroup, *, verbose: bool) -> list[str]:
    """Return the obstacles below the line of their group."""
    lines: list[str] = []
    for blocker in (*group.in_the_way, *group.missing):
        if blocker.name == _UNMARKED or (blocker.warning and not verbose):
            continue
        lines += text.paragraph(f"{blocker.name}: {blocker.text}", first=_REASONS, rest=_REASONS)
        if verbose and blocker.remedy:
            lines += [f"{_REASONS}  {text.clean(line)}" for line in blocker.remedy.split("\n")]
    return lines


def _unmarked(groups: Sequence[ServerGroup]) -> list[str]:
    """Return one block for all groups without the owner's mark: most have none before their first rotation."""
    lacking = [(group, blocker) for group in groups for blocker in group.missing if blocker.name == _UNMARKED]
    if not lacking:
        return []
    names = [text.clean(group.group) for group, _ in lacking[:_MOST_NAMES]]
    more = f" and {len(lacking) - _MOST_NAMES} more" if len(lacking) > _MOST_NAMES else ""
    told = f"{', '.join(names)}{more}: without the tag {MANAGED}=true the rights that `phoenix iam` prints do not hold."
    first = lacking[0][1].remedy or ""
    return [*text.paragraph(told), *(f"  {text.clean(line)}" for line in first.split("\n"))]


def _notes(groups: Sequence[ServerGroup], *, verbose: bool) -> list[str]:
    warnings = sum(b.warning and b.name != _UNMARKED for group in groups for b in group.missing)
    lines: list[str] = []
    if warnings and not verbose:
        lines += text.paragraph(f"{counted(warnings, 'warning')} more; -v lists them, with the commands.")
    if any(group.hooks is None for group in groups):
        lines += text.paragraph("Lifecycle hooks were not read; they are when a policy is written.")
    return lines


def _what_to_type(groups: Sequence[ServerGroup]) -> list[str]:
    new = [group for group in groups if group.fleet is not None and not group.policies]
    if not new:
        return []
    return text.commands(
        [
            ("A policy for one", text.command("init", new[0].group), "prints it"),
            ("For all of them", "phoenix init --all --write policies", "a file each"),
        ]
    )


def written(files: Sequence[Path], group: str) -> str:
    """Return the screen after `--write`: the files, and what to type next; `group` is one of those written."""
    folder = shlex.quote(str(files[0].parent))
    named = "" if folder == "policies" else f" --policies {folder}"
    return text.screen(
        [f"Written: {text.clean(str(file))}" for file in files],
        text.commands(
            [
                ("Check them", f"phoenix policy validate{named}", "asks nothing of AWS"),
                ("The rights they need", f"phoenix iam{named}", "an IAM policy document"),
                ("What would happen", f"{text.command('plan', group)}{named}", "changes nothing"),
            ]
        ),
    )


def written_pair(files: Mapping[str, str], half: SecondHalf) -> str:
    """Return the screen after `--as pair --write`: the files by their kind, what to run, and what it leaves behind."""
    behind = [line for told in half.left_behind for line in text.paragraph(told, first="  - ", rest="    ")]
    return text.screen(
        [f"Written: {text.clean(name)}" for name in files.values()],
        ["Not carried over:", *behind],
        text.commands(
            [
                (
                    "Read it, then run it",
                    f"bash {shlex.quote(files['sh'])}",
                    "or apply the Terraform; launches nothing",
                ),
                ("What would happen", text.command("plan", half.pair.group), "compares both halves"),
            ]
        ),
    )


def document(found: Account) -> documents.Inventory:
    """The same for a script."""
    return {
        "account": found.account,
        "region": found.region,
        "groups": [group_document(group) for group in found.groups],
    }


def group_document(group: ServerGroup) -> documents.FoundGroup:
    """One group of the document; `fleet` is null where it cannot be rotated, and `blockers` say why."""
    image = group.image
    return {
        "group": group.group,
        "auto_scaling_groups": list(group.auto_scaling_groups),
        "size": {"min": group.size.min, "max": group.size.max, "desired": group.size.desired},
        "attached": [{"kind": each.kind, "name": each.name} for each in group.attached],
        "made_by": group.made_by,
        "policies": list(group.policies),
        "fleet": group.fleet,
        "traffic": group.traffic if group.fleet else None,
        "blockers": [_obstacle(blocker) for blocker in group.in_the_way],
        "missing": [_obstacle(blocker) for blocker in group.missing],
        "lifecycle_hooks": None if group.hooks is None else sorted({hook.name for hook in group.hooks}),
        "image": None if image is None else {
            "running": image.running.id, "name": image.running.name, "pattern": image.name,
            "matches": len(image.fitting), "newest": image.newest.id if image.newest else None,
        },
    }  # fmt: skip


def _obstacle(blocker: Blocker) -> documents.Obstacle:
    return {
        "name": blocker.name, "where": blocker.where, "text": blocker.text, "remedy": blocker.remedy,
        "warning": blocker.warning,
    }  # fmt: skip
