"""What about a service of Cloud Map stands in the way of a start, in words. Must never ask AWS."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from phoenix.core.blocker import Blocker
from phoenix.errors import AccessDenied

CHECKS: Final = (
    "unknown-cloud-map-service",
    "cloud-map-not-readable",
    "public-namespace",
    "wrong-record-type",
    "port-missing",
    "route53-health-check",
    "cloud-map-full",
    "registered-by-another",
)


def find_service_blockers(
    where: str, service: Mapping[str, Any], namespace_type: str, port: int | None
) -> Iterator[Blocker]:
    """Settings of the service that an instance with a private address does not fit."""
    kinds = [str(each["Type"]) for each in (service.get("DnsConfig") or {}).get("DnsRecords") or ()]
    show = f"aws servicediscovery get-service --id {service['Id']}"
    if namespace_type == "DNS_PUBLIC":
        yield Blocker(
            "public-namespace",
            where,
            f"{service['Name']} is in a namespace for public DNS, and phoenix registers private addresses: clients"
            " outside of the VPC would reach nothing. Write a service of another namespace. Those are:",
            "aws servicediscovery list-namespaces",
        )
    unfit = [kind for kind in kinds if kind not in ("A", "SRV")]
    if unfit:
        yield Blocker(
            "wrong-record-type",
            where,
            f"{service['Name']} has records of type {', '.join(unfit)}, for which RegisterInstance wants what phoenix"
            " does not have: it registers IPv4 addresses. The service:",
            show,
        )
    if service.get("HealthCheckConfig"):
        yield Blocker(
            "route53-health-check",
            where,
            f"{service['Name']} has a Route 53 health check, whose checkers are outside of the VPC, and phoenix has no"
            " rights to make one for each instance. Take HealthCheckConfig off; a custom health check may stay. The"
            " service:",
            show,
        )
    if "SRV" in kinds and port is None:
        yield Blocker(
            "port-missing",
            where,
            f"{service['Name']} has SRV records, and RegisterInstance refuses an instance without AWS_INSTANCE_PORT:"
            " write `port` beside `service` in the policy. The service:",
            show,
        )


def unknown_service(where: str, service: str) -> Blocker:
    """No such service."""
    return Blocker(
        "unknown-cloud-map-service",
        where,
        f"Cloud Map knows no service {service} in this account and Region. Those that it knows:",
        "aws servicediscovery list-services",
        unchecked=CHECKS,
    )


def not_readable(where: str, error: AccessDenied) -> Blocker:
    """The service cannot be read."""
    return Blocker("cloud-map-not-readable", where, f"{error.message}.", error.hint, unchecked=CHECKS)
