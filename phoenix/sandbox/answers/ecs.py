"""ECS: the instances of a cluster, which register themselves, and drain in time.

moto knows clusters and capacity providers; its container instances have no life of their own, nor the filter of
ListContainerInstances. Words and limits: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from phoenix.sandbox.answers.common import page, refuse
from phoenix.sandbox.containers import Cluster, Container
from phoenix.sandbox.world import ACCOUNT, REGION, World

MOST_A_PAGE = 100
MOST_DESCRIBED = 100
"""API_DescribeContainerInstances: "A list of up to 100 container instance IDs or full ARN entries."."""
MOST_CHANGED = 10
"""API_UpdateContainerInstancesState: "A list of up to 10 container instance IDs or full ARN entries."."""
_FILTER = re.compile(r"ec2InstanceId in \[([^\]]*)\]")
"""The one expression of the cluster query language that is known here (cluster-query-language.html has it)."""


def list_instances(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """ListContainerInstances: without a status those of any but INACTIVE."""
    cluster = _cluster(world, params)
    found = [each for each in cluster.containers.values() if params.get("status") in (None, each.status)]
    if "filter" in params:
        asked = _FILTER.fullmatch(params["filter"])
        if asked is None:
            raise refuse("InvalidParameterException", "Invalid filter expression.")
        ids = {each.strip(" '\"") for each in asked[1].split(",")}
        found = [each for each in found if each.instance_id in ids]
    size = min(int(params.get("maxResults") or MOST_A_PAGE), MOST_A_PAGE)
    shown, token = page([_arn(cluster, each) for each in found], params.get("nextToken"), size)
    return {"containerInstanceArns": shown, **({"nextToken": token} if token else {})}


def describe(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """DescribeContainerInstances: one that is gone is a failure in the answer, not an error."""
    cluster, asked = _cluster(world, params), params.get("containerInstances") or []
    if not asked or len(asked) > MOST_DESCRIBED:
        raise refuse("InvalidParameterException", "Container instances size must be between 1 and 100.")
    found, failures = _named(cluster, asked)
    return {"containerInstances": [_shown(cluster, each) for each in found], "failures": failures}


def update_state(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """UpdateContainerInstancesState."""
    cluster, asked = _cluster(world, params), params.get("containerInstances") or []
    if not asked or len(asked) > MOST_CHANGED:
        raise refuse("InvalidParameterException", "Container instances size must be between 1 and 10.")
    if params.get("status") not in ("ACTIVE", "DRAINING"):
        raise refuse("InvalidParameterException", "Container instance status should be one of [ACTIVE, DRAINING]")
    found, failures = _named(cluster, asked)
    for each in found:
        world.containers.set_status(cluster, each, params["status"])
    return {"containerInstances": [_shown(cluster, each) for each in found], "failures": failures}


def _cluster(world: World, params: Mapping[str, Any]) -> Cluster:
    found = world.containers.look(str(params.get("cluster") or "default").rpartition("/")[2])
    if found is None:
        raise refuse("ClusterNotFoundException", "Cluster not found.")
    return found


def _named(cluster: Cluster, asked: list[str]) -> tuple[list[Container], list[dict[str, str]]]:
    by_id = {each.id: each for each in cluster.containers.values()}
    ids = {each: each.rpartition("/")[2] for each in asked}
    found = [by_id[short] for short in ids.values() if short in by_id]
    return found, [{"arn": given, "reason": "MISSING"} for given, short in ids.items() if short not in by_id]


def _arn(cluster: Cluster, each: Container) -> str:
    return f"arn:aws:ecs:{REGION}:{ACCOUNT}:container-instance/{cluster.name}/{each.id}"


def _shown(cluster: Cluster, each: Container) -> dict[str, Any]:
    return {
        "containerInstanceArn": _arn(cluster, each),
        "ec2InstanceId": each.instance_id,
        "status": each.status,
        "runningTasksCount": each.running,
        "pendingTasksCount": 0,
        "agentConnected": True,
    }


ANSWERS: Mapping[str, Callable[[World, dict[str, Any]], dict[str, Any] | None]] = {
    "ListContainerInstances": list_instances,
    "DescribeContainerInstances": describe,
    "UpdateContainerInstancesState": update_state,
}
