"""What rights hang on and the owner has not marked is known before the rotation is refused in the middle."""

from __future__ import annotations

import pytest

from phoenix.core.blocker import Blocker
from phoenix.core.model import Slot
from tests.account import Account
from tests.remedies import run_remedy

MARK = "phoenix:managed"


def unmarked(account: Account, *, suspends_failover: bool = True) -> list[Blocker]:
    found = account.router(suspends_failover=suspends_failover).find_blockers(account.slots(), Slot.BLUE)
    return [blocker for blocker in found if blocker.name == "unmarked"]


def resources(account: Account) -> dict[str, list[str]]:
    """ARNs of what a rotation of the web tier changes, by kind."""
    elbv2 = account.client("elbv2")
    listeners = [
        listener["ListenerArn"]
        for balancer in elbv2.describe_load_balancers()["LoadBalancers"]
        for listener in elbv2.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    ]
    rules = [rule for arn in listeners for rule in elbv2.describe_rules(ListenerArn=arn)["Rules"]]
    return {
        "targetgroup": [arn for state in account.slots().values() for arn in state.target_groups],
        "listener": listeners,
        "listener-rule": [rule["RuleArn"] for rule in rules if not rule["IsDefault"]],
    }


def unmark(account: Account, *kinds: str) -> None:
    arns = [arn for kind in kinds for arn in resources(account)[kind]]
    account.client("elbv2").remove_tags(ResourceArns=arns, TagKeys=[MARK])


def test_everything_that_the_owner_has_marked_is_in_order(account: Account) -> None:
    assert unmarked(account) == []


@pytest.mark.parametrize("kind", ["targetgroup", "listener", "listener-rule"])
def test_what_lacks_the_mark_that_the_rest_carries_stands_in_the_way_until_its_command_is_run(
    account: Account, kind: str
) -> None:
    unmark(account, kind)

    (blocker,) = unmarked(account)
    assert (blocker.warning, blocker.of_rights) == (False, True)
    assert all(f":{kind}/" in arn for arn in str(blocker.remedy).split("--resource-arns ")[1].split())
    run_remedy(account, blocker.remedy)
    assert unmarked(account) == []


def test_target_groups_that_nothing_is_changed_on_need_no_mark(account: Account) -> None:
    unmark(account, "targetgroup")

    assert unmarked(account, suspends_failover=False) == []


def test_an_owner_who_marks_nothing_is_only_told(account: Account) -> None:
    unmark(account, "targetgroup", "listener", "listener-rule")

    (blocker,) = unmarked(account)
    assert blocker.warning
