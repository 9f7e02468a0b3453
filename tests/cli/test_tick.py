"""`tick` on the command line: what cron puts into its mail."""

from __future__ import annotations

from tests.cli.conftest import Terminal


def test_tick_tells_several_problems_line_by_line(phoenix: Terminal) -> None:
    (phoenix.folder / "web.yaml").write_text("version: 1\ngroup: web\nflet: {}\ntrafic: {}\n")

    answer = phoenix("tick")

    assert answer.status == 2
    assert "\\x0a" not in answer.err
