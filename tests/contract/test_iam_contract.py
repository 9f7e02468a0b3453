"""What every adapter class says of itself. That its calls stay within its rights, tests/account.py checks."""

from __future__ import annotations

import re
from typing import Any

import botocore.session
import pytest

from phoenix import fleets, gates, images, routers
from phoenix.keys import Kind

TABLES: tuple[Any, ...] = (fleets, routers, gates, images)
ADAPTERS = [pytest.param(kind, made, id=f"{t.__name__}.{kind}") for t in TABLES for kind, made in t.KINDS.items()]
SERVICES = {"elasticloadbalancing": "elbv2"}
NOT_CALLS = {"iam:PassRole"}


@pytest.mark.parametrize(("kind", "made"), ADAPTERS)
def test_an_adapter_brings_its_keys_and_the_table_knows_it_by_their_kind(kind: str, made: Any) -> None:
    assert issubclass(made.settings, Kind)
    assert made.settings.model_fields["kind"].default == kind


@pytest.mark.parametrize(("kind", "made"), ADAPTERS)
def test_every_right_is_a_call_that_aws_really_has(kind: str, made: Any) -> None:
    session = botocore.session.get_session()

    for right in made.IAM_ACTIONS - NOT_CALLS:
        service, _, operation = right.partition(":")
        assert operation in session.get_service_model(SERVICES.get(service, service)).operation_names


@pytest.mark.parametrize("table", TABLES)
def test_each_folder_says_how_to_add_one(table: Any) -> None:
    assert re.search("How to add one", table.__doc__)
