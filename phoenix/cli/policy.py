"""`policy validate`, `policy schema`, `policy show`: policies without AWS.

Must never ask AWS, unless the policies are in a bucket.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from phoenix.cli.help import HelpedGroup, with_examples
from phoenix.cli.options import common, takes_group
from phoenix.cli.session import Session

if TYPE_CHECKING:
    from phoenix.policy.loader import Library
    from phoenix.views import documents

_PLACE = re.compile(r"(?P<file>.+?):(?P<line>\d+):(?P<column>\d+): (?P<message>.+)", re.DOTALL)
_INVALID = 2


@click.group(cls=HelpedGroup)
@common
def policy() -> None:
    """Validate policies, show one with its defaults, print their schema."""


@with_examples(
    ("phoenix policy validate", "all files"),
    ("phoenix policy validate policies/web.yaml", "one"),
)
@policy.command()
@common
@click.argument("files", nargs=-1, type=click.Path(path_type=Path), metavar="[FILE]...")
@click.pass_obj
def validate(session: Session, files: tuple[Path, ...]) -> int:
    """Report all mistakes at once, with place and corrected line. Never asks AWS."""
    from phoenix.policy.loader import load_files

    library = load_files(files) if files else session.wiring.library()
    session.answer(_verdict(library), _document(library))
    return _INVALID if library.all_problems else 0


def _verdict(library: Library) -> str:
    from phoenix.core.explain import counted
    from phoenix.views.text import clean

    lines = [clean(line) for problem in library.all_problems for line in problem.splitlines()]
    if lines:
        count = counted(len(library.all_problems), "mistake")
        return "\n".join([*lines, "", f"{count} in {counted(len(library.problems), 'file')}."]) + "\n"
    groups = ", ".join(clean(group) for group in library.groups)
    return f"Valid: {groups or 'nothing, there is no policy'}\n"


def _document(library: Library) -> documents.Validation:
    problems = [_problem(problem) for problem in library.all_problems]
    document: documents.Validation = {"valid": not problems, "groups": list(library.groups), "problems": problems}
    if problems:
        message = "\n".join(library.all_problems)
        document["error"] = {"code": "invalid_policy", "message": message, "hint": "each problem names its place"}
    return document


def _problem(text: str) -> documents.Problem:
    found = _PLACE.fullmatch(text)
    if found is None:
        return {"file": None, "line": None, "column": None, "message": text, "correction": None}
    place = found.groupdict()
    return {
        "file": place["file"],
        "line": int(place["line"]),
        "column": int(place["column"]),
        "message": place["message"],
        "correction": place["message"].partition("\n")[2].strip() or None,
    }


@with_examples(
    ("phoenix policy schema > policy.schema.json", "for the editor"),
)
@policy.command()
@common
def schema() -> None:
    """Print the JSON Schema of a policy, for editors."""
    from phoenix.policy.schema import schema_text

    click.echo(schema_text(), nl=False)


@with_examples(
    ("phoenix policy show web", "with every default filled in"),
)
@policy.command()
@takes_group
@click.pass_obj
def show(session: Session) -> int:
    """Print the policy of a group, defaults filled in."""
    from phoenix.policy.show import show as written

    name = session.group_name()
    found = session.wiring.library().find(name).policy
    session.answer(written(found), found.model_dump(mode="json", by_alias=True, exclude_none=True))
    return 0
