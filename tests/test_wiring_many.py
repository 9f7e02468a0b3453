"""What a sweep gets to know of many groups when an account does not answer, or answers only in part."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from phoenix.aws.session import Access, Aws
from phoenix.core.many.triage import UNKNOWN_SIGNS, Member, Signs
from phoenix.core.trigger import RotateWhen
from phoenix.errors import AccessDenied, Blocked, PhoenixError, Throttled, Unreachable
from phoenix.images import ssm
from phoenix.wiring.many import AwsOverview, _Place
from tests.builders import OLD_IMAGE, a_generation, a_record
from tests.engine.builders import VirtualClock

WHEN = RotateWhen(tainted=True)
RECORDS = {"web": a_record(group="web", live=a_generation(1))}


class Account(Aws):
    """Nothing is marked, tainted or moved here; `refuses` says what an operation, or all of them, raise."""

    def __init__(self, **refuses: PhoenixError) -> None:
        super().__init__(threads=1)
        self.refuses = refuses

    def call(self, service: str, method: str, **parameters: Any) -> dict[str, Any]:
        self._refuse(method)
        return {"Parameters": [{"Name": name, "Value": OLD_IMAGE} for name in parameters["Names"]]}

    def pages(self, service: str, method: str, *_: Any, **parameters: Any) -> Iterator[Any]:
        self._refuse(method)
        return iter(())

    def _refuse(self, method: str) -> None:
        if method in self.refuses or "all" in self.refuses:
            raise self.refuses.get(method) or self.refuses["all"]


IMAGE = ssm.Settings(kind="ssm", parameter="/images/web")


def signs_of(**accounts: Account) -> dict[str, Signs]:
    places = {name: _Place(Access(region=name), account, IMAGE, "alb") for name, account in accounts.items()}
    overview = AwsOverview(VirtualClock(), places)
    return dict(overview.signs_of([Member(name, rotate_when=WHEN) for name in accounts], RECORDS))


@pytest.mark.parametrize("error", [Throttled("x"), Unreachable("x"), Blocked("wrong account")])
def test_an_account_that_does_not_answer_is_not_known_and_the_others_are(
    error: PhoenixError, caplog: pytest.LogCaptureFixture
) -> None:
    found = signs_of(api=Account(all=error), jobs=Account())

    assert found == {"api": UNKNOWN_SIGNS, "jobs": Signs(OLD_IMAGE)}
    assert [vars(each)["groups"] for each in caplog.records] == [["api"]]


@pytest.mark.parametrize(
    ("method", "sign"),
    [("describe_tags", "marked"), ("describe_instances", "tainted"), ("get_parameters", "image")],
)
def test_what_a_right_is_lacking_for_is_not_known_and_the_rest_is(method: str, sign: str) -> None:
    found = signs_of(api=Account(**{method: AccessDenied("x")}))["api"]

    known = {name: getattr(found, name) for name in ("image", "marked", "moved", "tainted")}
    assert known == {"image": OLD_IMAGE, "marked": False, "moved": False, "tainted": False} | {sign: None}


# --- the overview of traffic goes by kind -----------------------------------------------------------------------------

RULE = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener-rule/app/web/50dc/f2f7/9683"
LISTENER = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/net/edge/50dc/f2f7"


class Listed(Account):
    """Remembers the reads of routes; none of the routes is there any more."""

    def __init__(self, **refuses: PhoenixError) -> None:
        super().__init__(**refuses)
        self.asked: dict[str, Any] = {}

    def pages(self, service: str, method: str, *_: Any, **parameters: Any) -> Iterator[Any]:
        if service == "elbv2":
            self.asked[method] = parameters
        return super().pages(service, method, *_, **parameters)


def signs_by_kind(account: Listed, **kinds: str) -> dict[str, Signs]:
    """The signs of one group of each kind, whose one route is gone."""
    places = {name: _Place(Access(), account, IMAGE, kind) for name, kind in kinds.items()}
    routes = {"alb": RULE, "nlb": LISTENER}
    records = {
        name: a_record(group=name, live=a_generation(1), routes={routes[kind]: ":443"} if kind in routes else {})
        for name, kind in kinds.items()
    }
    members = [Member(name, rotate_when=WHEN) for name in kinds]
    return dict(AwsOverview(VirtualClock(), places).signs_of(members, records))


def test_each_kind_of_router_reads_its_own_routes() -> None:
    account = Listed()

    found = signs_by_kind(account, web="alb", edge="nlb", workers="none")

    assert account.asked == {"describe_rules": {"RuleArns": [RULE]}, "describe_listeners": {"ListenerArns": [LISTENER]}}
    assert {name: signs.moved for name, signs in found.items()} == {"web": True, "edge": True, "workers": False}


def test_a_right_that_one_kind_lacks_leaves_the_others_known() -> None:
    found = signs_by_kind(Listed(describe_listeners=AccessDenied("x")), web="alb", edge="nlb")

    assert {name: signs.moved for name, signs in found.items()} == {"web": True, "edge": None}
