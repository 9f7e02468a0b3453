"""Programs that were begun on this machine, by any process of this user: begin one, and ask how it goes.

Must never begin one name twice: the name is the question's, so a driver that died between a start and its record does
not start the program again. Must never wait for a program.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from phoenix.gates import command_run

KEPT_FOR: Final = timedelta(days=7)
"""What a program said lies there for that long, for the person who wants more than its last lines."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What to run. Its environment comes on top of the driver's own."""

    command: Sequence[str]
    question: str
    environment: Mapping[str, str]
    timeout: timedelta


@dataclass(frozen=True, slots=True)
class Ended:
    """How it ended. `exit` None: it was not started, or stopped after its time (`late`); negative: a signal's number.
    `tail` is the end of its output."""

    exit: int | None
    tail: str
    late: bool = False


class Runs:
    """The programs below one folder, a folder each: what was asked, a lock, and how it ended."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def begin(self, name: str, asked: Asked, at: datetime) -> subprocess.Popen[bytes] | None:
        """Start it, unless that name was begun before (None). The process that is returned need not be waited for."""
        self._forget(at - KEPT_FOR)
        folder = self._folder / name
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            return None
        written = {
            "command": list(asked.command),
            "question": asked.question,
            "environment": dict(asked.environment),
            "timeout_seconds": asked.timeout.total_seconds(),
        }
        (folder / "asked.json").write_text(json.dumps(written), encoding="utf-8")
        with (folder / "lock").open("w") as lock:
            # The lock belongs to the open file, which the new process shares: it holds from before its first moment.
            fcntl.flock(lock, fcntl.LOCK_EX)
            return subprocess.Popen(
                [sys.executable, "-I", command_run.__file__, str(folder)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                pass_fds=(lock.fileno(),),
            )

    def ended(self, name: str) -> Ended | None:
        """How it ended; None while it runs.

        Raises:
            FileNotFoundError: no such program was begun on this machine, or its process was killed with it.
        """
        folder = self._folder / name
        running = self._is_locked(folder / "lock")
        try:
            said = json.loads((folder / "ended.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            if running:
                return None
            raise
        return Ended(said["exit"], said["tail"], said["late"])

    @staticmethod
    def _is_locked(path: Path) -> bool:
        with path.open() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    def _forget(self, before: datetime) -> None:
        with suppress(FileNotFoundError):
            for folder in self._folder.iterdir():
                with suppress(FileNotFoundError):  # another driver forgets it, too
                    old = os.stat(folder / "asked.json").st_mtime < before.timestamp()
                    if old and not self._is_locked(folder / "lock"):
                        shutil.rmtree(folder, ignore_errors=True)
