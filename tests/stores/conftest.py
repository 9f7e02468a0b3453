"""An empty table on moto, for the tests of the store in DynamoDB."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from phoenix.stores.dynamodb import DynamoStore
from tests.stores.dynamo import Wire, a_dynamo_store, a_table, moto


@pytest.fixture
def aws() -> Iterator[Wire]:
    with moto() as opened:
        yield Wire(opened._session)


@pytest.fixture
def table(aws: Wire) -> str:
    name = a_table(aws)
    aws.actions.clear()
    return name


@pytest.fixture
def store(aws: Wire, table: str) -> DynamoStore:
    return a_dynamo_store(aws, table)
