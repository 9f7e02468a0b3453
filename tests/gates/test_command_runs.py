"""Real programs, in processes that outlive the driver; each test waits for the process that it has begun."""

from __future__ import annotations

import fcntl
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from phoenix.gates.command_run import TAIL
from phoenix.gates.command_runs import KEPT_FOR, Asked, Ended, Runs

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    return Runs(tmp_path / "gates")


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


def to_its_end(runs: Runs, command: Sequence[str], *, seconds: float = 30, name: str = "run") -> Ended | None:
    asked = Asked(command, "the question", {"PHOENIX_GROUP": "web"}, timedelta(seconds=seconds))
    begun = runs.begin(name, asked, LONG_AGO)
    assert begun is not None
    begun.wait(60)
    return runs.ended(name)


def test_it_gets_the_question_on_its_standard_input_and_the_environment_on_top_of_ours(runs: Runs) -> None:
    told = to_its_end(
        runs, python("import os, sys; print(sys.stdin.read(), os.environ['PHOENIX_GROUP'], len(os.environ) > 2)")
    )

    assert told == Ended(0, "the question web True\n")


def test_a_program_that_reads_no_question_is_no_failure(runs: Runs) -> None:
    assert to_its_end(runs, ("true",)) == Ended(0, "")


@pytest.mark.parametrize(
    ("code", "status"), [("raise SystemExit(75)", 75), ("import os; os.kill(os.getpid(), 15)", -15)]
)
def test_its_status_or_the_signal_that_ended_it_is_kept(runs: Runs, code: str, status: int) -> None:
    assert to_its_end(runs, python(code)) == Ended(status, "")


def test_one_that_cannot_be_started_says_why(runs: Runs) -> None:
    assert to_its_end(runs, ("/nowhere/smoke",)) == Ended(None, "/nowhere/smoke: No such file or directory")


def test_a_word_that_no_program_can_be_given_is_not_tried_for_ever(runs: Runs) -> None:
    told = to_its_end(runs, ("true", "a\0b"))

    assert told is not None
    assert told.exit is None
    assert "null byte" in told.tail


def test_a_folder_or_a_file_that_may_not_run_says_why(runs: Runs, tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("exit 0")

    assert to_its_end(runs, (str(tmp_path / "plain"),)) == Ended(None, f"{tmp_path / 'plain'}: Permission denied")
    assert to_its_end(runs, (str(tmp_path),), name="folder") == Ended(None, f"{tmp_path}: Permission denied")


FOR_EVER = """
import os, pathlib, sys, time
pathlib.Path(sys.argv[1]).write_text(str(os.getpid()))
time.sleep(60)
"""


def test_one_that_uses_up_its_time_is_stopped_with_all_that_it_has_started(runs: Runs, tmp_path: Path) -> None:
    noted = tmp_path / "pid"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {FOR_EVER!r}, {str(noted)!r}])"

    told = to_its_end(runs, python(code), seconds=2)

    assert told is not None
    assert (told.exit, told.late) == (None, True)
    assert not is_running(int(noted.read_text()))


def is_running(pid: int) -> bool:
    """A zombie that waits for its new parent has ended."""
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def test_of_a_long_output_the_end_is_kept(runs: Runs) -> None:
    told = to_its_end(runs, python(f"print('x' * {50 * TAIL}); print('the end')"))

    assert told is not None
    assert len(told.tail) <= TAIL
    assert told.tail.endswith("the end\n")


def test_letters_that_are_none_are_replaced(runs: Runs) -> None:
    assert to_its_end(runs, python("import sys; sys.stdout.buffer.write(b'\\xff!')")) == Ended(0, "�!")


def test_a_letter_that_comes_in_two_parts_is_whole(runs: Runs) -> None:
    told = to_its_end(runs, python("import sys; sys.stdout.buffer.write(b'x' + b'\\xc3\\xa9' * 50_000 + b'\\xc3')"))

    assert told is not None
    assert told.tail == "\u00e9" * (TAIL - 1) + "\ufffd"


def test_one_name_is_begun_once_by_any_number_of_drivers(runs: Runs, tmp_path: Path) -> None:
    command = python(f"open({str(tmp_path / 'count')!r}, 'a').write('x')")
    to_its_end(runs, command)

    again = Runs(tmp_path / "gates").begin("run", Asked(command, "", {}, timedelta(seconds=5)), LONG_AGO)

    assert again is None
    assert (tmp_path / "count").read_text() == "x"


def test_it_runs_as_long_as_its_process_has_the_lock(runs: Runs, tmp_path: Path) -> None:
    folder = tmp_path / "gates/run"
    folder.mkdir(parents=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert runs.ended("run") is None

    with pytest.raises(FileNotFoundError):
        runs.ended("run")


def test_what_was_never_begun_here_is_not_found(runs: Runs) -> None:
    with pytest.raises(FileNotFoundError):
        runs.ended("run")


def test_runs_of_long_ago_are_forgotten_and_one_that_still_runs_is_not(runs: Runs, tmp_path: Path) -> None:
    to_its_end(runs, ("true",), name="old")
    running = tmp_path / "gates/running"
    running.mkdir()
    (running / "asked.json").write_text("{}")
    later = datetime.now(UTC) + KEPT_FOR + timedelta(hours=1)
    with (running / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        begun = runs.begin("new", Asked(("true",), "", {}, timedelta(seconds=5)), later)
        assert begun is not None
        begun.wait(60)

    assert sorted(each.name for each in (tmp_path / "gates").iterdir()) == ["new", "running"]


def test_only_this_user_may_look(runs: Runs, tmp_path: Path) -> None:
    to_its_end(runs, ("true",))

    assert [path.stat().st_mode & 0o077 for path in (tmp_path / "gates", tmp_path / "gates/run")] == [0, 0]
