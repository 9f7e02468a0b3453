"""An account's quotas, from Service Quotas. Reads only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from phoenix.aws.errors import code_of
from phoenix.aws.rights import reads
from phoenix.aws.session import Aws
from phoenix.errors import PhoenixError

IAM_ACTIONS: Final = reads("servicequotas:GetServiceQuota")

_NO_SUCH_QUOTA: Final = "NoSuchResourceException"


@dataclass(frozen=True, slots=True)
class Quota:
    """A quota by AWS's name and code, with AWS's default. If it is not `adjustable`, no account has another value."""

    service: str
    code: str
    name: str
    default: int
    adjustable: bool = True


def read_quota(aws: Aws, service: str, code: str) -> Mapping[str, Any] | None:
    """Return this account's value of the quota; None if this Region has no such quota."""
    try:
        found: Mapping[str, Any] = aws.call("service-quotas", "get_service_quota", ServiceCode=service, QuotaCode=code)[
            "Quota"
        ]
    except PhoenixError as error:
        if code_of(error) == _NO_SUCH_QUOTA:
            return None
        raise
    return found


def value_of(aws: Aws, quota: Quota) -> int:
    """Return this account's limit."""
    found = read_quota(aws, quota.service, quota.code) if quota.adjustable else None
    return quota.default if found is None else int(found["Value"])


def request_for(quota: Quota, wanted: int) -> str:
    """Return the command that asks AWS for more."""
    return (
        f"aws service-quotas request-service-quota-increase --service-code {quota.service} \\\n"
        f"    --quota-code {quota.code} --desired-value {wanted}"
    )
