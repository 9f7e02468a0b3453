"""One command, from what was typed to what is printed: its options, its wiring, its two streams, its interruptions.

Standard output carries the answer and nothing else; everything said meanwhile goes to standard error. Must import no
library at the top: `--help` pays for this module.
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
    """What was typed, besides a command's own options. None and False: not given."""

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
        """True when exactly one JSON document may go to standard output."""
        return self.output == "json"


Wire = Callable[[Options], "Wiring"]


class Session:
    """What a command works with. The wiring is made once, when something first needs it."""

    def __init__(self, wire: Wire | None = None) -> None:
        self.options = Options()
        self._wire = wire or _wire
        self._wiring: Wiring | None = None
        self._kept = ExitStack()

    @property
    def wiring(self) -> Wiring:
        """Settings and policies, put together; what a policy needs is loaded with the first one."""
        if self._wiring is None:
            from phoenix.telemetry import logs

            self._kept.enter_context(logs.restored())
            self._wiring = self._wire(self.options)
        return self._wiring

    def close(self) -> None:
        """Give back what the wiring holds, if there ever was one, and leave the process as it was."""
        with self._kept:
            if self._wiring is not None:
                self._wiring.close()

    def group_name(self) -> str:
        """The group that was named.

        Raises:
            UsageError: none was.
        """
        if self.options.group is None:
            raise UsageError("which group?", hint="phoenix status lists all groups; name one with --group")
        return self.options.group

    def group(self) -> Group:
        """The group that was named, wired."""
        name = self.group_name()
        return self.wiring.group(name)

    def group_from_record(self) -> Group | None:
        """The group that was named, as its last rotation has recorded it; None where that does not suffice."""
        name = self.group_name()
        return self.wiring.group_from_record(name)

    def group_for_rollback(self, *, gone: bool = False) -> Group:
        """The group that was named, even if there is neither a policy nor a store for it, nor what its record names."""
        name = self.group_name()
        return self.wiring.group_for_rollback(name, gone=gone)

    def answer(self, text: str, document: Document) -> None:
        """Print the answer in the form that was asked for."""
        if self.options.json:
            from phoenix.views import json

            print(json.dump(document))
        else:
            self.write(text)

    def write(self, text: str) -> None:
        """Print text to standard output, coloured where a terminal shows it."""
        if self.colour and sys.stdout.isatty():
            from phoenix.views.colour import paint  # costs an import that pipes need not pay for

            paint(text, sys.stdout)
        else:
            sys.stdout.write(text)
        sys.stdout.flush()

    def screen(self, text: str) -> None:
        """Print a screen that replaces the one before, on a terminal; below it elsewhere."""
        if sys.stdout.isatty():
            sys.stdout.write("\x1b[H\x1b[2J")
        self.write(text)

    def note(self, text: str) -> None:
        """Say something on standard error, unless -q."""
        if not self.options.quiet:
            print(text, file=sys.stderr)

    @property
    def colour(self) -> bool:
        """False where nobody wants colour; terminals are told apart by the console itself."""
        return not self.options.no_color and not os.environ.get("NO_COLOR")

    def confirm(self, question: str) -> None:
        """Ask before something that cannot be taken back; `--yes` answers.

        Raises:
            UsageError: nobody can be asked, or the answer was no.
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
        ticks; a second one is obeyed on the spot, and the next tick mends what it cut short."""
        started_at = group.clock.now()
        with stopping_on_signals(group.clock), ExitStack() as screen:
            watch: Watch | None = None

            def show(report: Report) -> None:
                nonlocal watch
                if watch is None:  # a rollback's first tick need not wait for the views
                    watch = screen.enter_context(self._progress(started_at))
                watch(report)

            yield show

    def _progress(self, started_at: datetime) -> AbstractContextManager[Watch]:
        from phoenix.views import progress

        live = not self.options.json and not self.options.verbose  # log lines would tear a live screen
        # Whoever reads log lines as JSON has standard error for them alone.
        quiet = self.options.quiet or self.wiring.settings.log.form == "json"
        manner = progress.Manner(quiet=quiet, colour=self.colour, live=live)
        return progress.watching(sys.stderr, started_at, manner)

    def finish(self, report: Report, text: str) -> int:
        """Answer with a report; its exit status is the command's."""
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
