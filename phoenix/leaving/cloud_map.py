"""A service of AWS Cloud Map: instances are registered once they have traffic, and deregistered before they leave.

Must never touch a registration that is not phoenix's, which its attributes tell, nor take one that was asked for as one
that is there: Cloud Map answers with an operation, and carries it out in its own time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import Field

from phoenix.aws.errors import code_of
from phoenix.aws.instances import read_instances
from phoenix.aws.rights import FORWARD, WRITERS, Condition, Right, Rights, arn, reads
from phoenix.aws.scope import Scope
from phoenix.core.blocker import Blocker
from phoenix.core.explain import clock_time
from phoenix.core.model import Slot, SlotState
from phoenix.core.work import Stage, Work
from phoenix.errors import AccessDenied, NotFound, PermanentError
from phoenix.keys import Duration, Matching, Whole
from phoenix.leaving.cloud_map_blockers import CHECKS, find_service_blockers, not_readable, unknown_service
from phoenix.leaving.keys import LeavingKeys
from phoenix.leaving.rights import ENDS
from phoenix.orchestrator import Leavers

GROUP_KEY: Final = "phoenix:group"
GENERATION_KEY: Final = "phoenix:generation"
"""The attributes that tell whose a registration is. API_RegisterInstance: "You can add up to 30 custom attributes".
They go with an address: beside AWS_EC2_INSTANCE_ID no attribute but AWS_INIT_HEALTH_STATUS is taken."""
_SERVICE: Final = (arn("servicediscovery", "service/${cloud_map_service}"),)
_ZONES: Final = ("arn:${partition}:route53:::hostedzone/*",)
"""Cloud Map writes records as its caller: "AWS Cloud Map API permissions reference", RegisterInstance. The zone is that
of the namespace, whose id a policy does not name."""
_BY_CLOUD_MAP: Final = Condition("Bool", "aws:ViaAWSService", ("true",))
"""phoenix itself asks Route 53 for none of that. The key is there when a service calls another one as its caller
(AWS global condition context keys)."""
MOST_INSTANCES: Final = 1000
_LOOKS: Final = ("GetInstancesHealthStatus", "GetOperation", "ListOperations")
_RUNS: Final = ("SUBMITTED", "PENDING")
_REGISTER, _DEREGISTER = "REGISTER_INSTANCE", "DEREGISTER_INSTANCE"

ServiceId = Annotated[
    str, Matching(r"srv-[a-z0-9]{1,60}", "the id of a service of Cloud Map, such as srv-0123456789abcdef")
]


class Settings(LeavingKeys):
    """The keys of `{kind: cloud_map}`."""

    kind: Literal["cloud_map"] = "cloud_map"
    service: ServiceId = Field(description="Id of the service in which the group's instances are registered.")
    port: Annotated[int, Whole(1, 65_535)] | None = Field(
        default=None, description="Port that clients are told (AWS_INSTANCE_PORT); needed for SRV records."
    )
    settle: Duration = Field(
        default=timedelta(seconds=10),
        description="How long clients may go on using what they have looked up, on top of the TTL of DNS records.",
    )

    @property
    def title(self) -> str:
        """With the service."""
        return f"cloud_map {self.service}"


@dataclass(frozen=True, slots=True)
class _Operation:
    """One of Cloud Map's operations on an instance."""

    kind: str
    instance: str
    status: str
    at: datetime
    message: str


