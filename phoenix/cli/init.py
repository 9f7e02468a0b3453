"""`init`: the account's Auto Scaling groups, how each can be rotated, and a first policy for it.

Must never write to AWS, nor over a file without --yes.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from phoenix.cli.help import command
from phoenix.cli.options import takes_group
from phoenix.cli.session import Session
from phoenix.errors import Blocked, PhoenixError, UsageError

if TYPE_CHECKING:
    from phoenix.inventory.model import Account, ServerGroup
    from phoenix.views.documents import FoundGroup

_SUFFIXES = {"yaml": ".yaml", "sh": "-second-half.sh", "tf": "-second-half.tf"}


@command(
    ("phoenix init", "all groups, a line each"),
    ("phoenix init --group api", "a policy for one, printed"),
    ("phoenix init --all --write policies", "a file for each"),
    ("phoenix init --group api --as pair", "a second group to trade places with"),
)
@click.option("--all", "every", is_flag=True, help="A policy for each group that has none and can be rotated.")
@click.option(
    "--write",
    "folder",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write DIR/GROUP.yaml instead of printing; over a file only with --yes.",
)
@click.option(
    "--as",
    "kind",
    type=click.Choice(["pair"]),
    help="pair: also what makes a second Auto Scaling group, as AWS CLI commands and with --write as Terraform.",
)
@takes_group
@click.pass_obj
def init(session: Session, every: bool, folder: Path | None, kind: str | None) -> int:
    """Find the account's Auto Scaling groups, say how each can be rotated, and write a first policy.

    Changes nothing in AWS.
    """
    name = session.options.group
    if every and name is not None:
        raise UsageError("--all or --group, not both")
    if folder is not None and not every and name is None:
        raise UsageError("--write: which groups?", hint="--group GROUP or --all")
    if kind is not None and (every or name is None):
        raise UsageError("--as pair: which group?", hint="name it with --group")
    from phoenix.views import inventory as view

    found = _read(session, None if every else (name,) if name is not None else ())
    if not every and name is None:
        session.answer(view.render(found, verbose=session.options.verbose > 0), view.document(found))
        return 0
    chosen = _eligible(session, found) if every else [_named(found, str(name))]
    if not every and set(chosen[0].policies) - {chosen[0].group}:
        session.note(f"policy {', '.join(chosen[0].policies)} is about it already; two of them would stop each other")
    if kind is not None:
        return _pair(session, found, chosen[0], folder)
    return _policies(session, found, chosen, folder)


def _pair(session: Session, found: Account, group: ServerGroup, folder: Path | None) -> int:
    """Print or write the policy of a pair, and the script that makes its second half."""
    from phoenix.inventory.half import second_half
    from phoenix.views import first_policy
    from phoenix.views import inventory as view

    half = second_half(session.wiring.aws(), found, group)
    told = first_policy.render(half.pair, found)
    texts = {"yaml": told, "sh": half.script, "tf": half.terraform}
    files = {kind: folder / f"{group.group}{_SUFFIXES[kind]}" for kind in texts} if folder is not None else {}
    _write({file: texts[kind] for kind, file in files.items()}, overwrite=session.options.yes)
    names = {kind: str(file) for kind, file in files.items()}
    shown = view.written_pair(names, half) if names else f"{half.script}\n{told}"
    document: FoundGroup = {
        **_document(half.pair, told, files.get("yaml")),
        "script": half.script,
        "script_written": names.get("sh"),
        "terraform": half.terraform,
        "terraform_written": names.get("tf"),
        "not_carried_over": list(half.left_behind),
    }
    session.answer(shown, {**view.document(found), "groups": [document]})
    return 0


def _read(session: Session, wanted: Sequence[str] | None) -> Account:
    from phoenix.inventory.read import Question, read_account

    wiring = session.wiring
    return read_account(wiring.aws(), Question(wiring.clock.now(), _named_by_policies(session), wanted))


def _named_by_policies(session: Session) -> dict[str, list[str]]:
    """Return the policies by the Auto Scaling groups that they name; none where there are no policies yet."""
    try:
        library = session.wiring.library()
    except UsageError:  # no such directory: `init` is for those who have none yet
        return {}
    for problem in library.all_problems:
        session.note(f"not read: {problem}")
    found: dict[str, list[str]] = {}
    for name, loaded in sorted(library.policies.items()):
        for group in dict.fromkeys(loaded.policy.fleet.slots().values()):
            found.setdefault(group, []).append(name)
    return found


def _named(found: Account, name: str) -> ServerGroup:
    """Return the group of that name, or with an Auto Scaling group of that name.

    Raises:
        UsageError: there is none.
        Blocked: it cannot be rotated.
    """
    groups = {each.group: each for each in found.groups}
    by_name = {name: each for each in found.groups for name in each.auto_scaling_groups} | groups
    if name not in by_name:
        from difflib import get_close_matches

        near = get_close_matches(name, by_name, n=2)
        told = f"; did you mean {' or '.join(near)}?" if near else ""
        raise UsageError(
            f"there is no Auto Scaling group {name!r} in account {found.account}, {found.region}{told}",
            hint="phoenix init lists all groups",
        )
    group = by_name[name]
    if group.fleet is None:
        reasons = "\n".join(each.text for each in group.in_the_way)
        remedies = [each.remedy for each in group.in_the_way if each.remedy]
        raise Blocked(f"{group.group} cannot be rotated: {reasons}", hint=remedies[0] if remedies else None)
    return group


def _eligible(session: Session, found: Account) -> list[ServerGroup]:
    """Return the groups without a policy that can be rotated: a second policy would stop the first."""
    for group in found.groups:
        if group.fleet is None:
            session.note(f"left out: {group.group}: {group.in_the_way[0].text}")
        elif group.policies:
            session.note(f"left out: {group.group}: policy {', '.join(group.policies)} is about it")
    return [group for group in found.groups if group.fleet is not None and not group.policies]


def _policies(session: Session, found: Account, chosen: Sequence[ServerGroup], folder: Path | None) -> int:
    from phoenix.views import first_policy
    from phoenix.views import inventory as view

    texts = {group.group: first_policy.render(group, found) for group in chosen}
    files = {name: folder / f"{name}.yaml" for name in texts} if folder is not None else {}
    _write({files[name]: told for name, told in texts.items() if name in files}, overwrite=session.options.yes)
    document = view.document(found)
    document["groups"] = [_document(group, texts[group.group], files.get(group.group)) for group in chosen]
    if not texts:
        session.note("no group is left to write a policy for")
    shown = view.written(list(files.values()), next(iter(texts))) if files else "---\n".join(texts.values())
    session.answer(shown, document)
    return 0


def _document(group: ServerGroup, told: str, file: Path | None) -> FoundGroup:
    from phoenix.views.inventory import group_document

    return {**group_document(group), "policy": told, "written": None if file is None else str(file)}


def _write(texts: dict[Path, str], *, overwrite: bool) -> None:
    """Write all files, or none where one would be overwritten.

    Raises:
        UsageError: a file is there with another content, or cannot be written.
    """
    try:
        taken = [file for file, told in texts.items() if file.exists() and file.read_text(encoding="utf-8") != told]
        if taken and not overwrite:
            names = ", ".join(map(str, taken))
            raise UsageError(f"{names} would be overwritten; nothing was written", hint="--yes writes over them")
        for file, told in texts.items():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(told, encoding="utf-8")
    except OSError as error:
        raise PhoenixError(f"{error.filename} cannot be written: {error.strerror}") from error
