"""Service Quotas: the account's quotas of load balancers, and more of them for the asking.

moto knows those of VPCs alone. Must never answer for a quota that the sandbox does not enforce.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from moto.moto_api._internal import mock_random

from phoenix.sandbox.answers.common import refuse
from phoenix.sandbox.world import World

SERVICE = "elasticloadbalancing"


def get(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """GetServiceQuota; other services' are moto's."""
    if params["ServiceCode"] != SERVICE:
        return None
    return {"Quota": _quota(world, params["QuotaCode"])}


def ask_for_more(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """RequestServiceQuotaIncrease: granted at once, where AWS takes minutes or days."""
    quota, wanted = _quota(world, params["QuotaCode"]), int(params["DesiredValue"])
    if wanted <= quota["Value"]:
        raise refuse("IllegalArgumentException", "The desired value must be higher than the current value.")
    world.quotas[params["QuotaCode"]] = wanted
    return {
        "RequestedQuota": {"Id": mock_random.get_random_hex(32), "QuotaCode": quota["QuotaCode"], "Status": "APPROVED"}
    }


def _quota(world: World, code: str) -> dict[str, Any]:
    if code not in world.quotas:
        raise refuse("NoSuchResourceException", "The request failed because the specified service does not exist.")
    return {"ServiceCode": SERVICE, "QuotaCode": code, "Value": float(world.quotas[code]), "Adjustable": True}


ANSWERS: Mapping[str, Callable[[World, dict[str, Any]], dict[str, Any] | None]] = {
    "GetServiceQuota": get,
    "RequestServiceQuotaIncrease": ask_for_more,
}
