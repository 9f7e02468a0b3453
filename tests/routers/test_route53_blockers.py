"""What stands in the way of moving weights by records, one case each."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from phoenix.core.model import Slot
from phoenix.core.terms import Step, Terms
from phoenix.routers.records import Place, Record, RecordSets
from phoenix.routers.route53_blockers import Start, judge_records
from phoenix.sandbox.seeding_records import ZONE
from tests.account import Account, Opener
from tests.routers.test_route53 import NAME, change, records

BLUE, GREEN = Slot.BLUE, Slot.GREEN
BALANCERS = {"blue.elb": BLUE, "green.elb": GREEN}
PLACE = Place("Z1", NAME)


@pytest.fixture
def account(open_account: Opener) -> Account:
    """The tier with a load balancer for each slot."""
    return open_account("shop")


def a_record_set(name: str, weight: int, **more: Any) -> dict[str, Any]:
    alias = {"HostedZoneId": "Z32", "DNSName": f"{name}.elb.", "EvaluateTargetHealth": False}
    plain = {"Name": f"{NAME}.", "Type": "A", "SetIdentifier": name, "Weight": weight, "AliasTarget": alias}
    return {key: value for key, value in (plain | more).items() if value is not None}


def judged(*found: Record, terms: Terms | None = None) -> list[str]:
    start = Start({}, BLUE, terms or Terms(steps=(), propagation=timedelta(minutes=5)))
    sets = [RecordSets(PLACE, "A", found)] if found else []
    return [blocker.name for blocker in judge_records(sets, BALANCERS, PLACE, start)]


LIVE, EMPTY = a_record_set("blue", 100), a_record_set("green", 0)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ((LIVE, EMPTY), []),
        ((), ["no-records"]),
        ((LIVE,), ["record-missing"]),
        ((LIVE, EMPTY, a_record_set("third", 5)), ["other-records"]),
        ((LIVE, EMPTY, a_record_set("third", 0)), []),
        ((LIVE, EMPTY, {**EMPTY, "SetIdentifier": "twice"}), ["other-records"]),
        ((LIVE, {**EMPTY, "TrafficPolicyInstanceId": "t-1"}), ["traffic-policy"]),
        ((LIVE, {**EMPTY, "HealthCheckId": "h-1"}), ["record-health"]),
        ((a_record_set("blue", 0), a_record_set("green", 100)), ["weights-elsewhere"]),
        ((a_record_set("blue", 90), a_record_set("green", 10)), ["weight-on-both-slots"]),
        ((a_record_set("blue", 0), a_record_set("green", 0)), ["weight-on-both-slots"]),
    ],
)
def test_the_records_of_a_type_are_judged_together(found: tuple[Record, ...], expected: list[str]) -> None:
    assert judged(*found) == expected


@pytest.mark.parametrize(
    "policy", [{}, {"Region": "eu-west-1"}, {"Failover": "PRIMARY"}, {"GeoLocation": {"CountryCode": "*"}}]
)
def test_records_that_are_not_weighted_cannot_be_moved(policy: dict[str, Any]) -> None:
    assert judged(a_record_set("blue", 0, Weight=None, **policy)) == ["not-weighted"]


def test_types_that_disagree_have_to_agree_first() -> None:
    other = [{**each, "Type": "AAAA"} for each in (a_record_set("blue", 50), a_record_set("green", 50))]
    sets = [RecordSets(PLACE, "A", (LIVE, EMPTY)), RecordSets(PLACE, "AAAA", tuple(other))]

    (found,) = judge_records(sets, BALANCERS, PLACE, Start({}, BLUE, Terms(steps=(), propagation=timedelta(minutes=5))))

    remedy = json.loads(str(found.remedy).partition("'")[2].rstrip("'"))
    assert (found.name, remedy["Changes"][0]["ResourceRecordSet"]["Weight"]) == ("weights-differ", 100)


@pytest.mark.parametrize(
    ("bake", "propagation", "expected"),
    [(120, 60, []), (119, 60, ["slow-to-follow"]), (600, 59, ["slow-to-follow"]), (None, 60, [])],
)
def test_a_step_has_to_outlast_the_answers_that_clients_keep(
    bake: int | None, propagation: int, expected: list[str]
) -> None:
    rests = timedelta(seconds=bake) if bake is not None else None
    terms = Terms(steps=(Step(100, 100, 10, rests),), propagation=timedelta(seconds=propagation))

    assert judged(LIVE, EMPTY, terms=terms) == expected


def test_a_long_ttl_of_a_plain_record_counts() -> None:
    def plain(name: str, weight: int) -> dict[str, Any]:
        values = [{"Value": f"{name}.elb"}]
        return a_record_set(name, weight, Type="CNAME", TTL=3600, AliasTarget=None, ResourceRecords=values)

    assert judged(plain("blue", 100), plain("green", 0)) == ["slow-to-follow"]


# --- on a sandbox -----------------------------------------------------------------------------------------------------


def unmark(account: Account) -> None:
    account.client("route53").change_tags_for_resource(
        ResourceType="hostedzone", ResourceId=ZONE, RemoveTagKeys=["phoenix:managed"]
    )


def add_twin(account: Account) -> None:
    account.client("route53").create_hosted_zone(
        Name="example.com", CallerReference="twin", HostedZoneConfig={"PrivateZone": True, "Comment": ""},
        VPC={"VPCRegion": "eu-west-1", "VPCId": "vpc-1"},
    )  # fmt: skip


def drop_zone(account: Account) -> None:
    account.sandbox.world.route53().zones.clear()


def judge_health(account: Account) -> None:
    found = [each for each in records(account) if each["Type"] == "A"]
    change(account, *({**e, "AliasTarget": {**e["AliasTarget"], "EvaluateTargetHealth": True}} for e in found))


def drop_listener(account: Account) -> None:
    elbv2 = account.client("elbv2")
    arn = elbv2.describe_load_balancers(Names=["shop-green"])["LoadBalancers"][0]["LoadBalancerArn"]
    listener = next(e for e in elbv2.describe_listeners(LoadBalancerArn=arn)["Listeners"] if e["Port"] == 443)
    elbv2.delete_listener(ListenerArn=listener["ListenerArn"])


def share_listener(account: Account) -> None:
    elbv2 = account.client("elbv2")
    arn = elbv2.describe_load_balancers(Names=["shop-green"])["LoadBalancers"][0]["LoadBalancerArn"]
    listener = next(e for e in elbv2.describe_listeners(LoadBalancerArn=arn)["Listeners"] if e["Port"] == 80)
    vpc = elbv2.describe_target_groups()["TargetGroups"][0]["VpcId"]
    made = elbv2.create_target_group(Name="old", Protocol="HTTP", Port=8080, VpcId=vpc)["TargetGroups"][0]
    mine = account.target_groups()[GREEN][0]
    groups = [{"TargetGroupArn": a, "Weight": w} for a, w in ((mine, 1), (made["TargetGroupArn"], 1))]
    action = {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}
    elbv2.modify_listener(ListenerArn=listener["ListenerArn"], DefaultActions=[action])


@pytest.mark.parametrize(
    ("spoil", "name", "warning"),
    [
        (unmark, "zone-unmarked", False),
        (add_twin, "twin-zone", True),
        (drop_zone, "unknown-hosted-zone", False),
        (judge_health, "record-health", True),
        (drop_listener, "listeners-differ", False),
        (share_listener, "no-weight-inside", False),
    ],
)
def test_what_is_around_the_records_is_looked_at_too(
    account: Account, spoil: Callable[[Account], None], name: str, warning: bool
) -> None:
    spoil(account)

    found = {b.name: b.warning for b in account.record_router().find_blockers(account.slots(), BLUE)}

    assert found == {name: warning}


def test_one_load_balancer_for_both_slots_is_no_case_for_records(open_account: Opener) -> None:
    account = open_account("web")

    (found,) = account.record_router().find_blockers(account.slots(), BLUE)

    assert found.name == "one-load-balancer"
    assert "kind: alb" in found.text


def test_a_slot_without_a_target_group_has_nothing_to_answer_with(open_account: Opener) -> None:
    account = open_account("workers")

    found = account.record_router().find_blockers(account.slots(), BLUE)

    assert {blocker.name for blocker in found} == {"no-target-group"}
