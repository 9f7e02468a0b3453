"""Tests of tests/isolation.py: what a test leaves is told, and gone."""

from __future__ import annotations

import gc
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.isolation import put_back, take


def _log() -> None:
    logger = logging.getLogger("phoenix")
    logger.addHandler(logging.StreamHandler())
    logger.propagate = False


LEAKS: list[tuple[str, Callable[[], object]]] = [
    ("environment: PHOENIX_LEFT", lambda: os.environ.update(PHOENIX_LEFT="1")),
    ("working directory", lambda: os.chdir("/")),
    ("signal handlers: SIGTERM", lambda: signal.signal(signal.SIGTERM, signal.SIG_IGN)),
    ("garbage collection", lambda: gc.set_threshold(123_456)),
    ("loggers: phoenix", _log),
    ("loggers: ", lambda: logging.getLogger().setLevel(logging.CRITICAL)),
]


@pytest.mark.parametrize(("told", "leak"), LEAKS, ids=[told for told, _ in LEAKS])
def test_what_is_left_is_told_and_put_back(told: str, leak: Callable[[], object]) -> None:
    before = take()
    leak()

    left = put_back(before)

    assert len(left) == 1
    assert left[0].startswith(told)
    assert put_back(before) == []


def test_a_thread_that_still_runs_is_told() -> None:
    before, over = take(), threading.Event()
    thread = threading.Thread(target=over.wait, name="left")
    thread.start()

    left = put_back(before)
    over.set()
    thread.join()

    assert [each for each in left if each.startswith("threads: ") and "'left'" in each]


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="programs are known from /proc alone")
def test_a_program_that_still_runs_is_told() -> None:
    before = take()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as program:
        left = put_back(before)

    assert left == [f"programs: {program.pid}: None became 'runs'"]


def test_a_logger_that_was_only_asked_for_is_no_change() -> None:
    before = take()
    logging.getLogger("phoenix.never.asked.for.before")

    assert put_back(before) == []
