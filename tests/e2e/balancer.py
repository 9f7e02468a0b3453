"""HAProxy as the load balancer: a frontend for each rule, a backend for each target group, slots for targets.

Which target group a request goes to is drawn for each request, as an Application Load Balancer draws it; the shares are
variables of the process, changed at run time. HAProxy checks nothing and retries nothing: who is asked is what the
sandbox's target health says, and a connection that fails is a request that failed.

Must never listen anywhere but on 127.0.0.1.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

LOOPBACK = "127.0.0.1"
SLOTS = 64
"""Targets that one target group may have at a time."""
WHOLE = 10_000
"""The shares of a rule sum to this."""
STARTS_WITHIN_S = 10.0
LONGEST_S = 1200
"""HAProxy ends by itself then, should the run have been killed."""
READ = 65536
DONE = ("IP changed", "port changed", "no need to change")
"""How an answer begins that is no refusal; most commands are answered by nothing."""
BACKLOG = 1024
ADMIN_DIRECTORIES = "/usr/sbin:/usr/local/sbin"
"""Debian's haproxy is there, and the PATH of a user who is not root does not name it."""


def find_haproxy() -> str | None:
    """Return the program, None where there is none."""
    return shutil.which("haproxy", path=f"{os.environ.get('PATH', '')}:{ADMIN_DIRECTORIES}")


@dataclass(slots=True)
class Balancer:
    """One HAProxy. `rules` and `groups` are the sandbox's ARNs; their order names frontends, variables and backends."""

    folder: Path
    rules: Sequence[str]
    groups: Sequence[str]
    ports: list[int] = field(default_factory=list)
    """One for each rule."""
    _held: list[socket.socket] = field(default_factory=list)
    """The sockets of those ports, which HAProxy inherits: no other program can take one in between."""
    _program: subprocess.Popen[bytes] = field(init=False)
    _slots: dict[tuple[str, str], int] = field(default_factory=dict)
    _next: dict[str, int] = field(default_factory=dict)

    def __enter__(self) -> Self:
        program = find_haproxy()
        assert program is not None, "asked for before"
        self._held = [socket.create_server((LOOPBACK, 0), backlog=BACKLOG) for _ in self.rules]
        self.ports = [each.getsockname()[1] for each in self._held]
        written = self.folder / "haproxy.cfg"
        written.write_text(self._configuration())
        with Path(self.folder, "haproxy.log").open("wb") as log:
            self._program = subprocess.Popen(
                ["timeout", str(LONGEST_S), program, "-db", "-f", str(written)],
                pass_fds=[each.fileno() for each in self._held],
                stderr=log,
                stdout=log,
            )
        for each in self._held:
            each.close()
        deadline = time.monotonic() + STARTS_WITHIN_S
        while not self._socket.exists():
            if self._program.poll() is not None or time.monotonic() > deadline:
                self.__exit__(None, None, None)
                raise RuntimeError(f"haproxy did not start: {Path(self.folder, 'haproxy.log').read_text()}")
            time.sleep(0.02)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._program.terminate()
        try:
            self._program.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._program.kill()
            self._program.wait()

    @property
    def _socket(self) -> Path:
        return self.folder / "haproxy.sock"

    def share(self, rule: str, shares: Mapping[str, float]) -> list[str]:
        """Commands that give a rule these shares, by target group."""
        number, bound, commands = self.rules.index(rule), 0.0, []
        for place, group in enumerate(self.groups):
            bound += shares.get(group, 0.0)
            commands.append(f"set var proc.r{number}_g{place} int({round(bound * WHOLE)})")
        return commands

    def open(self, group: str, target: str, address: str) -> list[str]:
        """Commands that let a target be asked; `address` is that of its instance, with the port."""
        number = self._slots.get((group, target))
        if number is not None:
            return [f"set server {self._named(group, number)} state ready"]
        number = self._free_slot(group)
        self._slots[group, target], self._next[group] = number, number + 1
        host, _, port = address.partition(":")
        server = self._named(group, number)
        return [f"set server {server} addr {host} port {port}", f"set server {server} state ready"]

    def _free_slot(self, group: str) -> int:
        """The next one, so that a slot rests for as long as possible before another target has it."""
        taken, start = {number for (of, _), number in self._slots.items() if of == group}, self._next.get(group, 1)
        numbers = ((start + step - 1) % SLOTS + 1 for step in range(SLOTS))
        return next(number for number in numbers if number not in taken)

    def close(self, group: str, target: str) -> list[str]:
        """Commands after which it gets no new request; those in flight go on."""
        return [f"set server {self._named(group, self._slots[group, target])} state maint"]

    def cut(self, group: str, target: str) -> list[str]:
        """Commands that break off its requests in flight, and forget it."""
        server = self._named(group, self._slots.pop((group, target)))
        return [f"set server {server} state maint", f"shutdown sessions server {server}"]

    def known(self, group: str) -> list[str]:
        """The targets that have a slot."""
        return sorted(target for of, target in self._slots if of == group)

    def tell(self, commands: Sequence[str]) -> None:
        """Give commands at the admin socket, in order.

        Raises:
            RuntimeError: HAProxy does not take one of them.
        """
        for command in commands:
            answer = self._ask(f"experimental-mode on; {command}")
            if answer and not answer.startswith(DONE):
                raise RuntimeError(f"haproxy says to {command!r}: {answer}")

    def requests(self) -> dict[str, int]:
        """How many requests each target group has been given since the start, by HAProxy's own counters."""
        header, *rows = self._ask("show stat -1 2 -1").removeprefix("# ").splitlines()
        names = header.split(",")
        found = [dict(zip(names, row.split(","), strict=False)) for row in rows]
        counts = {each["pxname"]: int(each["stot"]) for each in found if each["svname"] == "BACKEND"}
        return {group: counts[f"g{place}"] for place, group in enumerate(self.groups)}

    def _ask(self, line: str) -> str:
        with socket.socket(socket.AF_UNIX) as admin:
            admin.connect(str(self._socket))
            admin.sendall(f"{line}\n".encode())
            answer = b""
            while part := admin.recv(READ):
                answer += part
        return answer.decode().strip()

    def _named(self, group: str, number: int) -> str:
        return f"g{self.groups.index(group)}/s{number}"

    def _configuration(self) -> str:
        lines = [
            "global",
            f"  stats socket {self._socket} mode 600 level admin",
            "  maxconn 4000",
            "  nbthread 1",
            *(f"  set-var proc.r{rule}_g{group} int(0)" for rule in self._numbers for group in self._places),
            "defaults",
            "  mode http",
            "  timeout client 30s",
            "  timeout connect 2s",
            "  timeout server 10s",
            "  timeout queue 2s",
            "  retries 0",
            "  balance roundrobin",
        ]
        for rule in self._numbers:
            lines += [f"frontend rule{rule}", f"  bind fd@{self._held[rule].fileno()}"]
            lines.append(f"  http-request set-var(txn.dice) rand({WHOLE})")
            lines += [
                f"  use_backend g{group} if {{ var(txn.dice),sub(proc.r{rule}_g{group}) -m int lt 0 }}"
                for group in self._places
            ]
        for group in self._places:
            lines += [f"backend g{group}", f"  server-template s 1-{SLOTS} {LOOPBACK}:1 disabled"]
        return "\n".join(lines) + "\n"

    @property
    def _numbers(self) -> range:
        return range(len(self.rules))

    @property
    def _places(self) -> range:
        return range(len(self.groups))
