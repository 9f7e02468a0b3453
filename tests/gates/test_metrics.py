"""Metrics of both generations are read where they are apart, and missing ones are no pass."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest
from pydantic import ValidationError

from phoenix.core.model import Cause, Judgement, Observation, Slot, Verdict
from phoenix.core.rotation import Rotation
from phoenix.core.serving import Serving
from phoenix.core.story import Hold
from phoenix.core.terms import Step, Terms
from phoenix.errors import Unreachable
from phoenix.gates.http_post import Request, Response
from phoenix.gates.metrics import MetricsGate, Settings
from phoenix.gates.metrics_judge import AnalysisMissing
from tests.account import Account
from tests.builders import a_generation, a_rotation

BLUE, GREEN = Slot.BLUE, Slot.GREEN
PASS, WAIT, FAIL = Judgement.PASS, Judgement.WAIT, Judgement.FAIL
STEPS = (Step(100, 100, 10, timedelta(minutes=15)), Step(100, 0, 100))
CPU = {"name": "cpu", "metric": "cpu", "namespace": "Web"}
ERRORS = {"name": "errors", "metric": "HTTPCode_Target_5XX_Count", "per": "RequestCount"}
SERVER = {"url": "https://prometheus.example.com", "bearer_env": "TOKEN"}


class Bake:
    """A rotation that bakes at weight 10 since the account's clock stood at `since`."""

    def __init__(self, account: Account, *metrics: dict[str, Any], **keys: Any) -> None:
        self.account = account
        extra = {name: keys.pop(name) for name in ("post", "load", "terms") if name in keys}
        account.scope = replace(account.scope, terms=extra.pop("terms", Terms(steps=STEPS)))
        self.gate = account.make(MetricsGate, Settings(**({"metrics": metrics or (CPU,)} | keys)), **extra)
        self.since = account.clock.now()
        slots = account.slots()
        self.slots = slots | {GREEN: replace(slots[BLUE], slot=GREEN, auto_scaling_group="web-green")}
        new = a_generation(42, template_version="1", slot=GREEN)
        self.rotation: Rotation = a_rotation(
            terms=account.scope.terms, new=new, step=1, weight=10, baking_since=self.since, looked_at=self.since
        )

    def look(self, minutes: float) -> Verdict:
        """At that many minutes of the bake; the record keeps the memo."""
        at = self.since + timedelta(minutes=minutes)
        verdict = self.gate.check(self.rotation, Observation(at=at, slots=self.slots))
        self.rotation = self.rotation.look(at, 4, (verdict,))
        return verdict

    def put(self, minutes: int, *, by: str = "AutoScalingGroupName", **values: float) -> None:
        """Measurements of that many minutes; names are of groups or instances, with _ for -."""
        rows = [
            {
                "MetricName": "cpu",
                "Dimensions": [{"Name": by, "Value": name.replace("_", "-")}],
                "Timestamp": self.since + timedelta(minutes=minute),
                "Value": value + minute % 3,
            }
            for minute in range(minutes)
            for name, value in values.items()
        ]
        self.account.client("cloudwatch").put_metric_data(Namespace="Web", MetricData=rows)


def test_a_worse_candidate_fails_and_its_image_is_blamed(account: Account) -> None:
    bake = Bake(account)
    bake.put(30, web_green=90, web_blue=50)

    verdict = bake.look(15)

    assert (verdict.judgement, verdict.cause) == (FAIL, Cause.IMAGE)
    assert verdict.reason.startswith("cpu worse: x1.78, +40 (98 %: +39 to +41), p < 0.0001, 11 and 11 minutes")


def test_one_as_good_waits_for_the_end_of_the_bake_and_passes_once(account: Account) -> None:
    bake = Bake(account)
    bake.put(30, web_green=50, web_blue=50)

    early, end = bake.look(9), bake.look(15)
    account.sandbox.calls.clear()

    assert (early.judgement, end.judgement) == (WAIT, PASS)
    assert "judged at the end of the bake; so far cpu not proven worse" in early.reason
    assert bake.look(17) == end
    assert account.operations() == []


def test_within_a_minute_it_says_what_it_said_and_asks_nothing(account: Account) -> None:
    bake = Bake(account)
    bake.put(30, web_green=50, web_blue=50)
    first = bake.look(9)
    account.sandbox.calls.clear()

    assert bake.look(9.9) == first
    assert account.operations() == []


