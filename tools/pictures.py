"""Pictures of terminals for docs/: `python -m tools.pictures`, or `make pictures`.

Each is what a real command prints, run here against the sandbox with a clock that stands still between sleeps. Must
never draw what no command has printed, nor name a font or a file of another host.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

from phoenix.aws.session import Aws
from phoenix.cli import main as phoenix
from phoenix.cli.session import Options
from phoenix.sandbox import ManualClock, Sandbox
from phoenix.settings import Settings
from phoenix.wiring import Overrides, Wiring

FOLDER: Final = Path(__file__).parents[1] / "docs" / "pictures"
COLUMNS: Final = 80
POLICY: Final = """\
group: web
owner: team-web
fleet: {kind: pair, blue: web-blue, green: web-green}
traffic: alb
image: {kind: search, owners: [self], name: "web-*", tags: {service: web, channel: stable}}
strategy: {kind: canary, steps: [{weight: 10, bake: 10m}, {weight: 50, bake: 10m}], bake: 10m}
gates:
  - {kind: target_health, healthy_for: 30s}
  - {kind: alarm, alarms: [web-5xx]}
"""
FORMAT: Final = """\
<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg" role="img">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  font-size: {char_height}px; line-height: {line_height}px; }}
.{unique_id}-title {{ font-family: sans-serif; font-size: 18px; }}
{styles}
</style>
<defs><clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/></clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g></g></svg>
"""


class Screen(io.StringIO):
    """Keeps its text, and says that it is a terminal: commands paint for it."""

    def isatty(self) -> bool:
        """True: this is what colour depends on."""
        return True


@dataclass(slots=True)
class Terminal:
    """A person who types commands in a folder with one policy, beside a sandbox."""

    sandbox: Sandbox
    clock: ManualClock
    folder: Path

    def __call__(self, words: str) -> str:
        """Run a command; return what it prints on standard output, with its colours."""
        shown = Screen()
        with redirect_stdout(shown), redirect_stderr(io.StringIO()):
            phoenix(words.split()[1:], self._wire)
        return shown.getvalue()

    def _wire(self, options: Options) -> Wiring:
        settings = Settings(policies=str(self.folder), store=f"sqlite:///{self.folder}/phoenix.db")
        aws = Aws(session=self.sandbox.session, threads=1)
        return Wiring(settings, Overrides(clock=self.clock, aws=aws, driver="laptop/4711", by="you@laptop"))


def main(folder: Path = FOLDER) -> int:
    """Write every picture to the folder; return the exit status."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pictures().items():
        path = folder / f"{name}.svg"
        path.write_text(text, encoding="utf-8")
        print(f"pictures: {path.name}, {len(text) / 1000:.0f} kB")
    return 0


def pictures() -> Mapping[str, str]:
    """Every picture by its name."""
    with _as_a_terminal(), TemporaryDirectory() as folder:
        shown = dict(_play(Path(folder)))
    return {
        name: text if text.startswith("<svg") else drawn(name, words, text) for name, (words, text) in shown.items()
    }


def _play(folder: Path) -> Iterator[tuple[str, tuple[str, str]]]:
    """One rotation of one group and its rollback; a picture is the name, the words typed and what they printed."""
    clock = ManualClock()
    with Sandbox(clock=clock) as sandbox:
        terminal = Terminal(sandbox, clock, folder)

        def typed(words: str) -> tuple[str, str]:
            return words, terminal(words)

        for name in ("api", "batch", "edge", "tcp"):
            sandbox.seed(name)
        yield "init", typed("phoenix init")
        (folder / "web.yaml").write_text(POLICY, encoding="utf-8")
        yield "plan", typed("phoenix plan --group web")
        _tick_until(terminal, "baking at 10 %")
        clock.advance(240)
        terminal("phoenix tick")
        yield "status", typed("phoenix status --group web")
        _tick_until(terminal, "AT REST")
        yield "at-rest", typed("phoenix status --group web")
        clock.advance(480)
        yield "rollback", typed("phoenix rollback --group web --reason checkout-is-slow")
        yield "history", typed("phoenix history --group web")
        yield "timeline", typed("phoenix report --group web --svg --output -")
    yield "caught", _after_a_bad_day(folder, "bad-image", POLICY)
    yield "held", _after_a_bad_day(folder, "alarm", POLICY + "on_failure: pause\n")


def _after_a_bad_day(folder: Path, scenario: str, policy: str) -> tuple[str, str]:
    """The status of the group after phoenix has tried to rotate it on such a day."""
    clock = ManualClock()
    (folder / "phoenix.db").unlink()
    (folder / "web.yaml").write_text(policy, encoding="utf-8")
    with Sandbox(clock=clock, scenario=scenario) as sandbox:
        terminal = Terminal(sandbox, clock, folder)
        terminal("phoenix rotate --group web")
        words = "phoenix status --group web"
        return words, terminal(words)


def _tick_until(terminal: Terminal, words: str) -> None:
    """Let a minute pass and a tick come, as by cron, until the status has the words.

    Raises:
        RuntimeError: an hour has not brought them.
    """
    for _ in range(60):
        terminal("phoenix tick")
        if words in " ".join(Text.from_ansi(terminal("phoenix status --group web")).plain.split()):
            return
        terminal.clock.advance(60)
    raise RuntimeError(f"the status does not say {words!r} after an hour")


def drawn(name: str, words: str, text: str) -> str:
    """A terminal of 80 columns in which the words were typed, as SVG."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), highlight=False)
    console.print(Text(f"$ {words}\n", style="bold"))
    console.print(Text.from_ansi(text.rstrip("\n") + "\n"))
    return console.export_svg(title="", theme=MONOKAI, code_format=FORMAT, unique_id=f"phoenix-{name}")


@contextmanager
def _as_a_terminal() -> Iterator[None]:
    """Let commands find a terminal of 80 columns with colours, whatever this one is."""
    wanted = {"COLUMNS": str(COLUMNS), "LINES": "50", "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    before = dict(os.environ)
    os.environ.pop("NO_COLOR", None)
    os.environ.update(wanted)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


if __name__ == "__main__":
    sys.exit(main())
