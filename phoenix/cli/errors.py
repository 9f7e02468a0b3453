"""How a command ends: every exception becomes an exit status, and one text or one JSON document.

Must never show a stack trace unasked, and never swallow one: -v prints it.
"""

from __future__ import annotations

import errno
import io
import os
import re
import sys
import traceback

import click

from phoenix.errors import Blocked, Interrupted, PhoenixError, UsageError

_PLACED = re.compile(r"\S+:[0-9]+:[0-9]+: ")
_UNWRITABLE = frozenset({errno.ENOSPC, errno.EIO, errno.EBADF, errno.EDQUOT})


class Unwritable(PhoenixError):
    """Standard output takes no more: a full disk, a terminal that is gone. What the command did is done."""

    code = "unwritable"


class Defect(PhoenixError):
    """Something that nobody foresaw; the one kind of error whose text blames phoenix."""

    code = "defect"

    def __init__(self, cause: BaseException) -> None:
        super().__init__(
            f"this is a defect in phoenix: {type(cause).__name__}: {cause}",
            hint="once more with -v shows where; whatever was in flight goes on with the next tick",
        )


def translate(error: BaseException) -> PhoenixError:
    """What went wrong, as an error of ours; its `exit_status` is the command's."""
    match error:
        case PhoenixError():
            return error
        case click.UsageError():
            path = error.ctx.command_path if error.ctx is not None else "phoenix"
            return UsageError(error.format_message(), hint=f"{path} --help")
        case click.ClickException():
            return UsageError(error.format_message())
        case KeyboardInterrupt() | click.Abort():
            return Interrupted("interrupted", hint="the same command again goes on where this one stopped")
        case OSError() if error.filename is None and error.errno in _UNWRITABLE:
            return Unwritable(f"cannot write to standard output: {error.strerror}")
        case _:
            return Defect(error)


def show(error: BaseException, *, json: bool, verbose: bool) -> int:
    """Say it, in the form that was asked for; return the exit status."""
    told = translate(error)
    if verbose and not isinstance(error, (click.ClickException, KeyboardInterrupt)):
        traceback.print_exception(error, file=sys.stderr)
    if isinstance(told, Unwritable):
        leave_quietly()
        json = False
    if json:
        from phoenix.views import json as documents

        plan = getattr(told, "plan", None) if isinstance(told, Blocked) else None
        document = documents.failure(told) if plan is None else documents.blocked(plan, told)
        print(documents.dump(document))
    else:
        print(_text(told, verbose=verbose), file=sys.stderr, end="")
    return told.exit_status


def never_fail_on_letters() -> None:
    """A terminal that cannot show a letter gets its number: a rollback must not die of an image's name.

    Nor of a stream that was closed before it began (`>&-`), for which Python has None.
    """
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - lives as long as the program
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def leave_quietly() -> int:
    """Whoever read our output (`head`, a pager) has seen enough. Python must not complain about it on its way out."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _text(error: PhoenixError, *, verbose: bool) -> str:
    plan = getattr(error, "plan", None) if isinstance(error, Blocked) else None
    if plan is not None:
        from phoenix.views import blocked

        return blocked.render(plan, verbose=verbose)
    from phoenix.views.text import clean

    lines = [clean(line) for line in error.message.splitlines()]
    # What stands in a policy file is left as it is: editors want `file:line:column:` at the beginning of a line.
    if len(lines) == 1 and not _PLACED.match(lines[0]):
        lines = [f"phoenix: {lines[0]}"]
    if error.hint:
        lines.append(f"  try: {clean(error.hint)}")
    return "\n".join(lines) + "\n"