def test_missing_data_of_a_critical_metric_is_waited_for_and_then_no_pass(account: Account) -> None:
    bake = Bake(account, extend="10m")
    bake.put(40, web_blue=50)

    end, limit = bake.look(15), bake.look(25)

    assert (end.judgement, end.reason) == (WAIT, "cannot be judged: cpu too few points: 0 and 11 minutes")
    assert (limit.judgement, limit.cause) == (FAIL, Cause.ENVIRONMENT)
    assert limit.reason.endswith("no data is no pass")


def test_a_metric_that_is_not_critical_is_told_of_only(account: Account) -> None:
    bake = Bake(account, CPU, CPU | {"name": "other", "metric": "other", "critical": False})
    bake.put(30, web_green=50, web_blue=50)

    verdict = bake.look(15)

    assert verdict.judgement is PASS
    assert "other too few points" in verdict.reason


def test_what_is_absent_is_zero_where_the_owner_says_so(account: Account) -> None:
    bake = Bake(account, CPU | {"absent": "zero"})

    assert bake.look(15).judgement is PASS


def test_what_is_marginal_bakes_on_until_more_minutes_prove_it(account: Account) -> None:
    bake = Bake(account, CPU | {"tolerate": 0}, extend="10m")
    bake.put(45, web_green=51.0, web_blue=50)

    verdicts = [bake.look(15), bake.look(25)]

    assert "bakes on, for it is marginal: cpu marginal" in verdicts[0].reason
    assert verdicts[0].judgement is WAIT
    assert verdicts[1].judgement is FAIL


def test_one_that_a_person_has_resumed_is_judged_anew(account: Account) -> None:
    bake = Bake(account)
    bake.put(30, web_green=90, web_blue=50)
    bake.look(15)

    bake.rotation = replace(bake.rotation, held=Hold("cpu"))
    assert bake.look(17).judgement is FAIL
    bake.rotation = replace(bake.rotation, held=None)
    assert (bake.look(19).judgement, bake.rotation.memo_of("metrics")[:2]) == (WAIT, "[1")


def test_where_no_other_generation_has_traffic_nothing_is_compared(account: Account) -> None:
    bake = Bake(account)
    bake.rotation = replace(bake.rotation, weight=100)

    assert bake.look(15).reason == "no other generation has traffic to compare with"


def test_in_one_group_instances_are_told_apart_and_taken_together(account: Account) -> None:
    bake = Bake(account)
    account.scope = replace(account.scope, slots=dict.fromkeys(Slot, "web"))
    bake.gate = account.make(MetricsGate, Settings.model_validate({"metrics": [CPU]}))
    blue = bake.slots[BLUE]
    new = tuple(replace(each, id=f"i-{place}") for place, each in enumerate(blue.instances))
    bake.slots = {BLUE: blue, GREEN: replace(blue, slot=GREEN, instances=new)}
    for place, instance in enumerate((*new, *blue.instances)):
        bake.put(15, by="InstanceId", **{instance.id.replace("-", "_"): 50.0 + 10 * (place < 4)})

    verdict = bake.look(15)

    assert verdict.reason.startswith("cpu worse: x1.2, +10")


# --- before a start ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("metric", "keys", "name"),
    [
        (CPU, {}, "metrics-without-points"),
        (ERRORS | {"per": "RequestsCount"}, {}, "metrics-without-points"),
        (ERRORS, {"terms": Terms(steps=(Step(100, 0, 100, timedelta(minutes=9)),))}, "metrics-without-baseline"),
        (CPU, {"prometheus": SERVER}, "metrics-token-missing"),
        (ERRORS, {"least_points": 14}, "metrics-bake-short"),
    ],
)
def test_what_could_never_be_judged_stops_the_start(
    account: Account, metric: dict[str, Any], keys: dict[str, Any], name: str
) -> None:
    bake = Bake(account, metric, **keys)

    assert [each.name for each in bake.gate.find_blockers(bake.slots, BLUE)] == [name]


def test_metrics_of_a_target_group_that_both_generations_share_stop_the_start(account: Account) -> None:
    bake = Bake(account, ERRORS)
    account.scope = replace(account.scope, slots=dict.fromkeys(Slot, "web"))
    gate = account.make(MetricsGate, Settings.model_validate({"metrics": [ERRORS]}))

    assert [each.name for each in gate.find_blockers(bake.slots, BLUE)] == ["metrics-not-apart"]


