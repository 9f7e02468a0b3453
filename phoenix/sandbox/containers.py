"""Container instances of ECS clusters, and the tasks that run there: how they drain, and how many are cut off.

Clusters and capacity providers are moto's. Must never stop a task that runs nowhere else yet: services keep all of
theirs (`minimumHealthyPercent` 100), and a task of no service runs until it ends by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from moto.moto_api._internal import mock_random

from phoenix.sandbox.physics import Physics

if TYPE_CHECKING:
    from phoenix.sandbox.scaling import Scaling
    from phoenix.sandbox.servers import Servers
    from phoenix.sandbox.timeline import Timeline

TASKS_AT_FIRST = 2
"""Tasks on each instance of a group that joins a cluster."""


@dataclass(slots=True)
class Container:
    """A container instance. `tasks` belong to services, `lone` ones to none."""

    instance_id: str
    id: str
    status: str = "ACTIVE"
    tasks: int = 0
    lone: int = 0

    @property
    def running(self) -> int:
        """What DescribeContainerInstances counts."""
        return self.tasks + self.lone


@dataclass(slots=True)
class Cluster:
    """A cluster and the Auto Scaling groups whose instances register there."""

    name: str
    groups: list[str] = field(default_factory=list)
    containers: dict[str, Container] = field(default_factory=dict)
    cut_off: int = 0
    """Tasks that ended with their instance."""


class Containers:
    """All clusters that groups have joined, by name."""

    def __init__(self, timeline: Timeline, physics: Physics, servers: Servers, scaling: Scaling) -> None:
        self.clusters: dict[str, Cluster] = {}
        self._physics, self._timeline, self._servers, self._scaling = physics, timeline, servers, scaling
        servers.on_running.append(self._register)

    def join(self, group: str, cluster: str) -> Cluster:
        """The group's instances register there: those that run now, with tasks on them, and later ones."""
        found = self.clusters.setdefault(cluster, Cluster(cluster))
        found.groups.append(group)
        for member in self._scaling.groups[group].members:
            self._register(member.instance_id)
            if (container := found.containers.get(member.instance_id)) is not None:
                container.tasks = TASKS_AT_FIRST
        return found

    def look(self, name: str) -> Cluster | None:
        """The cluster, without the instances that have ended; None for one that no group has joined."""
        cluster = self.clusters.get(name)
        if cluster is not None:
            for container in [*cluster.containers.values()]:
                self._forget_ended(cluster, container)
        return cluster

    def set_status(self, cluster: Cluster, container: Container, status: str) -> None:
        """DRAINING moves the tasks of services, one after another; ACTIVE brings none back."""
        container.status = status
        self._timeline.after(self._physics.task_moves, lambda: self._move_one(cluster, container))

    def _register(self, instance_id: str) -> None:
        for cluster in self.clusters.values():
            is_member = any(self._scaling.groups[name].member(instance_id) for name in cluster.groups)
            server = self._servers.get(instance_id)
            if is_member and instance_id not in cluster.containers and server is not None and not server.gone:
                cluster.containers[instance_id] = Container(instance_id, mock_random.get_random_hex(32))

    def _move_one(self, cluster: Cluster, container: Container) -> None:
        """The task that takes its place has to run first, and there has to be an instance for it."""
        self.look(cluster.name)
        if container.status != "DRAINING" or container.instance_id not in cluster.containers or not container.tasks:
            return
        if self._place(cluster):
            container.tasks -= 1
        self._timeline.after(self._physics.task_moves, lambda: self._move_one(cluster, container))

    def _place(self, cluster: Cluster) -> bool:
        able = [*self._able(cluster)]
        if able:
            min(able, key=lambda each: (each.running, each.instance_id)).tasks += 1
        return bool(able)

    @staticmethod
    def _able(cluster: Cluster) -> Iterator[Container]:
        return (each for each in cluster.containers.values() if each.status == "ACTIVE")

    def _forget_ended(self, cluster: Cluster, container: Container) -> None:
        server = self._servers.get(container.instance_id)
        if server is not None and not server.gone:
            return
        del cluster.containers[container.instance_id]
        cluster.cut_off += container.running
        for _ in range(container.tasks):
            self._place(cluster)
