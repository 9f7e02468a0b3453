"""Services of AWS Cloud Map: registrations that take their time, fail, and may be looked up as clients do.

Namespaces, services and the list of instances are moto's. Must never list an instance before its operation has
succeeded, nor let one go before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from moto.moto_api._internal import mock_random

from phoenix.sandbox.physics import Physics

if TYPE_CHECKING:
    from moto.servicediscovery.models import ServiceDiscoveryBackend

    from phoenix.sandbox.timeline import Timeline

REGISTER, DEREGISTER = "REGISTER_INSTANCE", "DEREGISTER_INSTANCE"


@dataclass(slots=True)
class Operation:
    """What RegisterInstance and DeregisterInstance answer with."""

    id: str
    kind: str
    service: str
    instance: str
    created: datetime
    updated: datetime
    status: str = "SUBMITTED"
    message: str = ""

    @property
    def runs(self) -> bool:
        """True until it has succeeded or failed."""
        return self.status in ("SUBMITTED", "PENDING")


@dataclass(slots=True)
class Registry:
    """All services. `failing` maps an instance to the reason for which its registration fails; "" stands for any."""

    timeline: Timeline
    physics: Physics
    load: Callable[[], ServiceDiscoveryBackend]
    operations: list[Operation] = field(default_factory=list)
    failing: dict[str, str] = field(default_factory=dict)

    @property
    def backend(self) -> ServiceDiscoveryBackend:
        """moto's Cloud Map."""
        return self.load()

    def add_service(
        self,
        name: str = "web",
        *,
        namespace: str = "DNS_PRIVATE",
        records: Sequence[tuple[str, int]] = (("A", 60),),
        custom_health: bool = False,
        called: str = "",
    ) -> str:
        """Make a namespace and a service in it, with DNS records of these types and TTLs; return the service's id:
        `called`, or one of moto's."""
        backend: Any = self.backend
        named = {"name": f"{name}.internal", "creator_request_id": name, "description": "", "tags": []}
        backend.create_http_namespace(**named)
        made = next(each for each in backend.list_namespaces() if each.name == f"{name}.internal")
        made.type = namespace
        dns = {"RoutingPolicy": "MULTIVALUE", "DnsRecords": [{"Type": kind, "TTL": ttl} for kind, ttl in records]}
        service = backend.create_service(
            name=name,
            namespace_id=made.id,
            creator_request_id=name,
            description="",
            dns_config=None if namespace == "HTTP" else dns,
            health_check_config=None,
            health_check_custom_config={"FailureThreshold": 1} if custom_health else None,
            tags=[],
            service_type="HTTP" if namespace == "HTTP" else "DNS_HTTP",
        )
        if called:
            del backend.services[service.id]
            service.arn, service.id = service.arn.replace(service.id, called), called
            backend.services[called] = service
        return str(service.id)

    def found(self, service: str) -> set[str]:
        """The instances that a client is told of now, without what it may remember."""
        listed = self.backend.services[service].instances if service in self.backend.services else []
        return {str(each.instance_id) for each in listed if each.health_status == "HEALTHY"}

    def pending(self, service: str, instance: str) -> Operation | None:
        """The operation on that instance that has not ended."""
        return next((o for o in self.operations if o.runs and (o.service, o.instance) == (service, instance)), None)

    def submit(self, kind: str, service: str, instance: str, attributes: dict[str, str]) -> Operation:
        """Let an operation begin; it comes to its end by itself."""
        now = self.timeline.now
        made = Operation(mock_random.get_random_hex(32), kind, service, instance, now, now)
        self.operations.append(made)
        self.timeline.after(self.physics.cloud_map / 2, lambda: self._move(made, "PENDING"))
        self.timeline.after(self.physics.cloud_map, lambda: self._end(made, attributes))
        return made

    def _move(self, operation: Operation, status: str) -> None:
        operation.status, operation.updated = status, self.timeline.now

    def _end(self, operation: Operation, attributes: dict[str, str]) -> None:
        reason = self.failing.get(operation.instance, self.failing.get(""))
        if reason is not None and operation.kind == REGISTER:
            operation.message = reason
            self._move(operation, "FAIL")
            return
        service: Any = self.backend.services.get(operation.service)
        if service is not None:
            # moto would list it twice where AWS changes the registration.
            service.instances[:] = [each for each in service.instances if each.instance_id != operation.instance]
            if operation.kind == REGISTER:
                self.backend.register_instance(operation.service, operation.instance, "", attributes)
        self._move(operation, "SUCCESS")
