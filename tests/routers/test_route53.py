"""Weighted records on a sandbox: whose they are, which are written, and what a look costs."""

from __future__ import annotations

from typing import Any

import pytest

from phoenix.core.action import SetWeights
from phoenix.core.model import Slot, TargetState
from phoenix.core.serving import Serving
from phoenix.errors import ForeignWeights, NotFound, PermanentError
from phoenix.routers import kind_behind, kind_of
from phoenix.routers.records import Place, RecordSets, target_of
from phoenix.routers.route53 import Route53Router
from phoenix.sandbox.seeding_records import ZONE
from tests.account import Account, Opener
from tests.builders import a_generation, a_record

BLUE, GREEN = Slot.BLUE, Slot.GREEN
NAME = "www.example.com"
A, AAAA = (f"arn:aws:route53:::hostedzone/{ZONE}/{NAME}/{kind}" for kind in ("A", "AAAA"))


@pytest.fixture
def account(open_account: Opener) -> Account:
    """The tier with a load balancer for each slot."""
    return open_account("shop")


def records(account: Account) -> list[dict[str, Any]]:
    """The records of the name, as AWS describes them."""
    found = account.client("route53").list_resource_record_sets(HostedZoneId=ZONE, StartRecordName=NAME)
    return list(found["ResourceRecordSets"])


def change(account: Account, *sets: dict[str, Any], action: str = "UPSERT") -> None:
    changes = [{"Action": action, "ResourceRecordSet": record} for record in sets]
    account.client("route53").change_resource_record_sets(HostedZoneId=ZONE, ChangeBatch={"Changes": changes})


def weigh(account: Account, kind: str, **weights: int) -> None:
    """Another writer gives the records of one type these weights."""
    found = [each for each in records(account) if each["Type"] == kind]
    change(account, *({**each, "Weight": weights[each["SetIdentifier"]]} for each in found))
    account.sandbox.calls.clear()


def test_records_are_found_by_the_load_balancers_that_they_answer_with(account: Account) -> None:
    routes = account.record_router().find(account.target_groups())

    assert [(route.arn, route.name) for route in routes] == [(A, f"{NAME} A"), (AAAA, f"{NAME} AAAA")]


def test_identifiers_that_are_exchanged_do_not_exchange_the_slots(account: Account) -> None:
    blue, green = (each for each in records(account) if each["Type"] == "A")
    change(account, {**blue, "AliasTarget": green["AliasTarget"]}, {**green, "AliasTarget": blue["AliasTarget"]})

    route = account.record_router().find(account.target_groups())[0]

    assert (route.percent(BLUE), route.percent(GREEN)) == (0, 100)


def test_a_look_costs_one_call_for_the_records_once_the_load_balancers_are_known(account: Account) -> None:
    router, target_groups = account.record_router(), account.target_groups()
    router.find(target_groups)
    account.sandbox.calls.clear()

    router.observe(target_groups, [A, AAAA], frozenset(Slot))

    assert sorted(account.operations()) == ["DescribeTargetHealth", "DescribeTargetHealth", "ListResourceRecordSets"]


def test_a_shift_is_one_change_of_all_records_and_nothing_else_in_them_changes(account: Account) -> None:
    router, target_groups = account.record_router(), account.target_groups()
    before = records(account)
    router.find(target_groups)
    account.sandbox.calls.clear()

    router.shift(SetWeights(GREEN, 5, only_from=frozenset({0, 5})), target_groups, [A, AAAA])

    assert account.writes() == ["ChangeResourceRecordSets"]
    weights = {"blue": 95, "green": 5}
    assert records(account) == [{**each, "Weight": weights[each["SetIdentifier"]]} for each in before]


def test_a_change_spreads_until_aws_calls_it_insync(account: Account) -> None:
    router, target_groups = account.record_router(), account.target_groups()
    router.shift(SetWeights(GREEN, 50), target_groups, [A, AAAA])

    early = router.observe(target_groups, [A, AAAA], frozenset()).routes
    account.clock.advance(31)
    late = router.observe(target_groups, [A, AAAA], frozenset()).routes

    assert [[route.spreading for route in each] for each in (early, late)] == [[True, True], [False, False]]


def test_a_role_that_may_not_ask_for_changes_waits_by_the_clock_alone(account: Account) -> None:
    router, target_groups = account.record_router(), account.target_groups()
    account.aws.refusals["route53:GetChange"] = "AccessDenied"

    router.shift(SetWeights(GREEN, 50), target_groups, [A, AAAA])

    assert not router.observe(target_groups, [A, AAAA], frozenset()).routes[0].spreading


def test_a_foreign_weight_on_one_type_keeps_both_from_being_raised(account: Account) -> None:
    router, target_groups = account.record_router(), account.target_groups()
    weigh(account, "AAAA", blue=70, green=30)

    with pytest.raises(ForeignWeights, match="30 %, not 0 or 5"):
        router.shift(SetWeights(GREEN, 5, only_from=frozenset({0, 5})), target_groups, [A, AAAA])

    assert account.writes() == []


