"""The help of one command: its own options, an example to copy, then the options of every command.

Must never import any library but click: `--help` waits for this module.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

Made = TypeVar("Made", bound=click.Command)
Example = tuple[str, str]
"""A command line, and in a few words what it is for."""

EVERYWHERE = frozenset(
    {"--output", "--profile", "--region", "--policies", "--store", "--reason", "--yes", "--no-input", "--no-color",
     "--quiet", "--verbose", "--help"}
)  # fmt: skip
"""The options of `options.common`, and --help."""


class Helped(click.Command):
    """A command whose help begins with its own options."""

    examples: Sequence[Example] = ()

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the command's own options, its examples, and the options of every command."""
        own: list[tuple[str, str]] = []
        everywhere: list[tuple[str, str]] = []
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx) if isinstance(param, click.Option) else None
            if record is not None:
                (own if EVERYWHERE.isdisjoint(param.opts) else everywhere).append(record)
        if own:
            with formatter.section("Options"):
                formatter.write_dl(own)
        self._write_examples(formatter)
        if isinstance(self, click.Group):
            self.format_commands(ctx, formatter)
        with formatter.section("Everywhere"):
            formatter.write_dl(everywhere)

    def _write_examples(self, formatter: click.HelpFormatter) -> None:
        if not self.examples:
            return
        width = max(len(line) for line, _ in self.examples)
        with formatter.section("Examples" if len(self.examples) > 1 else "Example"):
            for line, purpose in self.examples:
                formatter.write(f"{'':>{formatter.current_indent}}{line:<{width}}  {purpose}".rstrip() + "\n")


class HelpedGroup(Helped, click.Group):
    """A command with commands of its own, which are made with `@its_name.command()`."""

    command_class: type[click.Command] | None = Helped


def command(*examples: Example) -> Callable[[Callable[..., Any]], click.Command]:
    """Make a command of the function; the examples stand in its help, in this order."""

    def make(function: Callable[..., Any]) -> click.Command:
        return with_examples(*examples)(click.command(cls=Helped)(function))

    return make


def with_examples(*examples: Example) -> Callable[[Made], Made]:
    """Give examples to a command that was made in another way."""

    def add(made: Made) -> Made:
        assert isinstance(made, Helped)  # noqa: S101 - its help would not show them
        made.examples = examples
        return made

    return add
