"""The one way to AWS: clients made late and once, calls translated, side by side where that helps."""

from __future__ import annotations

import subprocess
import sys
import threading
from types import SimpleNamespace
from typing import Any

import pytest

from phoenix import __version__
from phoenix.aws.session import Access, Aws
from phoenix.errors import AccessDenied, Blocked, NotFound, PermanentError
from tests.account import Account


class CountingSession:
    """Counts the clients that are made."""

    region_name = "eu-west-1"

    def __init__(self) -> None:
        self.made: list[tuple[str, Any]] = []

    def client(self, service: str, config: Any) -> object:
        self.made.append((service, config))
        deaf = SimpleNamespace(**dict.fromkeys(("register", "register_first", "register_last"), lambda *_: None))
        return SimpleNamespace(meta=SimpleNamespace(events=deaf))


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return monkeypatch


def test_importing_the_adapters_does_not_load_boto3() -> None:
    tables = "import phoenix.fleets, phoenix.routers, phoenix.gates, phoenix.images, sys"

    check = f"{tables}; sys.exit('boto3' in sys.modules or 'botocore' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0


def test_a_client_is_made_on_first_use_and_only_once() -> None:
    session = CountingSession()
    aws = Aws(session=session)
    assert session.made == []

    threads = [threading.Thread(target=aws.client, args=("elbv2",)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [service for service, _ in session.made] == ["elbv2"]


def test_clients_retry_in_standard_mode_and_say_who_they_are() -> None:
    session = CountingSession()
    Aws(session=session).client("autoscaling")

    config = session.made[0][1]
    assert config.retries == {"mode": "standard"}
    assert config.user_agent_extra == f"phoenix/{__version__}"


@pytest.mark.parametrize("service", ["sns", "events"])
def test_news_are_tried_once_and_not_for_long(service: str) -> None:
    session = CountingSession()
    Aws(session=session).client(service)

    config = session.made[0][1]
    assert (config.retries["total_max_attempts"], config.read_timeout) == (1, 5)


def test_a_table_that_does_not_answer_is_not_waited_for_as_long_as_the_rest_of_aws() -> None:
    session = CountingSession()
    Aws(session=session).client("dynamodb")

    config = session.made[0][1]
    assert (config.retries, config.read_timeout) == ({"mode": "standard", "total_max_attempts": 2}, 3)


def test_all_access_is_plain_boto3(bare: pytest.MonkeyPatch) -> None:
    client = Aws(Access(region="eu-west-1")).client("autoscaling")

    assert client.meta.config.user_agent.startswith("Boto3/")
    assert client.meta.config.user_agent.endswith(f"phoenix/{__version__}")


def test_the_endpoint_comes_from_the_environment(bare: pytest.MonkeyPatch) -> None:
    bare.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4999")

    client = Aws(Access(region="eu-west-1")).client("autoscaling")

    assert client.meta.endpoint_url == "http://127.0.0.1:4999"


def test_a_region_that_is_named_nowhere_is_an_error_with_a_hint(bare: pytest.MonkeyPatch) -> None:
    with pytest.raises(PermanentError, match="region"):
        Aws().client("autoscaling")


@pytest.mark.parametrize(
    ("wanted", "variables", "found"),
    [
        ("eu-north-1", {"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "us-east-1"}, "eu-north-1"),
        (None, {"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "us-east-1"}, "eu-west-1"),
        (None, {"AWS_REGION": "", "AWS_DEFAULT_REGION": "us-east-1"}, "us-east-1"),
    ],
)
def test_the_region_that_is_asked_for_comes_before_both_variables(
    bare: pytest.MonkeyPatch, wanted: str | None, variables: dict[str, str], found: str
) -> None:
    for name, value in variables.items():
        bare.setenv(name, value)

    aws = Aws(Access(region=wanted))

    assert (aws.region, aws.client("autoscaling").meta.region_name) == (found, found)


def test_an_unknown_profile_is_an_error_with_a_hint(bare: pytest.MonkeyPatch) -> None:
    with pytest.raises(AccessDenied, match="no-such-profile"):
        Aws(Access(profile="no-such-profile")).client("autoscaling")


def test_a_role_without_credentials_to_assume_it_with_is_an_error(bare: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        bare.delenv(name, raising=False)

    with pytest.raises(AccessDenied, match="credentials"):
        Aws(Access(region="eu-west-1", role_arn="arn:aws:iam::123456789012:role/phoenix")).client("autoscaling")


def test_the_account_is_asked_for_once(account: Account) -> None:
    assert account.aws.account_id() == account.aws.account_id() == "123456789012"
    assert account.operations() == ["GetCallerIdentity"]


def test_every_page_is_read(account: Account) -> None:
    groups = account.aws.pages(
        "autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups", PaginationConfig={"PageSize": 1}
    )

    assert [group["AutoScalingGroupName"] for group in groups] == ["web-blue", "web-green"]


def test_what_a_call_raises_is_translated(account: Account) -> None:
    arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/none/0123456789abcdef"

    with pytest.raises(NotFound, match="elasticloadbalancing:DescribeTargetHealth"):
        account.aws.call("elbv2", "describe_target_health", TargetGroupArn=arn)


@pytest.mark.parametrize("threads", [1, 8])
def test_results_of_calls_side_by_side_come_in_their_order(threads: int) -> None:
    aws = Aws(session=CountingSession(), threads=threads)

    assert aws.side_by_side([lambda n=n: n * n for n in range(20)]) == [n * n for n in range(20)]  # type: ignore[misc]


@pytest.mark.parametrize("threads", [1, 8])
def test_one_failed_call_fails_them_all(threads: int) -> None:
    def fail() -> int:
        raise NotFound("gone")

    with pytest.raises(NotFound):
        Aws(session=CountingSession(), threads=threads).side_by_side([lambda: 1, fail])


def test_credentials_for_another_account_than_the_policys_get_as_far_as_asking_who_they_are(account: Account) -> None:
    aws = Aws(Access(account="999999999999"), session=account.sandbox.session)

    with pytest.raises(Blocked, match="for account 123456789012, but the policy is for 999999999999"):
        aws.call("autoscaling", "describe_auto_scaling_groups")
