"""`completion`, and the group names that shells complete.

Must never ask AWS, and never fail: a Tab that waits or shows an error is worse than no completion.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import click

from phoenix.cli.options import common

_GROUP = re.compile(r"""^group:[ \t]*(['"]?)([A-Za-z0-9][A-Za-z0-9._-]*)\1""", re.MULTILINE)
_RESERVED = {"phoenix.yaml", "phoenix.yml"}


@click.command()
@common
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script: eval "$(phoenix completion bash)"."""
    from click.shell_completion import get_completion_class

    from phoenix.cli import root

    written_for = get_completion_class(shell)
    assert written_for is not None  # noqa: S101 - the choice above lists what click knows
    print(written_for(root, {}, "phoenix", "_PHOENIX_COMPLETE").source())


def known_groups(policies: str | None) -> list[str]:
    """Return the groups of the files in the policy directory, found without parsing; none if there is no such
    directory."""
    where = policies or os.environ.get("PHOENIX_POLICIES") or _policies_of_env_file() or "policies"
    files = sorted(path for path in Path(where).glob("*.y*ml") if path.name not in _RESERVED)
    return [name for path in files if (name := _group_in(path)) is not None]


def _policies_of_env_file() -> str | None:
    if not Path(".env").exists():
        return None
    from phoenix.settings import read_env_file  # slow to import, so only if there is a file to read

    return str(read_env_file().values.get("policies") or "") or None


def _group_in(path: Path) -> str | None:
    try:
        found = _GROUP.search(path.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return None
    return found.group(2) if found else None