@pytest.mark.parametrize(("weights", "percent"), [((255, 1), 1), ((1, 255), 99), ((0, 0), 50), ((3, 1), 25)])
def test_a_share_is_told_from_any_weights(account: Account, weights: tuple[int, int], percent: int) -> None:
    weigh(account, "A", blue=weights[0], green=weights[1])

    assert account.record_router().find(account.target_groups())[0].percent(GREEN) == percent


def test_per_cent_of_every_step_are_written_without_loss(account: Account) -> None:
    router, target_groups = account.record_router(), account.target_groups()

    found = [router.shift(SetWeights(GREEN, each), target_groups, [A])[0].weights[GREEN] for each in (1, 33, 99, 100)]

    assert found == [1, 33, 99, 100]


def test_a_record_that_is_gone_cannot_be_given_its_share(account: Account) -> None:
    router, target_groups = account.record_router(), account.target_groups()
    router.find(target_groups)
    zone: Any = account.sandbox.world.route53().zones[ZONE]
    zone.rrsets = [each for each in zone.rrsets if (each.type, each.set_identifier) != ("A", "green")]

    with pytest.raises(PermanentError, match=r"www\.example\.com A has no weighted record any more"):
        router.shift(SetWeights(GREEN, 5), target_groups, [A, AAAA])


def test_a_hosted_zone_that_is_gone_is_said_in_awss_words(account: Account) -> None:
    account.record_router()
    account.sandbox.world.route53().zones.clear()

    with pytest.raises(NotFound, match=f"No hosted zone found with ID: {ZONE}"):
        account.record_router().find(account.target_groups())


def test_without_a_policy_records_are_found_in_marked_hosted_zones_only(account: Account) -> None:
    router = account.make(Route53Router)
    assert [route.arn for route in router.find(account.target_groups())] == [A, AAAA]

    account.client("route53").change_tags_for_resource(
        ResourceType="hostedzone", ResourceId=ZONE, RemoveTagKeys=["phoenix:managed"]
    )

    assert router.find(account.target_groups()) == ()


def test_a_new_instance_is_asked_for_where_its_own_load_balancer_checks_it(account: Account) -> None:
    account.client("autoscaling").update_auto_scaling_group(
        AutoScalingGroupName="shop-green", MinSize=1, MaxSize=1, DesiredCapacity=1
    )
    account.clock.advance(200)

    health = account.record_router().observe(account.target_groups(), [A], frozenset({GREEN})).health[GREEN]

    assert list(health.values()) == [TargetState.HEALTHY]


def test_a_cname_is_a_slots_record_as_an_alias_is() -> None:
    record = {"Name": "Shop.Example.com.", "Type": "CNAME", "TTL": 60, "Weight": 7, "SetIdentifier": "x"}
    record["ResourceRecords"] = [{"Value": "Web-1.eu-west-1.elb.amazonaws.com."}]
    sets = RecordSets(Place("Z1", "shop.example.com"), "CNAME", (record,))

    route = sets.route({"web-1.eu-west-1.elb.amazonaws.com": BLUE})

    assert (target_of(record), dict(route.weights)) == ("web-1.eu-west-1.elb.amazonaws.com", {BLUE: 7})


# --- which kind it is, without a policy -------------------------------------------------------------------------------


def test_the_kind_is_told_by_routes_and_by_a_load_balancer_for_each_slot(account: Account) -> None:
    account.record_router()

    assert kind_of(Serving(), [A]) == "route53"
    assert kind_behind(Serving(), account.aws, account.target_groups()) == "route53"


@pytest.mark.parametrize(("group", "kind"), [("web", "alb"), ("edge", "nlb")])
def test_one_load_balancer_for_both_slots_is_another_kind(open_account: Opener, group: str, kind: str) -> None:
    account = open_account(group)
    account.record_router()

    assert kind_behind(Serving(), account.aws, account.target_groups()) == kind


@pytest.mark.parametrize("group", ["web", "edge"])
def test_an_emptied_slot_that_has_left_the_rules_makes_no_other_kind(open_account: Opener, group: str) -> None:
    account = open_account(group)
    router = account.router() if group == "web" else account.network_router()
    target_groups = account.target_groups()
    routes = [route.arn for route in router.find(target_groups)]
    router.shift(SetWeights(GREEN, 0, unrefer=frozenset(routes)), target_groups, routes)

    assert kind_behind(Serving(), account.aws, target_groups) == {"web": "alb", "edge": "nlb"}[group]


def test_the_overview_sees_records_that_were_moved_or_are_gone(account: Account) -> None:
    account.record_router()
    target_groups, names = account.target_groups(), {A: "A", AAAA: "AAAA"}
    record = a_record(group="shop", live=a_generation(1, slot=BLUE), target_groups=target_groups, routes=names)
    assert Route53Router.moved_groups(account.aws, [record]) == set()

    weigh(account, "AAAA", blue=99, green=1)

    assert Route53Router.moved_groups(account.aws, [record]) == {"shop"}
    account.sandbox.world.route53().zones.clear()
    assert Route53Router.moved_groups(account.aws, [record]) == {"shop"}
