"""A command line of phoenix, read as click reads it, and not run."""

from __future__ import annotations

from collections.abc import Sequence

import click

from phoenix.cli import root
from phoenix.cli.session import Session


def understand(words: Sequence[str]) -> None:
    """Read the words after `phoenix`.

    Raises:
        click.UsageError: there is no such command or option.
    """
    command: click.Command = root
    left = list(words)
    context = click.Context(root, info_name="phoenix", obj=Session(None))
    while isinstance(command, click.Group) and left and left[0] != "--help":
        name, found, left = command.resolve_command(context, left)
        assert found is not None
        assert name is not None
        command, context = found, click.Context(found, info_name=name, parent=context)
    command.parse_args(context, left)
