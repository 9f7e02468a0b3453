"""The command line: parse, call, render. One module per family of commands, loaded when one of them is typed.

Must never import AWS, pydantic or rich at the top: `phoenix --help` must answer at once.
"""

from __future__ import annotations

import gc
import importlib
import sys
from collections.abc import Sequence

import click

from phoenix.cli import errors, usage, versions
from phoenix.cli.options import asks_for_json, common
from phoenix.cli.session import Session, Wire
from phoenix.cli.signals import terminable

__all__ = ["main"]

COMMANDS = {
    "status": "status",
    "rollback": "rollback",
    "pause": "control",
    "resume": "control",
    "abort": "rollback",
    "plan": "rotate",
    "rotate": "rotate",
    "promote": "control",
    "retry": "rotate",
    "drill": "drill",
    "history": "history",
    "report": "report",
    "ui": "ui",
    "images": "images",
    "drift": "drift",
    "taint": "taint",
    "untaint": "taint",
    "init": "init",
    "policy": "policy",
    "doctor": "doctor",
    "iam": "iam",
    "tick": "tick",
    "repair": "repair",
    "demo": "demo",
    "sandbox": "sandbox",
    "completion": "completion",
}
"""Maps a command to its module; the function in the module has the command's name."""


GARBAGE_THRESHOLD = 200_000
"""New objects between two garbage collections. The start of a command makes about 100,000, and hardly any is garbage.
At Python's own pace (700) they are searched a hundred times, and a rollback's first write comes 50 ms later."""


class Commands(click.Group):
    """All commands; only the typed one is imported."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return every command, in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of the command; None if there is no such command."""
        module = COMMANDS.get(cmd_name)
        if module is None:
            return None
        command = getattr(importlib.import_module(f"phoenix.cli.{module}"), cmd_name)
        assert isinstance(command, click.Command)  # noqa: S101 - the table above is wrong otherwise
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; for a misspelt one, name the nearest."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            import difflib

            near = difflib.get_close_matches(args[0], COMMANDS, n=1)
            ctx.fail(f"no such command: {args[0]!r}" + (f"; did you mean {near[0]}?" if near else ""))
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        """Run the command. A reader that closes the pipe (`head`, a pager) is no failure; click would exit 1."""
        try:
            status: object = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            return errors.leave_quietly()
        return status

    def get_help(self, ctx: click.Context) -> str:
        """Write the hand-written help; click's own would import every command to list it."""
        return usage.TEXT.rstrip("\n")


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]}, no_args_is_help=False)
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=versions.show)
@common
def root() -> None:
    """Replaces the servers of an Auto Scaling group, and brings the old ones back."""


def main(argv: Sequence[str] | None = None, wire: Wire | None = None) -> int:
    """Run one command and return its exit status. `wire` makes the wiring from the options; tests pass their own."""
    words = list(sys.argv[1:] if argv is None else argv) or ["--help"]
    collected = gc.get_threshold()
    gc.set_threshold(GARBAGE_THRESHOLD)
    session = Session(wire)
    errors.never_fail_on_letters()
    try:
        with terminable():
            status = root.main(args=words, prog_name="phoenix", obj=session, standalone_mode=False)
        return status if isinstance(status, int) else 0
    except SystemExit:  # click's own answer to a closed pipe, below --help and --version
        return errors.leave_quietly()
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the outermost frame: whatever it is, one sentence
        json = session.options.json or asks_for_json(words)
        return errors.show(error, json=json, verbose=session.options.verbose > 0)
    finally:
        session.close()
        gc.set_threshold(*collected)
