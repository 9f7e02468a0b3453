"""The users: as many connections as asked for, each with its next request the moment the last one is answered.

A program of its own, started as `python -I -S users.py CONNECTIONS PORT...`; it runs until its standard input ends,
lets the requests in flight finish, and prints what it saw: requests by tenth of a second, outcome and version. The
clock is the machine's monotonic one: another process can tell which moment that was. A request counts when it ends.

Must never retry: what a user would have noticed is a failure.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter

HOST = "127.0.0.1"
PATIENCE_S = 5.0
"""A request that takes longer has failed, as `timeout`."""
LOOK_EVERY_S = 0.1
REQUEST = b"GET /work HTTP/1.1\r\nHost: e2e\r\n\r\n"
BUCKETS_A_SECOND = 10

Key = tuple[int, int, str, str]
"""Tenth of a second, port, outcome, version."""


class Users:
    """What all of them saw."""

    def __init__(self) -> None:
        self.seen: Counter[Key] = Counter()
        self.stopping = False
        self.present: set[User] = set()

    def note(self, port: int, outcome: str, version: str = "") -> None:
        """Count one request."""
        self.seen[int(time.monotonic() * BUCKETS_A_SECOND), port, outcome, version] += 1


class User(asyncio.Protocol):
    """One connection, and the request in flight on it."""

    def __init__(self, users: Users, port: int) -> None:
        self._users, self._port = users, port
        self._asked_at: float | None = None
        self._buffer = b""
        self._transport: asyncio.Transport
        self.over = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask at once."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._users.present.add(self)
        self._ask()

    def _ask(self) -> None:
        if self._users.stopping:
            self._transport.close()
            return
        self._asked_at = time.monotonic()
        self._transport.write(REQUEST)

    def data_received(self, data: bytes) -> None:
        """Count the answer once it is whole, and ask again."""
        self._buffer += data
        head, end, body = self._buffer.partition(b"\r\n\r\n")
        if not end:
            return
        fields = _fields(head)
        if len(body) < int(fields.get("content-length", "0")):
            return
        self._buffer, self._asked_at = b"", None
        self._users.note(self._port, head[9:12].decode(), fields.get("x-version", ""))
        if fields.get("connection") == "close":
            self._transport.close()
        else:
            self._ask()

    def connection_lost(self, exc: Exception | None) -> None:
        """A request that had no answer yet is lost."""
        if self._asked_at is not None:
            self._users.note(self._port, "reset")
        self._users.present.discard(self)
        self.over.set_result(None)

    def lose_patience(self) -> None:
        """Give up a request that takes too long."""
        if self._asked_at is not None and time.monotonic() - self._asked_at > PATIENCE_S:
            self._asked_at = None
            self._users.note(self._port, "timeout")
            self._transport.abort()


def _fields(head: bytes) -> dict[str, str]:
    lines = head.decode("latin-1").lower().split("\r\n")[1:]
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


async def _one(users: Users, port: int) -> None:
    loop = asyncio.get_running_loop()
    while not users.stopping:
        try:
            _, user = await loop.create_connection(lambda: User(users, port), HOST, port)
        except OSError:
            users.note(port, "refused")
            await asyncio.sleep(0.01)
        else:
            await user.over


async def _use(connections: int, ports: list[int]) -> Users:
    users, loop = Users(), asyncio.get_running_loop()
    loop.add_reader(sys.stdin, lambda: setattr(users, "stopping", not sys.stdin.read(1)))
    tasks = [loop.create_task(_one(users, ports[number % len(ports)])) for number in range(connections)]
    while any(not task.done() for task in tasks):
        await asyncio.sleep(LOOK_EVERY_S)
        for user in list(users.present):
            user.lose_patience()
    for task in tasks:
        task.result()
    return users


def main() -> None:
    """Ask until the input ends; then print what was seen."""
    users = asyncio.run(_use(int(sys.argv[1]), [int(port) for port in sys.argv[2:]]))
    print(json.dumps([[*key, count] for key, count in sorted(users.seen.items())]))


if __name__ == "__main__":
    main()
