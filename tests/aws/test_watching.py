"""An observer is told of every call, page by page, and of every time AWS asked to slow down."""

from __future__ import annotations

import pytest

from phoenix.core.call import AwsCall
from phoenix.errors import NotFound, Throttled
from tests.account import Account
from tests.rotation.stage import UnhurriedAws

NO_SUCH = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/none/0123456789abcdef"


class Observer:
    """Keeps what it is told."""

    def __init__(self, *, listens: bool = True) -> None:
        self.listens = listens
        self.told: list[AwsCall] = []

    def rotation(self) -> str:
        return ""

    def called(self, call: AwsCall) -> None:
        self.told.append(call)


def watched(account: Account, observer: Observer) -> UnhurriedAws:
    return UnhurriedAws(session=account.sandbox.session, threads=1, observer=observer)


def test_every_page_is_a_call_with_its_times(account: Account) -> None:
    observer = Observer()
    pages = watched(account, observer).pages(
        "autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups", PaginationConfig={"PageSize": 1}
    )

    assert len(list(pages)) == 2
    assert [(c.service, c.operation) for c in observer.told] == [("autoscaling", "DescribeAutoScalingGroups")] * 2
    assert all(0 < c.began_ns <= c.ended_ns and not c.error for c in observer.told)


def test_every_time_aws_asks_to_slow_down_is_counted_though_the_call_succeeds(account: Account) -> None:
    observer = Observer()
    account.sandbox.throttle(["DescribePolicies"], count=2)

    watched(account, observer).call("autoscaling", "describe_policies")

    assert [(c.throttles, c.error) for c in observer.told] == [(2, "")]


def test_a_call_that_is_throttled_to_the_end_says_so(account: Account) -> None:
    observer = Observer()
    account.sandbox.throttle(["DescribePolicies"], count=9)

    with pytest.raises(Throttled):
        watched(account, observer).call("autoscaling", "describe_policies")

    assert [c.throttles for c in observer.told] == [3]
    assert observer.told[0].error.startswith("Throttling")


def test_a_call_that_fails_is_told_with_the_code_of_aws(account: Account) -> None:
    observer = Observer()

    with pytest.raises(NotFound):
        watched(account, observer).call("elbv2", "describe_target_health", TargetGroupArn=NO_SUCH)

    assert [(c.operation, c.error) for c in observer.told] == [("DescribeTargetHealth", "TargetGroupNotFound")]


def test_nothing_is_reported_to_an_observer_that_does_not_listen(account: Account) -> None:
    observer = Observer(listens=False)

    watched(account, observer).call("autoscaling", "describe_policies")

    assert observer.told == []
