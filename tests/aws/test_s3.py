"""Policies in a bucket."""

from __future__ import annotations

import pytest

from phoenix.aws.s3 import S3Source
from phoenix.errors import NotFound, UsageError
from tests.account import Account


@pytest.fixture
def bucket(account: Account) -> Account:
    s3 = account.client("s3")
    s3.create_bucket(Bucket="policies", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    for key in ("prod/web.yaml", "prod/api.yml", "prod/README.md", "prod/old/web.yaml", "web.yaml"):
        s3.put_object(Bucket="policies", Key=key, Body=f"# {key}".encode())
    return account


def test_policies_are_those_right_below_the_prefix(bucket: Account) -> None:
    assert S3Source("s3://policies/prod/", bucket.aws).names() == ["api.yml", "web.yaml"]


def test_a_bucket_may_be_used_without_a_prefix(bucket: Account) -> None:
    assert S3Source("s3://policies", bucket.aws).names() == ["web.yaml"]


def test_a_policy_is_read_by_its_name(bucket: Account) -> None:
    assert S3Source("s3://policies/prod", bucket.aws).read("web.yaml") == b"# prod/web.yaml"


def test_a_policy_that_is_gone_is_an_error(bucket: Account) -> None:
    with pytest.raises(NotFound):
        S3Source("s3://policies/prod", bucket.aws).read("none.yaml")


def test_a_bucket_that_does_not_exist_is_a_mistake_of_the_caller(account: Account) -> None:
    with pytest.raises(UsageError, match="no bucket nothing-here"):
        S3Source("s3://nothing-here/prod", account.aws).names()


def test_what_is_fetched_is_read_without_another_call_and_its_stamp_changes_with_it(bucket: Account) -> None:
    source = S3Source("s3://policies/prod", bucket.aws)
    before = {name: source.stamp(name) for name in source.names()}
    source.fetch(["web.yaml", "gone.yaml"])
    bucket.sandbox.calls.clear()

    assert (source.read("web.yaml"), bucket.operations()) == (b"# prod/web.yaml", [])
    bucket.client("s3").put_object(Bucket="policies", Key="prod/web.yaml", Body=b"new")
    source.names()
    assert source.stamp("web.yaml") != before["web.yaml"]
    assert source.stamp("api.yml") == before["api.yml"] != ""
