"""Each new instance is asked itself, before it gets traffic."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from phoenix.core.lifecycle import Lifecycle
from phoenix.core.model import Judgement, Observation, Slot, SlotState, Verdict
from phoenix.errors import Unreachable
from phoenix.gates.http import LONGEST, HttpGate, Settings, spread
from phoenix.gates.http_fetch import Reply, Request
from phoenix.ports import GATE_BUDGET
from tests.account import Account
from tests.builders import a_generation, a_rotation

BLUE, GREEN = Slot.BLUE, Slot.GREEN


class Servers:
    """Answers for all instances: 200 unless told otherwise."""

    def __init__(self) -> None:
        self.asked: list[Request] = []
        self.answers: dict[str, int | None] = {}
        self.headers: dict[str, str] = {}
        self.body = b""

    def __call__(self, request: Request) -> Reply:
        self.asked.append(request)
        host = request.url.split("/")[2].split(":")[0]
        status = self.answers.get(host, 200)
        if status is None:
            raise Unreachable(f"{request.url}: timed out")
        return Reply(status, self.headers, self.body)


@pytest.fixture
def servers() -> Servers:
    return Servers()


@pytest.fixture
def gate(account: Account, servers: Servers) -> HttpGate:
    return account.make(HttpGate, Settings(path="/healthz"), fetch=servers)


def candidate(account: Account) -> SlotState:
    """The live generation, as if it were the candidate in green."""
    return replace(account.slots()[BLUE], slot=GREEN)


def look(account: Account, gate: HttpGate, green: SlotState | None = None, version: str = "1") -> Verdict:
    """Ask the gate about the candidate."""
    seen = Observation(at=account.clock.now(), slots={GREEN: green or candidate(account)})
    return gate.check(a_rotation(new=a_generation(42, template_version=version)), seen)


def addresses(account: Account) -> list[str]:
    """Private addresses of the candidate's instances."""
    return [str(instance.private_address) for instance in account.fleet.live_instances(BLUE)]


def test_all_instances_are_asked_at_their_own_address_and_port(
    account: Account, gate: HttpGate, servers: Servers
) -> None:
    verdict = look(account, gate)

    assert (verdict.judgement, verdict.reason) == (Judgement.PASS, "4 of 4 answered 200, before traffic")
    wanted = {f"http://{address}:8080/healthz" for address in addresses(account)}
    assert {request.url for request in servers.asked} == wanted


@pytest.mark.parametrize(("answer", "said"), [(None, "no answer"), (503, "503"), (301, "301")])
def test_who_does_not_answer_as_expected_is_waited_for_and_named(
    account: Account, gate: HttpGate, servers: Servers, answer: int | None, said: str
) -> None:
    servers.answers[addresses(account)[0]] = answer

    verdict = look(account, gate)

    assert verdict.judgement is Judgement.WAIT
    assert verdict.reason.startswith("3 of 4 answered 200; i-")
    assert verdict.reason.endswith(said)


def test_no_instance_at_all_is_no_pass(account: Account, gate: HttpGate) -> None:
    assert look(account, gate, replace(candidate(account), instances=())).judgement is Judgement.WAIT


def test_instances_of_another_version_and_those_on_their_way_are_not_asked(
    account: Account, gate: HttpGate, servers: Servers
) -> None:
    green = candidate(account)
    booting = replace(green.instances[0], lifecycle=Lifecycle.PENDING, lifecycle_words="Pending")

    assert look(account, gate, replace(green, instances=(booting, *green.instances[1:]))).reason.startswith("3 of 3")
    assert look(account, gate, green, version="9").judgement is Judgement.WAIT


def test_several_statuses_may_be_expected(account: Account, servers: Servers) -> None:
    gate = account.make(HttpGate, Settings(path="/", expect=(200, 503)), fetch=servers)
    servers.answers[addresses(account)[0]] = 503

    assert look(account, gate).judgement is Judgement.PASS


def test_the_policy_may_name_scheme_and_port(account: Account, servers: Servers) -> None:
    look(account, account.make(HttpGate, Settings(path="/", scheme="https", port=8443), fetch=servers))

    assert all(r.url.startswith("https://") and ":8443/" in r.url for r in servers.asked)


def test_addresses_and_ports_are_asked_for_once(account: Account, gate: HttpGate) -> None:
    green = candidate(account)
    account.sandbox.calls.clear()

    for _ in range(3):
        look(account, gate, green)

    assert sorted(account.operations()) == ["DescribeInstances", "DescribeTargetGroups"]


def test_one_live_instance_that_answers_proves_that_it_works(
    account: Account, gate: HttpGate, servers: Servers
) -> None:
    servers.answers = dict.fromkeys(addresses(account)[1:], None)

    assert gate.find_blockers(account.slots(), BLUE) == []


def test_no_live_instance_that_answers_stands_in_the_way(account: Account, gate: HttpGate, servers: Servers) -> None:
    servers.answers = dict.fromkeys(addresses(account), None)

    (blocker,) = gate.find_blockers(account.slots(), BLUE)

    assert (blocker.name, "inside the VPC" in blocker.text) == ("http-unreachable", True)