def test_without_scipy_the_start_says_what_to_install(account: Account) -> None:
    def load() -> None:
        raise AnalysisMissing

    (blocker,) = Bake(account, ERRORS, load=load).gate.find_blockers(account.slots(), BLUE)

    assert (blocker.name, blocker.remedy) == ("analysis-missing", "pip install 'phoenix-rotate[analysis]'")


def test_its_price_is_what_cloudwatch_charges_for_its_looks(account: Account) -> None:
    gate = Bake(account, ERRORS, CPU).gate

    assert gate.price(Terms(steps=STEPS), 4) == "up to 15 looks of 6 metrics each: $0.001"


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({"metrics": (CPU, CPU)}, "two metrics are called cpu"),
        ({"metrics": (CPU | {"critical": False},)}, "nothing could fail"),
        ({"metrics": (ERRORS | {"stat": "p99"},)}, "is a count"),
        ({"metrics": (CPU,), "confidence": 100}, "from 80 to 99"),
    ],
)
def test_keys_that_make_no_sense_are_refused(keys: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        Settings(**keys)


# --- Prometheus -------------------------------------------------------------------------------------------------------


class Server:
    """Answers range queries with one value for each group, or what `body` says."""

    def __init__(self, body: bytes | None = None, status: int = 200) -> None:
        self.body, self.status = body, status
        self.asked: list[tuple[str, dict[str, list[str]]]] = []

    def __call__(self, request: Request) -> Response:
        asked = parse_qs(request.body.decode())
        self.asked.append((request.url, asked))
        start, end = int(asked["start"][0]), int(asked["end"][0])
        value = 90 if "web-green" in asked["query"][0] else 50
        values = [[at, str(value + at // 60 % 3)] for at in range(start, end + 1, 60)]
        found = {"status": "success", "data": {"resultType": "matrix", "result": [{"metric": {}, "values": values}]}}
        return Response(self.status, self.body if self.body is not None else json.dumps(found).encode())


QUERY = {"name": "cpu", "metric": 'avg(cpu{asg="$auto_scaling_group", id=~"$instances"}[1m])'}


def test_prometheus_is_asked_for_each_generation_by_its_own_words(account: Account) -> None:
    server = Server()
    bake = Bake(account, QUERY, prometheus={"url": "https://prometheus.example.com"}, post=server)

    verdict = bake.look(15)

    assert verdict.reason.startswith("cpu worse: x1.78, +40 (98 %: +39 to +41), p < 0.0001, 11 and 11 minutes")
    queries = sorted(asked["query"][0].split(", ")[0] for _, asked in server.asked)
    assert queries == ['avg(cpu{asg="web-blue"', 'avg(cpu{asg="web-green"']
    assert {url for url, _ in server.asked} == {"https://prometheus.example.com/api/v1/query_range"}
    first = datetime.fromtimestamp(int(server.asked[0][1]["start"][0]), UTC)
    assert first - bake.since >= timedelta(minutes=2)


@pytest.mark.parametrize(
    ("server", "says"),
    [
        (Server(b"bad gateway", 502), "Prometheus answers 502 for cpu: bad gateway"),
        (Server(b"{}"), "is not one to a range query"),
        (Server(b'{"data": {"resultType": "matrix", "result": [{"values": []}, {"values": []}]}}'), "2 series for cpu"),
    ],
)
def test_an_answer_that_cannot_be_read_is_waited_for(account: Account, server: Server, says: str) -> None:
    bake = Bake(account, QUERY, prometheus={"url": "https://prometheus.example.com"}, post=server)

    verdict = bake.look(15)

    assert (verdict.judgement, verdict.cause) == (WAIT, Cause.ENVIRONMENT)
    assert says in verdict.reason
    assert [each.name for each in bake.gate.find_blockers(bake.slots, BLUE)] == ["metrics-unreachable"]


def test_a_server_that_is_down_until_the_limit_is_no_pass(account: Account) -> None:
    def down(request: Request) -> Response:
        raise Unreachable("connection refused")

    bake = Bake(account, QUERY, prometheus={"url": "https://prometheus.example.com"}, post=down, extend="0s")

    assert (bake.look(15).judgement, bake.rotation.verdicts[0].cause) == (FAIL, Cause.ENVIRONMENT)


def test_without_weights_both_generations_have_to_be_in_service(account: Account) -> None:
    serving = Serving(weights=False, health=False, keeps_hot=False)
    bake = Bake(account, CPU, terms=Terms(steps=STEPS, serving=serving))
    bake.slots[BLUE] = replace(bake.slots[BLUE], instances=())

    assert bake.look(15).reason == "no other generation has traffic to compare with"