class CloudMap:
    """One service. Registrations are read from its list, and those on their way from its operations."""

    settings = Settings
    IAM_ACTIONS: ClassVar[Rights] = (
        ENDS
        | reads("servicediscovery:GetService", "servicediscovery:ListInstances")
        | reads("ec2:DescribeInstances", *(f"servicediscovery:{call}" for call in _LOOKS), roles=WRITERS)
        | reads("servicediscovery:GetNamespace", roles=FORWARD)
        | {
            Right(f"servicediscovery:{call}", "AnnounceInstances", WRITERS, _SERVICE)
            for call in ("RegisterInstance", "DeregisterInstance")
        }
        | {
            Right(f"route53:{call}", "AnnounceRecords", WRITERS, _ZONES, (_BY_CLOUD_MAP,), implied=True)
            for call in ("GetHostedZone", "ChangeResourceRecordSets")
        }
        | {Right("route53:ListHostedZonesByName", "Read", WRITERS, implied=True)}
    )
    checks: ClassVar[tuple[str, ...]] = CHECKS

    @staticmethod
    def iam_names(settings: Settings) -> Mapping[str, tuple[str, ...]]:
        """The service."""
        return {"cloud_map_service": (settings.service,)}

    def __init__(self, settings: Settings, scope: Scope) -> None:
        self.name = settings.title
        self._settings, self._group = settings, scope.group
        self._aws, self._clock = scope.aws, scope.clock
        self._kept: dict[str, Any] = {}
        self._ended: dict[str, _Operation] = {}  # never changes once it has ended

    # --- while a rotation lasts ---------------------------------------------------------------------------------------

    def observe(self, leavers: Leavers) -> Mapping[str, Work]:
        """By what the service lists; of what it does not list, by the operations of the last minutes."""
        listed = self._list()
        ours = {each for each, attributes in listed.items() if self._is_ours(attributes)}
        sick = self._sick(ours)
        found = {each: _listed(each in ours, sick.get(each, "")) for each in leavers.instances if each in listed}
        missing = [each for each in leavers.instances if each not in listed]
        known = self._operations() if missing else {}
        unlisted = {each: self._unlisted(known.get(each)) for each in missing}
        astray = {each: _listed(is_ours=True, health="") for each in ours if each not in found}
        return {**found, **unlisted, **astray}

    def drain(self, leavers: Leavers) -> None:
        """DeregisterInstance, where the registration is phoenix's."""
        listed = self._list()
        for instance in leavers.instances:
            if instance in listed and self._is_ours(listed[instance]):
                self._ask("deregister_instance", InstanceId=instance)

    def undrain(self, leavers: Leavers) -> None:
        """RegisterInstance, where there is no registration."""
        listed = self._list()
        missing = [each for each in leavers.instances if each not in listed]
        if not missing:
            return
        health = {"AWS_INIT_HEALTH_STATUS": "HEALTHY"} if "HealthCheckCustomConfig" in self._service() else {}
        port = {"AWS_INSTANCE_PORT": str(self._settings.port)} if self._settings.port is not None else {}
        for each in read_instances(self._aws, missing):
            if each.private_address is None:
                continue
            mark = {GROUP_KEY: self._group, **({GENERATION_KEY: str(leavers.generation)} if leavers.generation else {})}
            attributes = {"AWS_INSTANCE_IPV4": each.private_address, **port, **health, **mark}
            self._ask("register_instance", InstanceId=each.id, Attributes=attributes)

    def _ask(self, method: str, **parameters: Any) -> None:
        """A request that is on its way already needs no other, nor does an instance that is gone."""
        try:
            self._aws.call("servicediscovery", method, ServiceId=self._settings.service, **parameters)
        except PermanentError as error:
            if code_of(error) not in ("DuplicateRequest", "InstanceNotFound"):
                raise

    # --- registrations ------------------------------------------------------------------------------------------------

    def _service(self) -> Mapping[str, Any]:
        if not self._kept:
            answer = self._aws.call("servicediscovery", "get_service", Id=self._settings.service)
            self._kept = {key: value for key, value in answer["Service"].items() if value is not None}
        return self._kept

    def _list(self) -> dict[str, Mapping[str, str]]:
        found = self._aws.pages("servicediscovery", "list_instances", "Instances", ServiceId=self._settings.service)
        return {str(each["Id"]): each.get("Attributes") or {} for each in found}

    def _is_ours(self, attributes: Mapping[str, str]) -> bool:
        return attributes.get(GROUP_KEY) == self._group

    def _sick(self, ours: set[str]) -> dict[str, str]:
        """The health of those that are not HEALTHY, where the service has a custom health check."""
        if not ours or "HealthCheckCustomConfig" not in self._service():
            return {}
        asked: dict[str, Any] = {"ServiceId": self._settings.service}
        found: dict[str, str] = {}
        while True:
            answer = self._aws.call("servicediscovery", "get_instances_health_status", **asked)
            found |= {str(each): str(status) for each, status in answer.get("Status", {}).items()}
            if not answer.get("NextToken"):
                # Health takes a moment longer than the registration.
                return {each: found.get(each, "UNKNOWN") for each in ours if found.get(each) != "HEALTHY"}
            asked["NextToken"] = answer["NextToken"]

    def _operations(self) -> dict[str, _Operation]:
        """The newest operation on each instance, of those that may still be felt."""
        now = self._clock.now()
        since = now - self._forgotten_after() - timedelta(minutes=5)
        filters = (
            ("SERVICE_ID", "EQ", [self._settings.service]),
            ("TYPE", "IN", [_REGISTER, _DEREGISTER]),
            ("UPDATE_DATE", "BETWEEN", [str(int(each.timestamp())) for each in (since, now + timedelta(minutes=1))]),
        )
        asked = [{"Name": name, "Condition": condition, "Values": values} for name, condition, values in filters]
        ids = [
            str(each["Id"])
            for each in self._aws.pages("servicediscovery", "list_operations", "Operations", Filters=asked)
        ]
        unknown = [each for each in ids if each not in self._ended]
        read = dict(
            zip(unknown, self._aws.side_by_side([partial(self._operation, each) for each in unknown]), strict=True)
        )
        self._ended |= {each: found for each, found in read.items() if found.status not in _RUNS}
        every = [self._ended.get(each) or read[each] for each in ids]
        return {each.instance: each for each in sorted(every, key=lambda each: each.at)}

    def _operation(self, number: str) -> _Operation:
        found = self._aws.call("servicediscovery", "get_operation", OperationId=number)["Operation"]
        return _Operation(
            str(found["Type"]),
            str(found.get("Targets", {}).get("INSTANCE", "")),
            str(found["Status"]),
            found["UpdateDate"].astimezone(UTC),
            str(found.get("ErrorMessage") or found.get("ErrorCode") or "without a reason"),
        )

    def _forgotten_after(self) -> timedelta:
        """The time for which clients may use an answer: DNS keeps it for its TTL."""
        records = (self._service().get("DnsConfig") or {}).get("DnsRecords") or ()
        return timedelta(seconds=max((int(each["TTL"]) for each in records), default=0)) + self._settings.settle

    def _unlisted(self, last: _Operation | None) -> Work:
        if last is None or (last.kind == _DEREGISTER and last.status == "FAIL"):
            return Work(Stage.DRAINED, "is not registered")
        if last.kind == _REGISTER:
            failed = f"could not be registered: {last.message}"
            return Work(Stage.DRAINED, failed if last.status == "FAIL" else "is being registered")
        if last.status in _RUNS:
            return Work(Stage.LEAVING, "is being deregistered")
        until = last.at + self._forgotten_after()
        if self._clock.now() < until:
            return Work(Stage.LEAVING, f"may be known to clients until {clock_time(until)}")
        return Work(Stage.DRAINED, "is not registered")

    # --- before a start -----------------------------------------------------------------------------------------------

    def find_blockers(self, slots: Mapping[Slot, SlotState], live: Slot) -> Sequence[Blocker]:
        """All of them, as far as the service can be read."""
        try:
            service = self._service()
            namespace = self._aws.call("servicediscovery", "get_namespace", Id=service["NamespaceId"])["Namespace"]
            listed = self._list()
        except NotFound:
            return [unknown_service(self.name, self._settings.service)]
        except AccessDenied as error:
            return [not_readable(self.name, error)]
        found = find_service_blockers(self.name, service, str(namespace["Type"]), self._settings.port)
        return [*found, *self._find_full(listed, slots[live]), *self._find_strangers(listed, slots[live])]

    def _find_full(self, listed: Mapping[str, object], live: SlotState) -> Iterator[Blocker]:
        """ "Instances per service: 1,000", not adjustable (AWS Cloud Map service quotas)."""
        if len(listed) + live.desired > MOST_INSTANCES:
            yield Blocker(
                "cloud-map-full",
                self.name,
                f"{len(listed)} instances are registered, and {live.desired} more would be beyond the {MOST_INSTANCES}"
                " that a service takes. Its registrations:",
                f"aws servicediscovery list-instances --service-id {self._settings.service}",
            )

    def _find_strangers(self, listed: Mapping[str, Mapping[str, str]], live: SlotState) -> Iterator[Blocker]:
        serving = [i.id for i in live.instances if i.in_service]
        others = [each for each in serving if each in listed and not self._is_ours(listed[each])]
        if others:
            first, more = others[0], f" and {len(others) - 1} more" if len(others) > 1 else ""
            attributes = {**listed[first], GROUP_KEY: self._group}
            told = ",".join(f"{key}={value}" for key, value in attributes.items() if key != "AWS_EC2_INSTANCE_ID")
            yield Blocker(
                "registered-by-another",
                self.name,
                f"{first}{more} of {live.auto_scaling_group} were registered by another writer, and phoenix withdraws"
                " only what it has registered: clients would be sent to instances that have left. Take that out of the"
                " image, and hand over each registration, which changes nothing for clients:",
                f"aws servicediscovery register-instance --service-id {self._settings.service} "
                f"--instance-id {first} \\\n    --attributes {told}",
            )


def _listed(is_ours: bool, health: str) -> Work:
    if not is_ours:
        return Work(Stage.ABSENT, "is registered by another writer")
    if health:
        return Work(Stage.PARTLY, f"is registered, and {health} to Cloud Map")
    return Work(Stage.ACTIVE, "is registered")
