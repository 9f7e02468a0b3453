"""VPC Lattice: the health of a target group's targets. moto keeps target groups, and no targets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from phoenix.sandbox.answers.common import page, refuse
from phoenix.sandbox.targets import Target
from phoenix.sandbox.world import World

LARGEST_PAGE = 100


def list_targets(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """ListTargets: all, or those that are asked for."""
    wanted = params["targetGroupIdentifier"]
    group: Any = next((g for g in world.lattice().target_groups.values() if wanted in (g.id, g.arn)), None)
    if group is None:
        raise refuse("ResourceNotFoundException", f"Target group {wanted} not found")
    asked = {each["id"] for each in params.get("targets") or ()}
    found = [target for target in world.targets.of(group.arn) if not asked or target.instance_id in asked]
    size = int(params.get("maxResults") or LARGEST_PAGE)
    targets, token = page([_summary(each) for each in found], params.get("nextToken"), size)
    return {"items": targets, "nextToken": token}


def _summary(target: Target) -> dict[str, Any]:
    shape = {"id": target.instance_id, "port": target.port, "status": target.state.upper()}
    return shape | ({"reasonCode": target.reason} if target.reason else {})


ANSWERS: Mapping[str, Callable[[World, dict[str, Any]], dict[str, Any] | None]] = {"ListTargets": list_targets}
