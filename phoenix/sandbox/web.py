"""The web servers inside the pretend instances: real sockets on loopback addresses, for probes over HTTP.

Bound to addresses of 127.0.0.0/8 only, one per instance; nothing outside this machine can reach them. Needs a system
that answers on the whole of that network, as Linux does.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from threading import Event, RLock, Thread
from types import TracebackType
from typing import Self

from phoenix.sandbox.physics import Behaviour
from phoenix.sandbox.servers import Reply, Server
from phoenix.sandbox.world import World

LOOK_EVERY_S = 0.1
SLOWEST_START_S = 10
LONGEST_REQUEST = 65536
LOOPBACK = "127."
APPLICATION_PORT = 8080
"""Of the servers of a group that is attached to nothing."""
HEALTH_PATHS = ("/healthz", "/health", "/ping")

Listener = asyncio.Server


class WebServers:
    """One background thread with one listener per instance that answers."""

    def __init__(self, world: World, lock: RLock) -> None:
        self._world, self._lock = world, lock
        self._listeners: dict[tuple[str, int], Listener] = {}
        self._ready = Event()
        self._stop: asyncio.Event
        self._loop: asyncio.AbstractEventLoop
        self._thread = Thread(target=lambda: asyncio.run(self._run()), name="sandbox-web", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._ready.wait(SLOWEST_START_S):
            raise RuntimeError("the web servers of the sandbox did not start; this system may lack 127.0.0.0/8")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(timeout=5)

    async def _run(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        while not self._stop.is_set():
            await self._adjust()
            self._ready.set()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), LOOK_EVERY_S)
        for listener in self._listeners.values():
            listener.close()

    async def _adjust(self) -> None:
        """Open a listener for each server that answers, close those of servers that do not."""
        wanted = self._wanted()
        for place in self._listeners.keys() - wanted.keys():
            self._listeners.pop(place).close()
        for place in wanted.keys() - self._listeners.keys():
            server = wanted[place]
            with suppress(OSError):
                self._listeners[place] = await asyncio.start_server(
                    lambda reader, writer, server=server: self._answer(server, reader, writer),  # type: ignore[misc]
                    *place,
                    limit=LONGEST_REQUEST,
                )

    def _wanted(self) -> dict[tuple[str, int], Server]:
        with self._lock:
            self._world.catch_up()
            wanted = {}
            for server in self._world.servers.living():
                address = server.instance.private_ip_address or ""
                if server.reply is not Reply.REFUSED and address.startswith(LOOPBACK):
                    for port in self._ports(server.instance.id):
                        wanted[address, port] = server
            return wanted

    def _ports(self, instance_id: str) -> set[int]:
        found = self._world.scaling.group_of(instance_id)
        if found is None:
            return set()
        terms = (self._world.targets.sources.of(source) for source in found[0].traffic_sources)
        return {each.port for each in terms if each is not None} or {APPLICATION_PORT}

    async def _answer(self, server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), timeout=5)
            path = request.split(b" ", 2)[1].decode("latin-1")
            status = self._status(server, path)
            body = f"{server.instance.id} {server.instance.image_id}\n".encode()
            head = f"HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n"
            writer.write(head.encode() + b"Connection: close\r\n\r\n" + body)
            await writer.drain()
        except (TimeoutError, OSError, IndexError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            return
        finally:
            writer.close()

    def _status(self, server: Server, path: str) -> str:
        with self._lock:
            self._world.catch_up()
            if server.reply is not Reply.OK:
                return "503 Service Unavailable"
            if server.behaviour is Behaviour.ERRING and path not in HEALTH_PATHS:
                return "500 Internal Server Error"
            return "200 OK"
