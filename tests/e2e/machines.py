"""The instances as processes: each answers HTTP on its own loopback address, and dies as a machine does, by SIGKILL.

A program of its own, started as `python -I -S machines.py`: it imports little, and forks one process for each instance.
One command a line on its standard input, one answer a line. Every instance ends with it, and it ends with its input.

    start ID ADDRESS PORT VERSION     a machine that refuses connections
    say ID 200|503|500|refused        what it answers users from now on
    kill ID                           SIGKILL

Must never outlive the run that started it, nor listen anywhere but on 127.0.0.0/8.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys

HEALTH_PATHS = (b"/healthz", b"/health", b"/ping")
REASONS = {"200": "OK", "500": "Internal Server Error", "503": "Service Unavailable"}
SLOW_EVERY, SLOW_S = 16, 0.05
"""One request in sixteen is slow: at any moment some are in flight, and a cut loses them."""
REFUSED = "refused"


class Machine:
    """The server inside one instance."""

    def __init__(self, channel: socket.socket, place: tuple[str, int], name: str, version: str) -> None:
        self.answers = REFUSED
        self.served = 0
        self.connections: set[asyncio.Transport] = set()
        self._channel, self._place = channel, place
        self._body = f"{name} {version}\n".encode()
        self._version = version
        self._listener: asyncio.Server | None = None

    async def live(self) -> None:
        """Do as told, until the channel closes."""
        loop = asyncio.get_running_loop()
        self._channel.setblocking(False)
        while told := await loop.sock_recv(self._channel, 16):
            try:
                await self._become(told.decode())
                await loop.sock_sendall(self._channel, b"+")
            except OSError as error:
                await loop.sock_sendall(self._channel, str(error).encode())

    async def _become(self, answers: str) -> None:
        self.answers = answers
        if answers == REFUSED:
            if self._listener is not None:
                self._listener.close()
                self._listener = None
            for connection in list(self.connections):
                connection.abort()
        elif self._listener is None:
            loop = asyncio.get_running_loop()
            self._listener = await loop.create_server(lambda: Conversation(self), *self._place, backlog=1024)

    def reply(self, path: bytes) -> bytes:
        """The whole answer to a request."""
        status = "200" if self.answers == "500" and path in HEALTH_PATHS else self.answers
        head = f"HTTP/1.1 {status} {REASONS.get(status, '?')}\r\nContent-Length: {len(self._body)}\r\n"
        return f"{head}X-Version: {self._version}\r\n\r\n".encode() + self._body


class Conversation(asyncio.Protocol):
    """One connection: a request at a time, kept alive."""

    def __init__(self, machine: Machine) -> None:
        self._machine, self._buffer = machine, b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember it, so that the machine can break it off."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._machine.connections.add(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._machine.connections.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        """Answer at once, or after a while."""
        self._buffer += data
        if b"\r\n\r\n" not in self._buffer:
            return
        path = self._buffer.split(b" ", 2)[1]
        self._buffer = b""
        self._machine.served += 1
        if self._machine.served % SLOW_EVERY:
            self._answer(path)
        else:
            asyncio.get_running_loop().call_later(SLOW_S, self._answer, path)

    def _answer(self, path: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(self._machine.reply(path))


class Machines:
    """The processes, by instance id."""

    def __init__(self) -> None:
        self._pids: dict[str, int] = {}
        self._channels: dict[str, socket.socket] = {}

    def obey(self, words: list[str]) -> str:
        """Carry out one command; return `ok`, or the error."""
        match words:
            case ["start", name, address, port, version]:
                self._start(name, (address, int(port)), version)
                return "ok"
            case ["say", name, answers]:
                self._channels[name].sendall(answers.encode())
                answer = self._channels[name].recv(1024)
                return "ok" if answer == b"+" else answer.decode() or f"{name} has died"
            case ["kill", name]:
                self.kill(name)
                return "ok"
            case _:
                return f"not a command: {' '.join(words)}"

    def _start(self, name: str, place: tuple[str, int], version: str) -> None:
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            for channel in (ours, *self._channels.values()):
                channel.close()
            os.close(sys.stdin.fileno())
            os.close(sys.stdout.fileno())
            asyncio.run(Machine(theirs, place, name, version).live())
            os._exit(0)
        theirs.close()
        self._pids[name], self._channels[name] = pid, ours

    def kill(self, name: str) -> None:
        """End the process as if its host had lost its power."""
        pid = self._pids.pop(name)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        self._channels.pop(name).close()

    def kill_all(self) -> None:
        """End every process."""
        for name in list(self._pids):
            self.kill(name)


def main() -> None:
    """Obey until the input ends."""
    machines = Machines()
    try:
        for line in sys.stdin:
            print(machines.obey(line.split()), flush=True)
    finally:
        machines.kill_all()


if __name__ == "__main__":
    main()
