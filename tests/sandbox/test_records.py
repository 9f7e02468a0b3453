"""Route 53 in the sandbox: changes made whole or not at all, in their time, and whom the answers reach."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from phoenix.sandbox.seeding_records import ZONE
from tests.sandbox.conftest import Ground, Opener

NAME = "www.example.com."


@pytest.fixture
def shop(open_sandbox: Opener) -> Ground:
    """The example with a load balancer for each slot."""
    ground = open_sandbox(seed_group=False)
    ground.sandbox.seed("shop")
    return ground


def records(shop: Ground) -> list[dict[str, Any]]:
    route53: Any = shop.sandbox.session.client("route53")
    found = route53.list_resource_record_sets(HostedZoneId=ZONE, StartRecordName=NAME)["ResourceRecordSets"]
    return [each for each in found if each["Name"] == NAME]


def change(shop: Ground, *sets: dict[str, Any]) -> Any:
    route53: Any = shop.sandbox.session.client("route53")
    batch = {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": each} for each in sets]}
    return route53.change_resource_record_sets(HostedZoneId=ZONE, ChangeBatch=batch)["ChangeInfo"]


def weigh(shop: Ground, **weights: int) -> Any:
    return change(shop, *({**each, "Weight": weights[each["SetIdentifier"]]} for each in records(shop)))


def shares(shop: Ground, slot: str) -> tuple[float, float]:
    truth = shop.sandbox.serving()[f"shop-{slot}"]
    return truth.lowest_share, truth.highest_share


def test_clients_follow_between_the_last_server_and_the_end_of_the_ttl(shop: Ground) -> None:
    weigh(shop, blue=0, green=100)
    seen = []
    for seconds in (29, 2, 60):
        shop.clock.advance(seconds)
        seen.append((shares(shop, "blue"), shares(shop, "green")))

    assert seen == [((1.0, 1.0), (0.0, 0.0)), ((0.0, 1.0), (0.0, 1.0)), ((0.0, 0.0), (1.0, 1.0))]


def test_a_change_is_pending_until_all_servers_have_it(shop: Ground) -> None:
    route53: Any = shop.sandbox.session.client("route53")
    made = weigh(shop, blue=50, green=50)

    shop.clock.advance(31)

    assert (made["Status"], route53.get_change(Id=made["Id"])["ChangeInfo"]["Status"]) == ("PENDING", "INSYNC")


def test_all_weights_at_nothing_are_all_weights_alike(shop: Ground) -> None:
    weigh(shop, blue=0, green=0)
    shop.clock.advance(100)

    assert (shares(shop, "blue"), shares(shop, "green")) == ((0.5, 0.5), (0.5, 0.5))


def test_a_record_whose_load_balancer_is_unhealthy_is_left_out_whatever_its_weight(shop: Ground) -> None:
    judged = [{**e, "AliasTarget": {**e["AliasTarget"], "EvaluateTargetHealth": True}} for e in records(shop)]
    change(shop, *({**each, "Weight": 50} for each in judged))
    shop.clock.advance(100)

    assert (shares(shop, "blue"), shares(shop, "green")) == ((1.0, 1.0), (0.0, 0.0))


@pytest.mark.parametrize(
    ("spoil", "code", "words"),
    [
        ({"Weight": 256}, "InvalidInput", "Member must have value less than or equal to 255"),
        ({"Weight": None, "SetIdentifier": None}, "InvalidChangeBatch", "as a weighted set exists with the same name"),
        (
            {"AliasTarget": None, "TTL": 3, "ResourceRecords": [{"Value": "192.0.2.1"}]},
            "InvalidChangeBatch",
            "same TTL",
        ),
    ],
)
def test_a_change_with_one_bad_record_changes_none(shop: Ground, spoil: dict[str, Any], code: str, words: str) -> None:
    before = records(shop)
    first, second, *_ = before
    bad = {key: value for key, value in {**second, **spoil}.items() if value is not None}

    with pytest.raises(ClientError, match=words) as refused:
        change(shop, {**first, "Weight": 1}, bad)

    assert (refused.value.response["Error"]["Code"], records(shop)) == (code, before)


def test_a_change_that_was_never_made_is_not_known(shop: Ground) -> None:
    route53: Any = shop.sandbox.session.client("route53")

    with pytest.raises(ClientError, match="NoSuchChange"):
        route53.get_change(Id="C0")
