"""A role is assumed once for each rotation, renewed before it expires, and named after the rotation for CloudTrail."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from phoenix import __version__
from phoenix.aws.roles import session_name
from phoenix.aws.session import Access, Aws
from phoenix.telemetry import topic
from phoenix.telemetry.spans import NoTracer
from tests.account import Account, Opener
from tests.builders import a_rotation

ROLE = "arn:aws:iam::123456789012:role/phoenix"
OF_STS = re.compile(r"[A-Za-z0-9_+=,.@-]{2,64}")


@pytest.fixture
def account(open_account: Opener, monkeypatch: pytest.MonkeyPatch) -> Account:
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "SANDBOX")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "sandbox")
    return open_account(seed_group=False)


def an_aws(account: Account, *, behind: timedelta = timedelta(0), expected: str | None = None) -> Aws:
    """botocore looks at the real clock to see whether credentials have expired; the sandbox's may be behind."""
    account.clock.advance(max(0.0, (datetime.now(UTC) - behind - account.clock.now()).total_seconds()))
    return Aws(Access(region="eu-west-1", role_arn=ROLE, external_id="us", account=expected), observer=NoTracer())


def ask(aws: Aws) -> None:
    aws.call("autoscaling", "describe_policies")


def sessions(account: Account) -> list[str]:
    """Names of the sessions that were asked for, in their order."""
    return [c.params["RoleSessionName"] for c in account.sandbox.calls if c.operation == "AssumeRole"]


@contextmanager
def working_on(rotation: str) -> Iterator[None]:
    with NoTracer().about(a_rotation(id=rotation)):
        yield


def test_a_role_is_assumed_with_what_the_policy_says_and_once_for_many_calls(account: Account) -> None:
    aws = an_aws(account)

    for _ in range(3):
        ask(aws)

    (assumed,) = (call for call in account.sandbox.calls if call.operation == "AssumeRole")
    told = {name: assumed.params[name] for name in ("RoleArn", "ExternalId", "RoleSessionName")}
    assert told == {"RoleArn": ROLE, "ExternalId": "us", "RoleSessionName": f"phoenix-{__version__}"}


def test_who_has_a_role_stays_in_the_region_of_who_assumes_it(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-north-1")

    aws = Aws(Access(role_arn=ROLE), observer=NoTracer())

    assert aws.region == aws.client("autoscaling").meta.region_name == "eu-north-1"
    assert aws.client("autoscaling").meta.config.user_agent.startswith("Boto3/")


def test_the_session_is_named_after_the_rotation_as_soon_as_it_is_known(account: Account) -> None:
    aws = an_aws(account)
    ask(aws)

    with working_on("web-42-7k3f"):
        ask(aws)
        aws.call("elbv2", "describe_load_balancers")
    with working_on("api-7-abcd"):
        ask(aws)
    with working_on("web-42-7k3f"):
        ask(aws)

    assert sessions(account) == [f"phoenix-{__version__}", "phoenix-web-42-7k3f", "phoenix-api-7-abcd"]


def test_a_rollback_knows_its_rotation_from_the_first_call_and_assumes_the_role_once(account: Account) -> None:
    aws = an_aws(account, expected="123456789012")

    with working_on("web-42-7k3f"):
        ask(aws)
        ask(aws)

    assert sessions(account) == ["phoenix-web-42-7k3f"]


def test_calls_side_by_side_are_made_for_the_same_rotation(account: Account) -> None:
    aws = an_aws(account)
    names: Sequence[str] = ()

    with working_on("web-42-7k3f"):
        aws.side_by_side([partial(ask, aws) for _ in range(4)])
        names = aws.side_by_side([lambda: (topic.current() or topic.Topic("")).rotation for _ in range(4)])

    assert sessions(account) == ["phoenix-web-42-7k3f"]
    assert set(names) == {"web-42-7k3f"}


def test_credentials_that_are_about_to_expire_are_renewed_under_the_same_name(account: Account) -> None:
    aws = an_aws(account, behind=timedelta(minutes=59))

    with working_on("web-42-7k3f"):
        ask(aws)
        ask(aws)

    assert len(sessions(account)) >= 2
    assert set(sessions(account)) == {"phoenix-web-42-7k3f"}


@pytest.mark.parametrize("rotation", ["", "web-42-7k3f", "a" * 100 + "-42-7k3f", "wéb x/1-42-7k3f"])
def test_a_session_name_is_what_sts_takes_and_keeps_what_tells_rotations_apart(rotation: str) -> None:
    name = session_name(rotation)

    assert OF_STS.fullmatch(name)
    assert name.endswith(rotation[-8:] or __version__)
