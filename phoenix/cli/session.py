"""One command, from typing to printing: its options, its wiring, its two streams, its interruptions.

Standard output carries the answer only; progress and notes go to standard error. Must never import a library at the
top: `--help` waits for this module.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from phoenix.cli.signals import stopping_on_signals
from phoenix.errors import UsageError

if TYPE_CHECKING:
    from datetime import datetime

    from phoenix.engine.group import Group
    from phoenix.engine.report import Report, Watch
    from phoenix.wiring import Wiring

Document = Mapping[str, Any] | Sequence[Mapping[str, Any]]


@dataclass(slots=True)
class Options:
    """The common options as typed. None and False: not given."""

    group: str | None = None
    output: str = "text"
    profile: str | None = None
    region: str | None = None
    policies: str | None = None
    store: str | None = None
    reason: str | None = None
    yes: bool = False
    no_input: bool = False
    no_color: bool = False
    quiet: bool = False
    verbose: int = 0

    @property
    def json(self) -> bool:
        """True if exactly one JSON document may go to standard output."""
        return self.output == "json"


Wire = Callable[[Options], "Wiring"]


class Session:
    """The surroundings of one command. The wiring is made once, on first use."""

    def __init__(self, wire: Wire | None = None) -> None:
        self.options = Options()
        self._wire = wire or _wire
        self._wiring: Wiring | None = None
        self._kept = ExitStack()

    @property
    def wiring(self) -> Wiring:
        """The wiring of settings and policies; the modules for policies are loaded with the first one."""
        if self._wiring is None:
            from phoenix.telemetry import logs

            self._kept.enter_context(logs.restored())
            self._wiring = self._wire(self.options)
            if self.options.verbose > 1:
                self._kept.enter_context(self._counting())
        return self._wiring

    def close(self) -> None:
        """Close the wiring, if it was ever made, and leave the process as it was."""
        with self._kept:
            if self._wiring is not None:
                self._wiring.close()

    @contextmanager
    def _counting(self) -> Iterator[None]:
        """Say at the end what was asked of AWS; as JSON, each request is a line already."""
        from phoenix.telemetry import tally

        with tally.counted() as calls:
            yield
        if self.wiring.settings.log.form != "json":
            self.note(str(calls))

    def group_name(self) -> str:
        """Return the named group.

        Raises:
            UsageError: none was.
        """
        if self.options.group is None:
            raise UsageError("which group?", hint="phoenix status lists all groups; name one with --group")
        return self.options.group

    def group(self) -> Group:
        """Return the named group, wired."""
        name = self.group_name()
        return self.wiring.group(name)

    def group_from_record(self) -> Group | None:
        """Return the named group as its last rotation recorded it; None if that does not suffice."""
        name = self.group_name()
        return self.wiring.group_from_record(name)

    def group_for_rollback(self, *, gone: bool = False) -> Group:
        """Return the named group, even if it has no policy and no store, and the Auto Scaling groups of its record are
        gone."""
        name = self.group_name()
        return self.wiring.group_for_rollback(name, gone=gone)

    def answer(self, text: str, document: Document) -> None:
        """Print the answer as text or JSON."""
        if self.options.json:
            from phoenix.views import json

            print(json.dump(document))
        else:
            self.write(text)

    def write(self, text: str) -> None:
        """Print text to standard output, coloured on a terminal."""
        if self.colour and sys.stdout.isatty():
            from phoenix.views.colour import paint  # an import that pipes do not need

            paint(text, sys.stdout)
        else:
            sys.stdout.write(text)
        sys.stdout.flush()

    def screen(self, text: str, more: str) -> None:
        """Show a screen that is kept up to date: on a terminal it replaces the previous one and fits into it, elsewhere
        it goes below. `more` is the command that shows all of it."""
        if sys.stdout.isatty():
            from shutil import get_terminal_size

            from phoenix.views.text import fitted

            sys.stdout.write("\x1b[H\x1b[2J")
            text = fitted(text, get_terminal_size().lines, more)
        self.write(text)

    def note(self, text: str) -> None:
        """Say something on standard error, unless -q."""
        if not self.options.quiet:
            print(text, file=sys.stderr)

    @property
    def colour(self) -> bool:
        """False if colour is switched off; the console itself recognises a terminal."""
        return not self.options.no_color and not os.environ.get("NO_COLOR")

    @property
    def width(self) -> int:
        """The columns of the terminal; as many as every screen fits into where there is none, or a narrower one."""
        import shutil

        from phoenix.views import text

        return max(shutil.get_terminal_size().columns, text.WIDTH) if sys.stdout.isatty() else text.WIDTH

    def confirm(self, question: str) -> None:
        """Ask before a change that cannot be undone; `--yes` answers.

        Raises:
            UsageError: there is no terminal to ask on, or the answer was no.
        """
        if self.options.yes:
            return
        if self.options.no_input or not sys.stdin.isatty():
            raise UsageError(f"this needs a yes: {question}", hint="add --yes")
        print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
        if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
            raise UsageError("not confirmed; nothing was changed")

    @contextmanager
    def driving(self, group: Group) -> Iterator[Watch]:
        """Follow a drive on standard error. A first Ctrl-C or SIGTERM stops the clock, and the engine ends between two
        ticks. A second one ends the command at once, and the next tick completes the interrupted work."""
        started_at = group.clock.now()
        with stopping_on_signals(group.clock), ExitStack() as screen:
            watch: Watch | None = None

            def show(report: Report) -> None:
                nonlocal watch
                if watch is None:  # a rollback's first tick must not wait for the views
                    watch = screen.enter_context(self._progress(started_at))
                watch(report)

            yield show

    def _progress(self, started_at: datetime) -> AbstractContextManager[Watch]:
        from phoenix.views import progress

        live = not self.options.json and not self.options.verbose  # log lines would tear a live screen
        # With log lines as JSON, standard error is for them alone.
        quiet = self.options.quiet or self.wiring.settings.log.form == "json"
        manner = progress.Manner(quiet=quiet, colour=self.colour, live=live)
        return progress.watching(sys.stderr, started_at, manner)

    def finish(self, report: Report, text: str) -> int:
        """Print a report; its exit status is the command's."""
        from phoenix.views import json

        self.answer(text, json.report(report))
        return report.exit_status


def _wire(options: Options) -> Wiring:
    from phoenix.settings import Log, read_settings
    from phoenix.wiring import Overrides, open_wiring

    settings = read_settings(policies=options.policies, store=options.store)
    if options.verbose:
        level = "info" if options.verbose == 1 else "debug"
        settings = settings.model_copy(update={"log": Log(settings.log.form, level)})
    return open_wiring(settings, Overrides(profile=options.profile, region=options.region))
