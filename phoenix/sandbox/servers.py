"""The virtual machines: how they boot, what they answer, how they end.

EC2's records are moto's; this adds the time of their changes and the server's answer to a request.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from random import Random
from typing import TYPE_CHECKING, Any

from moto.ec2.models.instances import InstanceState

from phoenix.sandbox.physics import Behaviour, Physics

if TYPE_CHECKING:
    from moto.ec2.models.instances import Instance

    from phoenix.sandbox.timeline import Timeline

FORGET_AFTER_S = 3600
"""EC2 lists a terminated instance for about an hour."""


class Reply(StrEnum):
    """The server's state as a request meets it."""

    REFUSED = "refused"
    OK = "200"
    UNAVAILABLE = "503"


@dataclass(slots=True)
class Server:
    """One virtual machine."""

    instance: Instance
    behaviour: Behaviour
    reply: Reply = Reply.REFUSED
    broken: bool = False
    impaired: bool = False
    """EC2's status checks cannot reach it, and neither can anyone else."""
    checked_from: datetime | None = None
    """When EC2's first status checks are through."""
    gone: bool = False


class Servers:
    """All virtual machines that groups have launched, by instance id."""

    def __init__(self, timeline: Timeline, physics: Physics, ec2: Callable[[], Any], dice: Random) -> None:
        self.physics = physics
        self._timeline, self._ec2, self._dice = timeline, ec2, dice
        self._servers: dict[str, Server] = {}
        self.on_running: list[Callable[[str], None]] = []
        self.on_reply: list[Callable[[str], None]] = []

    def __getitem__(self, instance_id: str) -> Server:
        return self._servers[instance_id]

    def get(self, instance_id: str) -> Server | None:
        """None for ids that no group has launched."""
        return self._servers.get(instance_id)

    def living(self) -> list[Server]:
        """Those that have not ended."""
        return [server for server in self._servers.values() if not server.gone]

    def boot(self, instance: Instance, behaviour: Behaviour) -> None:
        """Start the machine's life: pending now, running and answering later."""
        server = self._servers[instance.id] = Server(instance, behaviour)
        instance._state = InstanceState("pending", 0)
        spread = 1 + self.physics.boot_spread * self._dice.uniform(-1, 1)
        running = self.physics.pending_to_running * spread
        answering = running + self.physics.running_to_answering * spread
        if behaviour is Behaviour.SLOW_BOOT:
            answering += self.physics.slow_boot
        self._timeline.after(running, lambda: self._run(server))
        self._timeline.after(answering, lambda: self._begin(server))

    def break_down(self, instance_id: str) -> None:
        """The server inside answers 503 from now on."""
        server = self._servers[instance_id]
        server.broken = True
        self._say(server, Reply.UNAVAILABLE)

    def impair(self, instance_id: str) -> None:
        """The machine cannot be reached from now on, and EC2 calls it running all the same."""
        server = self._servers[instance_id]
        server.impaired = True
        self._say(server, Reply.REFUSED)

    def status_of(self, instance_id: str) -> str:
        """The result of EC2's status checks."""
        server = self._servers.get(instance_id)
        if server is None or server.checked_from is None:
            return "ok"
        if self._timeline.now < server.checked_from:
            return "initializing"
        return "impaired" if server.impaired else "ok"

    def end(self, instance_id: str) -> None:
        """Shut the machine down; terminated a little later."""
        server = self._servers[instance_id]
        if server.gone:
            return
        server.gone = True
        self._say(server, Reply.REFUSED)
        server.instance._state = InstanceState("shutting-down", 32)
        self._timeline.after(self.physics.terminating, lambda: self._terminate(server.instance))
        self._timeline.after(self.physics.terminating + FORGET_AFTER_S, lambda: self._forget(server.instance))

    def _run(self, server: Server) -> None:
        if server.gone:
            return
        server.instance._state = InstanceState("running", 16)
        server.checked_from = self._timeline.now + timedelta(seconds=self.physics.first_status_checks)
        for listener in self.on_running:
            listener(server.instance.id)

    def _begin(self, server: Server) -> None:
        self._say(server, Reply.UNAVAILABLE if server.behaviour is Behaviour.BAD else Reply.OK)
        if server.behaviour is Behaviour.FLAPPING:
            self._timeline.after(self.physics.flap_up, lambda: self._flap(server))

    def _flap(self, server: Server) -> None:
        if server.gone or server.broken or server.impaired:
            return
        up = server.reply is Reply.OK
        self._say(server, Reply.UNAVAILABLE if up else Reply.OK)
        self._timeline.after(self.physics.flap_down if up else self.physics.flap_up, lambda: self._flap(server))

    def _say(self, server: Server, reply: Reply) -> None:
        if server.gone or server.impaired:
            reply = Reply.REFUSED
        elif server.broken:
            reply = Reply.UNAVAILABLE
        if server.reply is not reply:
            server.reply = reply
            for listener in self.on_reply:
                listener(server.instance.id)

    def _terminate(self, instance: Instance) -> None:
        ec2 = self._ec2()
        if instance.state != "terminated":
            ec2.terminate_instances([instance.id])
        for interface in list(instance.nics.values()):
            # moto keeps the interface of a terminated instance, and with it the address: subnets would fill up.
            ec2.enis.pop(interface.id, None)
        # Addresses are not used again: moto hands them back in the order of a set, and runs would differ.
        instance._private_ips = set()

    def _forget(self, instance: Instance) -> None:
        reservations = self._ec2().reservations
        for key, reservation in list(reservations.items()):
            if instance in reservation.instances:
                reservation.instances.remove(instance)
                if not reservation.instances:
                    del reservations[key]
        self._servers.pop(instance.id, None)
