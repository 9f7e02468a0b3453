"""ECS clusters: batches, refusals, and what stands in the way of a start."""

from __future__ import annotations

from typing import Any

from phoenix.core.model import Slot
from phoenix.core.work import Stage, Work
from phoenix.leaving.ecs import Ecs, Settings
from phoenix.orchestrator import Leavers
from tests.account import Account, Opener


def on(account: Account, cluster: str = "shop") -> Ecs:
    made: Ecs = account.make(Ecs, Settings(cluster=cluster))
    return made


def live_of(account: Account) -> Leavers:
    ids = tuple(i.id for i in account.slots()[Slot.BLUE].instances)
    return Leavers(ids, "web-42-test", account.clock.now())


def named(account: Account, cluster: str = "shop") -> list[str]:
    return [b.name for b in on(account, cluster).find_blockers(account.slots(), Slot.BLUE)]


def test_twelve_instances_are_drained_ten_at_a_time(open_account: Opener) -> None:
    account = open_account(seed_group=False)
    account.sandbox.seed("web", desired=12)
    account.sandbox.join_cluster("web-blue", "shop")
    account.sandbox.calls.clear()

    on(account).drain(live_of(account))

    calls = [c.params for c in account.sandbox.calls if c.operation == "UpdateContainerInstancesState"]
    assert [len(each["containerInstances"]) for each in calls] == [10, 2]


def test_tasks_that_are_left_are_counted(account: Account) -> None:
    account.sandbox.join_cluster("web-blue", "shop")
    ecs, leavers = on(account), live_of(account)
    ecs.drain(Leavers(leavers.instances[:1], leavers.rotation, leavers.since))

    assert ecs.observe(leavers)[leavers.instances[0]] == Work(Stage.LEAVING, "has 2 tasks")
    account.clock.advance(60)
    assert ecs.observe(leavers)[leavers.instances[0]] == Work(Stage.DRAINED)


def test_small_pages_hide_no_instance(account: Account) -> None:
    account.sandbox.join_cluster("web-blue", "shop")
    account.sandbox.small_pages()

    assert len(on(account).observe(live_of(account))) == 4


def test_a_cluster_that_does_not_exist_stands_in_the_way(account: Account) -> None:
    account.sandbox.join_cluster("web-blue", "shop")

    assert named(account, "shpo") == ["unknown-ecs-cluster"]


def test_managed_termination_protection_stands_in_the_way(account: Account) -> None:
    account.sandbox.join_cluster("web-blue", "shop")
    group = account.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=["web-blue"])
    provider: dict[str, Any] = {
        "autoScalingGroupArn": group["AutoScalingGroups"][0]["AutoScalingGroupARN"],
        "managedScaling": {"status": "ENABLED"},
        "managedTerminationProtection": "ENABLED",
    }
    ecs = account.client("ecs")
    ecs.create_capacity_provider(name="web", autoScalingGroupProvider=provider)
    ecs.put_cluster_capacity_providers(
        cluster="shop", capacityProviders=["web", "FARGATE"], defaultCapacityProviderStrategy=[]
    )

    assert named(account) == ["managed-termination-protection"]


def test_a_right_that_is_missing_is_said_before_a_start(account: Account) -> None:
    account.sandbox.join_cluster("web-blue", "shop")
    account.aws.refusals["ecs:DescribeClusters"] = "AccessDeniedException"

    assert named(account) == ["ecs-not-readable"]
