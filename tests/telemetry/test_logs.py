from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from contextlib import redirect_stderr
from typing import Any

import pytest

from phoenix.telemetry import topic
from phoenix.telemetry.logs import NEWS, configure, restored

log = logging.getLogger("phoenix.some.part")


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    logger = logging.getLogger("phoenix")
    handlers, level, propagate = tuple(logger.handlers), logger.level, logger.propagate
    yield
    logger.handlers[:] = handlers
    logger.setLevel(level)
    logger.propagate = propagate
    logging.getLogger(NEWS).setLevel(logging.NOTSET)


def written(form: str, event: str, level: str = "warning", **facts: object) -> str:
    stream = io.StringIO()
    configure(form, level, stream)
    log.warning(event, extra=facts)
    return stream.getvalue()


def test_a_text_line_is_the_event_and_its_facts() -> None:
    line = written("text", "tick.failed", group="web", reason="no answer", took_ms=41, step=None)

    assert line.endswith('Z WARNING tick.failed group=web reason="no answer" took_ms=41 step=null\n')


def test_a_json_line_is_one_object_with_the_facts_as_they_are() -> None:
    line = json.loads(written("json", "tick.failed", group="web", took_ms=41, healthy=True))

    assert line.pop("at").endswith("Z")
    assert line == {
        "level": "warning",
        "event": "tick.failed",
        "logger": "phoenix.some.part",
        "group": "web",
        "took_ms": 41,
        "healthy": True,
    }


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("nasty", ["\x1b[2J", "a\nb", "\x7f", "\x9b1A", "\u202eabc", "\u2028", "\r"])
def test_a_name_can_neither_move_the_cursor_nor_forge_a_line(form: str, nasty: str) -> None:
    line = written(form, "tick.failed", group=nasty, more=[nasty], inner={"of": nasty}).removesuffix("\n")

    assert line.isprintable()


@pytest.mark.parametrize("form", ["text", "json"])
def test_secrets_are_blotted_out(form: str) -> None:
    line = written(form, "news.sent", webhook_url="hush", session_token="hush", facts={"Password": "hush"})

    assert "hush" not in line
    assert line.count("***") == (3 if form == "json" else 2)  # facts below a fact are in JSON only


def test_a_person_gets_the_news_as_a_sentence_and_a_machine_gets_all_facts() -> None:
    said: dict[str, Any] = {"subject": "web: held", "text": "why", "facts": {"event": "held"}}

    assert written("text", "news", **said).endswith(' news subject="web: held" text=why\n')
    assert json.loads(written("json", "news", **said))["facts"] == {"event": "held"}


def test_a_json_line_says_in_which_trace_it_is_while_a_rotation_is_worked_on() -> None:
    with topic.about(topic.Topic("web-2-aaaa", "a" * 32, "b" * 16)):
        line = json.loads(written("json", "tick.failed", group="web"))

    assert (line["trace_id"], line["span_id"]) == ("a" * 32, "b" * 16)
    assert "trace_id" not in json.loads(written("json", "tick.failed"))


def test_the_level_decides_what_is_written() -> None:
    assert written("text", "tick.failed", level="error") == ""


def test_news_are_written_whatever_the_level() -> None:
    stream = io.StringIO()
    configure("text", "error", stream)

    logging.getLogger(NEWS).info("news")

    assert "INFO news" in stream.getvalue()


def test_a_stack_trace_follows_below_in_text_and_inside_in_json() -> None:
    for form in ("text", "json"):
        stream = io.StringIO()
        configure(form, "error", stream)
        try:
            raise ValueError("bad\x1b")
        except ValueError:
            log.exception("tick.broke")

        assert "Traceback" in stream.getvalue()
        assert "\x1b" not in stream.getvalue()


def test_configuring_twice_writes_each_line_once() -> None:
    configure("text", "warning", io.StringIO())

    assert written("text", "tick.failed").count("tick.failed") == 1


def test_other_libraries_are_left_alone() -> None:
    configure("text", "debug", io.StringIO())

    assert not logging.getLogger("botocore").isEnabledFor(logging.DEBUG)


def test_lines_go_to_what_stands_for_standard_error_at_that_moment(capsys: pytest.CaptureFixture[str]) -> None:
    with restored():
        configure("text", "info")
        screen = io.StringIO()
        with redirect_stderr(screen):
            logging.getLogger("phoenix.test").info("news")

    assert "INFO news" in screen.getvalue()
    assert capsys.readouterr().err == ""
