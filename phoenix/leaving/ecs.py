"""Container instances of an ECS cluster: DRAINING before they leave, ACTIVE where they stay.

Must never stop a task: ECS moves those of services itself, and what else runs there is waited for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import Field

from phoenix.aws.errors import code_of
from phoenix.aws.rights import ALL, FORWARD, WRITERS, Right, Rights, arn, reads
from phoenix.aws.scope import Scope
from phoenix.core.blocker import Blocker
from phoenix.core.explain import counted
from phoenix.core.model import Slot, SlotState
from phoenix.core.work import Stage, Work
from phoenix.errors import AccessDenied, PermanentError, TransientError
from phoenix.keys import Matching
from phoenix.leaving.keys import LeavingKeys
from phoenix.leaving.rights import ENDS
from phoenix.orchestrator import Leavers

MOST_TOLD: Final = 10
"""Container instances that one UpdateContainerInstancesState takes, says the ECS API reference."""
MOST_ASKED: Final = 100
"""Container instances that one DescribeContainerInstances takes, and that a page of the list has."""
_RESOURCES: Final = (
    arn("ecs", "cluster/${ecs_cluster}"),
    # In the format of today, which names the cluster; accounts from before 2018 may have switched it off.
    arn("ecs", "container-instance/${ecs_cluster}/*"),
)
_READS: Final = ("DescribeContainerInstances", "ListContainerInstances")
_DRAINING, _ACTIVE = "DRAINING", "ACTIVE"

ClusterName = Annotated[str, Matching(r"[A-Za-z0-9_-]{1,255}", "the name of an ECS cluster: letters, digits, '_', '-'")]


class Settings(LeavingKeys):
    """The keys of `{kind: ecs}`."""

    kind: Literal["ecs"] = "ecs"
    cluster: ClusterName = Field(description="Name of the ECS cluster in which the group's instances are registered.")

    @property
    def title(self) -> str:
        """With the cluster."""
        return f"ecs {self.cluster}"


@dataclass(frozen=True, slots=True)
class _Container:
    """A container instance."""

    arn: str
    status: str
    tasks: int

    @property
    def work(self) -> Work:
        words = f"has {counted(self.tasks, 'task')}"
        if self.status == _ACTIVE:
            return Work(Stage.ACTIVE, words)
        if self.status != _DRAINING:
            # It is being registered or deregistered, or could not be registered: nothing is placed there.
            return Work(Stage.LEAVING, words) if self.tasks else Work(Stage.ABSENT)
        return Work(Stage.LEAVING, words) if self.tasks else Work(Stage.DRAINED)


class Ecs:
    """One cluster. Instances are found by their EC2 id, a hundred in two calls."""

    settings = Settings
    IAM_ACTIONS: ClassVar[Rights] = (
        ENDS
        | {Right(f"ecs:{call}", "DrainContainers", ALL, _RESOURCES) for call in _READS}
        | {Right("ecs:UpdateContainerInstancesState", "DrainContainers", WRITERS, _RESOURCES)}
        | {Right("ecs:DescribeClusters", "DrainContainers", FORWARD, _RESOURCES)}
        | reads("ecs:DescribeCapacityProviders", roles=FORWARD)
    )
    checks: ClassVar[tuple[str, ...]] = (
        "unknown-ecs-cluster",
        "not-in-ecs-cluster",
        "managed-termination-protection",
        "ecs-not-readable",
    )

    @staticmethod
    def iam_names(settings: Settings) -> Mapping[str, tuple[str, ...]]:
        """The cluster."""
        return {"ecs_cluster": (settings.cluster,)}

    def __init__(self, settings: Settings, scope: Scope) -> None:
        self.name = settings.title
        self._aws, self._cluster = scope.aws, settings.cluster
        self._names = tuple(dict.fromkeys(scope.slots.values()))

    # --- while a rotation lasts ---------------------------------------------------------------------------------------

    def observe(self, leavers: Leavers) -> Mapping[str, Work]:
        """By the count of tasks that run, or are about to."""
        return {instance: found.work for instance, found in self._find(leavers.instances).items()}

    def drain(self, leavers: Leavers) -> None:
        """No new task is placed there, and services start theirs elsewhere."""
        self._set_state(leavers.instances, _ACTIVE, _DRAINING)

    def undrain(self, leavers: Leavers) -> None:
        """Tasks are placed there again."""
        self._set_state(leavers.instances, _DRAINING, _ACTIVE)

    def _set_state(self, instances: Sequence[str], before: str, after: str) -> None:
        found = self._find(instances).values()
        arns = [each.arn for each in found if each.status == before]
        for start in range(0, len(arns), MOST_TOLD):
            batch = arns[start : start + MOST_TOLD]
            answer = self._aws.call(
                "ecs",
                "update_container_instances_state",
                cluster=self._cluster,
                containerInstances=batch,
                status=after,
            )
            self._refuse(answer.get("failures", ()), after)

    def _refuse(self, failures: Sequence[Mapping[str, Any]], status: str) -> None:
        """ECS says in the answer which ones it left as they were. One that is gone by now needs nothing."""
        left = [each for each in failures if each.get("reason") not in ("MISSING", "INACTIVE")]
        if left:
            told = ", ".join(f"{str(each.get('arn')).rpartition('/')[2]}: {each.get('reason')}" for each in left)
            raise TransientError(f"{self.name} did not set {counted(len(left), 'instance')} to {status} ({told})")

    def _find(self, instances: Sequence[str]) -> dict[str, _Container]:
        batches = [instances[start : start + MOST_ASKED] for start in range(0, len(instances), MOST_ASKED)]
        found: dict[str, _Container] = {}
        for part in self._aws.side_by_side([partial(self._read, batch) for batch in batches]):
            found |= part
        return {each: found[each] for each in instances if each in found}

    def _read(self, instances: Sequence[str]) -> dict[str, _Container]:
        arns = self._list(instances)
        found: dict[str, _Container] = {}
        for start in range(0, len(arns), MOST_ASKED):
            answer = self._aws.call(
                "ecs",
                "describe_container_instances",
                cluster=self._cluster,
                containerInstances=arns[start : start + MOST_ASKED],
            )
            for each in answer["containerInstances"]:
                tasks = int(each.get("runningTasksCount", 0)) + int(each.get("pendingTasksCount", 0))
                found[str(each["ec2InstanceId"])] = _Container(
                    str(each["containerInstanceArn"]), str(each["status"]), tasks
                )
        return found

    def _list(self, instances: Sequence[str]) -> list[str]:
        ids = ", ".join(f"'{each}'" for each in instances)
        asked = {"cluster": self._cluster, "filter": f"ec2InstanceId in [{ids}]"}
        page = self._aws.call("ecs", "list_container_instances", **asked)
        arns = list(page["containerInstanceArns"])
        while page.get("nextToken"):
            page = self._aws.call("ecs", "list_container_instances", **asked, nextToken=page["nextToken"])
            arns += page["containerInstanceArns"]
        return arns

    # --- before a start -----------------------------------------------------------------------------------------------

    def find_blockers(self, slots: Mapping[Slot, SlotState], live: Slot) -> Sequence[Blocker]:
        """All of them, as far as the cluster can be read."""
        try:
            found = self._aws.call("ecs", "describe_clusters", clusters=[self._cluster])["clusters"]
            if not found or found[0].get("status") == "INACTIVE":
                return [self._unknown()]
            return [*self._find_unregistered(slots[live]), *self._find_protected(found[0])]
        except AccessDenied as error:
            return [Blocker("ecs-not-readable", self.name, f"{error.message}.", error.hint, unchecked=self.checks)]
        except PermanentError as error:
            if code_of(error) == "ClusterNotFoundException":
                return [self._unknown()]
            raise

    def _unknown(self) -> Blocker:
        return Blocker(
            "unknown-ecs-cluster",
            self.name,
            f"ECS knows no cluster {self._cluster} in this account and Region. Those that it knows:",
            "aws ecs list-clusters",
            unchecked=self.checks,
        )

    def _find_unregistered(self, live: SlotState) -> Iterator[Blocker]:
        serving = [i.id for i in live.instances if i.in_service]
        known = self._find(serving)
        missing = [each for each in serving if each not in known]
        if missing:
            shown = ", ".join(missing[:3]) + (f" and {len(missing) - 3} more" if len(missing) > 3 else "")
            yield Blocker(
                "not-in-ecs-cluster",
                self.name,
                f"{shown} of {live.auto_scaling_group} {'is' if len(missing) == 1 else 'are'} not registered in"
                f" {self._cluster}, so nothing could be drained there. What is registered:",
                f"aws ecs list-container-instances --cluster {self._cluster}",
            )

    def _find_protected(self, cluster: Mapping[str, Any]) -> Iterator[Blocker]:
        """With managed termination protection ECS alone takes an instance's protection from scale-in off."""
        names = [each for each in cluster.get("capacityProviders", ()) if not str(each).startswith("FARGATE")]
        if not names:
            return
        found = self._aws.call("ecs", "describe_capacity_providers", capacityProviders=names)["capacityProviders"]
        for provider in found:
            group = provider.get("autoScalingGroupProvider") or {}
            name = str(group.get("autoScalingGroupArn", "")).rpartition("/")[2]
            if name in self._names and group.get("managedTerminationProtection") == "ENABLED":
                yield _protected(str(provider["name"]), name)


def _protected(provider: str, group: str) -> Blocker:
    return Blocker(
        "managed-termination-protection",
        f"capacity provider {provider}",
        f"ECS protects the instances of {group} from scale-in, and alone takes that protection off: neither phoenix nor"
        " Auto Scaling could end one. Let ECS replace them (managed instance draining and an instance refresh), or"
        " switch the protection off, for then phoenix drains them:",
        f"aws ecs update-capacity-provider --name {provider} \\\n"
        "    --auto-scaling-group-provider managedTerminationProtection=DISABLED",
    )
