"""Spell a lease's owner in one word, and tell whether that owner can still be alive.

Must never call an owner dead on a guess: "dead" frees a lease at once, "not known" only costs the wait for its expiry.

The word is `host/pid/start`: pids are used again after a crash. It is `host/pid` on a system that does not tell start
times. Containers that share a host name count their pids separately, so a container's word is
`host/pid/start.namespace`.
"""

from __future__ import annotations

import os
import re
import socket
from pathlib import Path

_PROC = Path("/proc")
_OWNER = re.compile(r"(?P<host>[^/]+)/(?P<pid>[1-9]\d{0,9})(?:/(?P<start>\d+)(?:\.(?P<namespace>\d+))?)?")
_FIRST_NAMESPACE = "4026531836"
"""Linux gives this number to the pid namespace of the machine itself; a constant of its ABI."""


def this_driver() -> str:
    """Name this program."""
    start, namespace = _state_and_start(os.getpid())[1], _namespace()
    mark = f"/{start}" if start else ""
    return f"{socket.gethostname()}/{os.getpid()}{mark}{f'.{namespace}' if mark and namespace else ''}"


def is_dead(owner: str) -> bool:
    """True if `owner` ran on this machine and certainly runs no longer. False for owners on other machines."""
    named = _OWNER.fullmatch(owner)
    if named is None or named["host"] != socket.gethostname() or (named["namespace"] or "") != _namespace():
        return False
    pid = int(named["pid"])
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        pass  # another user's process has this pid: its start time tells whether it is the owner
    state, start = _state_and_start(pid)
    if state == "Z":  # a zombie answers signals, but drives nothing
        return True
    return bool(start and named["start"]) and start != named["start"]


def _state_and_start(pid: int) -> tuple[str, str]:
    """Return the state letter, and the start time in clock ticks since boot; both empty without /proc."""
    try:
        stat = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "", ""
    fields = stat.rpartition(")")[2].split()  # the command name may hold spaces and parentheses
    return fields[0], fields[19]


def _namespace() -> str:
    """Return the number of our pid namespace; empty for the machine's own, and without /proc."""
    try:
        number = (_PROC / "self" / "ns" / "pid").readlink().name.removeprefix("pid:[").removesuffix("]")
    except OSError:
        return ""
    return "" if number == _FIRST_NAMESPACE else number