@pytest.mark.parametrize("instances", [1, 4, 32, 33, 100, 256, 257, 1000])
@pytest.mark.parametrize("seconds", [1, 5, 7, 20])
def test_even_if_none_answers_all_are_asked_within_the_budget(instances: int, seconds: int) -> None:
    at_a_time, timeout = spread(instances, timedelta(seconds=seconds))

    rounds = -(-instances // at_a_time)
    assert rounds * timeout <= LONGEST < GATE_BUDGET
    assert 1 <= at_a_time <= 256
    assert timeout == timedelta(seconds=seconds) or instances > 256


@pytest.mark.parametrize(("written", "instead"), [("31s", "20s"), ("21s", "20s"), ("0s", "1s")])
def test_a_time_out_that_the_budget_does_not_allow_is_an_error(written: str, instead: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Settings.model_validate({"path": "/", "timeout": written})

    assert refused.value.errors()[0]["ctx"]["instead"] == instead


def test_a_rotation_that_was_started_with_a_longer_one_goes_on_with_the_longest_that_is_allowed() -> None:
    assert Settings.model_validate_json('{"path": "/", "timeout": "1m"}').timeout == timedelta(seconds=20)


def test_the_gate_is_made_before_traffic(gate: HttpGate) -> None:
    assert (gate.name, gate.before_traffic_only) == ("http /healthz", True)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"contains": "ready"}, None),
        ({"contains": "db: down"}, "without 'db: down'"),
        ({"headers": {"X-Version": "42"}}, None),
        ({"headers": {"x-version": "41"}}, "x-version: 42"),
        ({"headers": {"X-Commit": "9f2c1e"}}, "no header X-Commit"),
    ],
)
def test_an_answer_may_have_to_say_more_than_its_status(
    account: Account, servers: Servers, changes: dict[str, Any], fault: str | None
) -> None:
    servers.headers, servers.body = {"x-version": "42"}, b"all ready"
    gate = account.make(HttpGate, Settings.model_validate({"path": "/"} | changes), fetch=servers)

    verdict = look(account, gate)

    assert verdict.judgement is (Judgement.PASS if fault is None else Judgement.WAIT)
    assert fault is None or fault in verdict.reason


def test_some_may_be_asked_instead_of_all_and_they_are_the_same_ones_each_time(
    account: Account, servers: Servers
) -> None:
    gate = account.make(HttpGate, Settings(path="/", instances=2), fetch=servers)

    reasons = {look(account, gate).reason for _ in range(3)}

    assert reasons == {"2 of 2 answered 200, before traffic"}
    assert len({request.url for request in servers.asked}) == 2


def bakes(gate: HttpGate, account: Account, *verdicts: Verdict) -> Verdict:
    """Ask while half of the traffic is there; the record has what the gate has left."""
    rotation = a_rotation(new=a_generation(42, template_version="1"), weight=50)
    seen = Observation(at=account.clock.now(), slots={GREEN: candidate(account)})
    return gate.check(rotation.look(seen.at, 4, verdicts), seen)


def test_while_it_bakes_one_bad_look_is_waited_for_and_a_lasting_fault_fails(
    account: Account, servers: Servers
) -> None:
    gate = account.make(HttpGate, Settings(path="/", when="both"), fetch=servers)
    servers.answers[addresses(account)[0]] = 500

    first = bakes(gate, account)
    account.clock.advance(60)
    second = bakes(gate, account, first)
    account.clock.advance(1)
    third = bakes(gate, account, second)

    assert [each.judgement for each in (first, second, third)] == [Judgement.WAIT, Judgement.WAIT, Judgement.FAIL]


def test_a_good_look_ends_what_was_wrong_before(account: Account, servers: Servers) -> None:
    gate = account.make(HttpGate, Settings(path="/", when="both"), fetch=servers)
    servers.answers[addresses(account)[0]] = 500
    wrong = bakes(gate, account)
    servers.answers.clear()
    account.clock.advance(61)

    right = bakes(gate, account, wrong)
    servers.answers[addresses(account)[0]] = 500
    account.clock.advance(61)

    assert bakes(gate, account, right).judgement is Judgement.WAIT


def test_one_that_is_asked_while_it_bakes_lets_the_candidate_have_traffic(account: Account, servers: Servers) -> None:
    gate = account.make(HttpGate, Settings(path="/", when="baking"), fetch=servers)

    assert look(account, gate).judgement is Judgement.PASS
    assert servers.asked == []


def test_addresses_that_an_earlier_look_has_read_are_not_read_again(account: Account, servers: Servers) -> None:
    seen = Observation(at=account.clock.now(), slots={GREEN: candidate(account)})
    rotation = a_rotation(new=a_generation(42, template_version="1"))
    verdict = account.make(HttpGate, Settings(path="/healthz", port=80), fetch=servers).check(rotation, seen)
    account.sandbox.calls.clear()

    anew = account.make(HttpGate, Settings(path="/healthz", port=80), fetch=servers)
    again = anew.check(rotation.look(seen.at, rotation.need, (verdict,)), seen)

    assert (again, account.operations()) == (verdict, [])
