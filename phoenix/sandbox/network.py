"""The private network of a sandbox: part of the loopback network, and of no other sandbox on this machine.

Two sandboxes with the same addresses would answer each other's probes: the one that came first has the sockets.
"""

from __future__ import annotations

import atexit
import socket
from functools import cache

FIRST, LAST = 83, 126
MARK_PORT = 18083


@cache
def network() -> str:
    """Return the first two numbers of this process's addresses: `127.83`, or the next that no process has taken.

    Where loopback has one address only, as on macOS, the first is as good as any: nothing listens there anyway.
    """
    for number in range(FIRST, LAST):
        mark = socket.socket()
        try:
            mark.bind((f"127.{number}.255.254", MARK_PORT))
        except OSError:
            mark.close()
            continue
        atexit.register(mark.close)  # held until the process ends, and its network with it
        return f"127.{number}"
    return f"127.{FIRST}"


def cidr() -> str:
    """All of it."""
    return f"{network()}.0.0/16"


def subnets() -> dict[str, str]:
    """One for each zone, by the zone's letter."""
    return {zone: f"{network()}.{64 * place}.0/18" for place, zone in enumerate("abc")}
