"""The end of a command: every exception becomes an exit status, and one text or one JSON document.

Must never show a stack trace unless -v asks for it, and never lose one.
"""

from __future__ import annotations

import errno
import io
import os
import re
import sys
import traceback
from typing import TextIO

import click

from phoenix.errors import Blocked, Interrupted, PhoenixError, UsageError

_PLACED = re.compile(r"\S+:[0-9]+:[0-9]+: ")
_UNWRITABLE = frozenset({errno.ENOSPC, errno.EIO, errno.EBADF, errno.EDQUOT})


class Unwritable(PhoenixError):
    """Standard output cannot be written: a full disk, or a closed terminal. The command's work is done all the same."""

    code = "unwritable"


class Defect(PhoenixError):
    """An unforeseen exception; the one kind of error whose text blames phoenix."""

    code = "defect"

    def __init__(self, cause: BaseException) -> None:
        super().__init__(
            f"this is a defect in phoenix: {type(cause).__name__}: {cause}",
            hint="-v shows where; a rotation in flight goes on with the next tick",
        )


def translate(error: BaseException) -> PhoenixError:
    """Return the exception as an error of ours; its `exit_status` is the command's."""
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
    """Print the error as text or JSON; return the exit status."""
    told = translate(error)
    if verbose and not isinstance(error, (click.ClickException, KeyboardInterrupt)):
        traceback.print_exception(error, file=sys.stderr)
    if isinstance(told, Unwritable):
        leave_quietly()
        json = False
    try:
        if json:
            print(_document(told), flush=True)
        else:
            print(_text(told, verbose=verbose), file=sys.stderr, end="", flush=True)
    except BrokenPipeError:  # the reader is gone, and there is no other place to say it
        leave_quietly(sys.stdout if json else sys.stderr)
    return told.exit_status


def never_fail_on_letters() -> None:
    """Print a letter that the terminal cannot show as its number: a rollback must not fail because of an image's name.

    Nor because of a stream that was closed before the start (`>&-`), for which Python has None.
    """
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - lives as long as the program
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def leave_quietly(stream: TextIO | None = None) -> int:
    """The reader of our output (`head`, a pager) has closed the pipe. Python must not complain about that at its
    exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), (stream or sys.stdout).fileno())
    return 0


def _document(error: PhoenixError) -> str:
    from phoenix.views import json as documents

    plan = getattr(error, "plan", None) if isinstance(error, Blocked) else None
    if plan is None:
        return documents.dump(documents.failure(error))
    from phoenix.views import json_plan

    return documents.dump(json_plan.blocked(plan, error))


def _text(error: PhoenixError, *, verbose: bool) -> str:
    plan = getattr(error, "plan", None) if isinstance(error, Blocked) else None
    if plan is not None:
        from phoenix.views import blocked

        return blocked.render(plan, verbose=verbose)
    from phoenix.views.text import clean

    lines = [clean(line) for line in error.message.splitlines()]
    # Lines about a policy file are left unchanged: editors want `file:line:column:` at the beginning of a line.
    if len(lines) == 1 and not _PLACED.match(lines[0]):
        lines = [f"phoenix: {lines[0]}"]
    if error.hint:
        lines.append(f"  try: {clean(error.hint)}")
    return "\n".join(lines) + "\n"
