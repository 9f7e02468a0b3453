"""Runs one program to its end, in a process of its own: `python command_run.py FOLDER`, started by `command_runs`.

The driver may die, or be a `tick` that ends in seconds, while a load test goes on for minutes; so this process outlives
it, and leaves what it saw in FOLDER. It has inherited an open, locked file: as long as it lives, no other gets that
lock. Must never import phoenix: it is a program by itself, and starts at once.
"""

from __future__ import annotations

import codecs
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from pathlib import Path
from typing import IO, Any

TAIL = 8_192
"""Letters of output that are kept, the last ones."""
GRACE_SECONDS = 5.0
"""From SIGTERM to SIGKILL, for a program that has used up its time."""


def main(folder: Path) -> None:
    """Run what `asked.json` says; `ended.json` is written once, and whole."""
    asked = json.loads((folder / "asked.json").read_text(encoding="utf-8"))
    ended = run(asked["command"], asked["question"], asked["environment"], float(asked["timeout_seconds"]))
    written = folder / "ended.json.part"
    written.write_text(json.dumps(ended), encoding="utf-8")
    written.replace(folder / "ended.json")


def run(command: list[str], question: str, environment: dict[str, str], seconds: float) -> dict[str, Any]:
    """Run the program with the question on its standard input. `exit` is None if it was not started, or had to be
    stopped; a negative one is the signal that ended it."""
    try:
        program = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, **environment},
            start_new_session=True,
        )
    except (OSError, ValueError) as error:  # a ValueError: a word that no program can be given, with a NUL in it
        return {"exit": None, "tail": f"{command[0]}: {getattr(error, 'strerror', None) or error}", "late": False}
    tail: deque[str] = deque()
    assert program.stdin is not None  # noqa: S101 - both are pipes, above
    assert program.stdout is not None  # noqa: S101
    threading.Thread(target=_tell, args=(program.stdin, question), daemon=True).start()
    reader = threading.Thread(target=_keep_tail, args=(program.stdout, tail), daemon=True)
    reader.start()
    late = _wait(program, seconds)
    # A grandchild may hold the pipe open for ever; what it says later answers no question.
    reader.join(1.0)
    return {"exit": None if late else program.returncode, "tail": "".join(tail)[-TAIL:], "late": late}


def _tell(pipe: IO[bytes], question: str) -> None:
    with contextlib.suppress(OSError), pipe:  # a program need not read its standard input
        pipe.write(question.encode())


def _keep_tail(pipe: IO[bytes], tail: deque[str]) -> None:
    kept = 0
    decoder = codecs.getincrementaldecoder("utf-8")("replace")  # a letter may begin in one read, and end in the next
    while chunk := os.read(pipe.fileno(), TAIL):
        tail.append(decoder.decode(chunk))
        kept += len(tail[-1])
        while kept - len(tail[0]) > TAIL:
            kept -= len(tail.popleft())
    tail.append(decoder.decode(b"", final=True))


def _wait(program: subprocess.Popen[bytes], seconds: float) -> bool:
    """True if it had to be stopped, with all that it has started."""
    try:
        program.wait(seconds)
    except subprocess.TimeoutExpired:
        _signal(program, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            program.wait(GRACE_SECONDS)
        _signal(program, signal.SIGKILL)
        program.wait()
        return True
    return False


def _signal(program: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(program.pid, number)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
