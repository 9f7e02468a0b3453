"""What every adapter class says of itself. That its calls stay within its rights, tests/account.py checks."""

from __future__ import annotations

import re
from typing import Any

import botocore.session
import pytest

from phoenix import fleets, gates, images, notifiers, routers
from phoenix.aws.rights import Role, actions_of
from phoenix.fleets import keys as fleet_keys
from phoenix.keys import Kind
from phoenix.routers import keys as router_keys

TABLES: tuple[Any, ...] = (fleets, routers, gates, images, notifiers)
ADAPTERS = [pytest.param(kind, made, id=f"{t.__name__}.{kind}") for t in TABLES for kind, made in t.KINDS.items()]
KEYS: dict[Any, Any] = {fleets: fleet_keys.KEYS, routers: router_keys.KEYS}
SERVICES = {"elasticloadbalancing": ("elbv2", "elb"), "servicequotas": ("service-quotas",)}
"""Names of botocore's models by the prefix of the rights, where they differ."""
NOT_CALLS = {"iam:PassRole", "lambda:InvokeFunction"}
READS = re.compile(r"Describe|Get|List|BatchGet|Query")


@pytest.mark.parametrize("table", TABLES)
def test_a_folder_brings_the_keys_of_all_its_adapters_and_knows_them_by_their_kind(table: Any) -> None:
    keys = KEYS.get(table) or {kind: made.settings for kind, made in table.KINDS.items()}

    assert set(keys) == set(table.KINDS)
    assert all(issubclass(each, Kind) and each.model_fields["kind"].default == kind for kind, each in keys.items())


@pytest.mark.parametrize(("kind", "made"), ADAPTERS)
def test_every_right_is_a_call_that_aws_really_has(kind: str, made: Any) -> None:
    session = botocore.session.get_session()

    for action in actions_of(made.IAM_ACTIONS) - NOT_CALLS:
        service, _, operation = action.partition(":")
        models = [session.get_service_model(name) for name in SERVICES.get(service, (service,))]
        assert any(operation in model.operation_names for model in models)


@pytest.mark.parametrize(("kind", "made"), ADAPTERS)
def test_only_reads_are_allowed_to_the_plan_role_and_every_other_right_is_narrowed(kind: str, made: Any) -> None:
    for right in made.IAM_ACTIONS:
        read = READS.match(right.action.partition(":")[2]) is not None
        assert read or Role.PLAN not in right.roles
        assert read or right.on != ("*",)


@pytest.mark.parametrize("table", TABLES)
def test_each_folder_says_how_to_add_one(table: Any) -> None:
    assert re.search("How to add one", table.__doc__)
