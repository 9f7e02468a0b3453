"""IAM's simulator: moto has none. Everybody may do everything here, but for what the sandbox was told to refuse.

Must never refuse by itself: the sandbox has no identities, and accepts all credentials.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from phoenix.sandbox.world import World


def simulate(world: World, params: dict[str, Any]) -> dict[str, Any]:
    """SimulatePrincipalPolicy: a result for each action on each resource
    (https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html)."""
    resources = params.get("ResourceArns") or ["*"]
    results = [
        {
            "EvalActionName": action,
            "EvalResourceName": resource,
            "EvalDecision": "implicitDeny" if action in world.not_allowed else "allowed",
        }
        for action in params["ActionNames"]
        for resource in resources
    ]
    return {"EvaluationResults": results, "IsTruncated": False}


ANSWERS: Mapping[str, Callable[[World, dict[str, Any]], dict[str, Any]]] = {"SimulatePrincipalPolicy": simulate}
