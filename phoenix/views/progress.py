"""The progress of a drive: on a terminal the status screen, kept up to date; elsewhere a line per change.

Must write to standard error only, and must never cost the drive anything: no call, no wait.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TextIO

from phoenix.core.rotation import Rotation
from phoenix.engine.report import Report, Watch, watch_nothing
from phoenix.views import status, text

_CTRL_C = "Ctrl-C is safe: the next tick goes on."


@dataclass(frozen=True, slots=True)
class Manner:
    """The way to show progress. `live` False: lines, even on a terminal."""

    quiet: bool = False
    colour: bool = True
    live: bool = True


@contextmanager
def watching(stream: TextIO, started_at: datetime, manner: Manner) -> Iterator[Watch]:
    """Yield the watch that suits the stream; the live screen goes when the block ends, lines stay."""
    if manner.quiet:
        yield watch_nothing
    elif manner.live and stream.isatty():
        with _screen(stream, colour=manner.colour) as watch:
            yield watch
    else:
        yield Lines(stream, started_at)


class Lines:
    """Prints one line for each change: events as they are recorded, and the sentence when the rotation moves on."""

    def __init__(self, stream: TextIO, started_at: datetime) -> None:
        self._stream = stream
        self._started_at = started_at
        self._told = 0
        self._rotation: str | None = None
        self._where: tuple[object, ...] | None = None

    def __call__(self, report: Report) -> None:
        """Print the news since the last report."""
        rotation = report.record.rotation
        if rotation is None:
            return
        if self._rotation != rotation.id:
            self._begin(report, rotation)
        for event in rotation.events[self._told :]:
            self._line(event.at, event.name, event.text)
        self._told = len(rotation.events)
        where = (rotation.step, rotation.weight, rotation.phase, rotation.held, rotation.paused)
        if where != self._where:
            self._where = where
            if rotation.in_flight:  # the end is an event already
                phase = str(rotation.phase).replace("_", " ")
                sentence = rotation.waiting_for or report.sentence
                self._line(report.at, phase, sentence.removeprefix(phase).lstrip(": "))

    def _begin(self, report: Report, rotation: Rotation) -> None:
        self._rotation = rotation.id
        # Events from before this command are left to `history`.
        self._told = sum(event.at < self._started_at for event in rotation.events)
        print(text.header(report.group, report.about, report.at), file=self._stream, flush=True)

    def _line(self, at: datetime, name: str, sentence: str) -> None:
        first = f"  {'+' + text.short(at - self._started_at):<7} {text.clean(name):<13} "
        print("\n".join(text.paragraph(sentence, first=first, rest=" " * len(first))), file=self._stream, flush=True)


@contextmanager
def _screen(stream: TextIO, *, colour: bool) -> Iterator[Callable[[Report], None]]:
    from rich.live import Live

    from phoenix.views.colour import console, painted

    shown = console(stream, colour=colour)
    with Live(console=shown, auto_refresh=False, transient=True) as live:

        def watch(report: Report) -> None:
            screen = f"{status.render(report, driving=True)}{_CTRL_C}\n"
            more = text.command("status", report.group)
            live.update(painted(text.fitted(screen, shown.height, more)), refresh=True)

        yield watch
