from __future__ import annotations

import io
from dataclasses import replace

import pytest

from phoenix.core.story import Event
from phoenix.engine.report import Report, watch_nothing
from phoenix.views import status, text
from phoenix.views.progress import Lines, Manner, watching
from tests.views.builders import MINUTE, NOW, START, a_report, a_rotation


def lines_for(*reports: Report) -> list[str]:
    stream = io.StringIO()
    watch = Lines(stream, START)
    for report in reports:
        watch(report)
    return stream.getvalue().splitlines()


def test_the_same_report_twice_adds_no_line() -> None:
    assert lines_for(a_report()) == lines_for(a_report(), a_report())


def test_a_countdown_alone_is_no_change() -> None:
    later = a_report(a_rotation(waiting_for="step 2 of 3: baking at 50 % until 03:04:27 (5m43s left), then 100 %"))

    assert lines_for(a_report(), later) == lines_for(a_report())


def test_each_event_is_told_once() -> None:
    rotation = a_rotation()
    grown = replace(rotation, events=(*rotation.events, Event(NOW, "step 3", "gates passed; 100 %")))

    told = lines_for(a_report(rotation), a_report(grown))

    assert [line.split("gates passed; ")[1] for line in told if "gates passed" in line] == ["5 %", "50 %", "100 %"]


def test_events_from_before_the_command_are_not_told_again() -> None:
    stream = io.StringIO()

    Lines(stream, START + 5 * MINUTE)(a_report())

    assert "gates passed; 5 %" not in stream.getvalue()
    assert "gates passed; 50 %" in stream.getvalue()


def test_quiet_shows_nothing() -> None:
    with watching(io.StringIO(), START, Manner(quiet=True)) as watch:
        assert watch is watch_nothing


def test_a_pipe_gets_lines() -> None:
    with watching(io.StringIO(), START, Manner()) as watch:
        assert isinstance(watch, Lines)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_the_status_screen_kept_up_to_date() -> None:
    terminal = Terminal()

    with watching(terminal, START, Manner()) as watch:
        watch(a_report())

    assert "ROTATING" in terminal.getvalue()
    assert "Ctrl-C is safe" in terminal.getvalue()


@pytest.mark.parametrize("height", [24, 30, 60])
def test_a_small_terminal_keeps_what_is_so_and_what_to_type(height: int) -> None:
    screen = status.render(a_report(), driving=True)

    shown = text.fitted(screen, height, "phoenix status --group web").splitlines()

    assert len(shown) < height or height == 60
    assert shown[0] == screen.splitlines()[0]
    for kept in ("ROTATING", "phoenix rollback --group web", "phoenix pause --group web", "phoenix promote"):
        assert kept in "\n".join(shown)
    assert ("more line" in "\n".join(shown)) == (height == 24)


def test_the_longest_table_gives_way_first() -> None:
    screen = text.screen(["head"], ["ROTATING"], [f"instance {n}" for n in range(40)], ["gate", "alarm"], ["rollback"])

    shown = text.fitted(screen, 20, "more").splitlines()

    assert shown[:3] == ["head", "", "ROTATING"]
    assert shown[-5:] == ["gate", "alarm", "  ... 29 more lines: more", "", "rollback"]
    assert len(shown) == 19


def test_colour_only_repeats_what_a_word_says() -> None:
    from phoenix.views.colour import painted

    text = "BLOCKED  2 blockers\nphoenix plan --group web   reads only\n"

    assert painted(text).plain == text
    assert {span.style for span in painted(text).spans} == {"bold red", "cyan"}
