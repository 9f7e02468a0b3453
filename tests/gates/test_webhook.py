"""A web service is asked with a signed question; silence and strange answers are never a pass."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from phoenix.core.model import Cause, Judgement, Observation, Slot, TargetState, Verdict
from phoenix.errors import Unreachable
from phoenix.gates.http_post import Request, Response
from phoenix.gates.webhook import SIGNATURE, TIMESTAMP, Settings, WebhookGate
from tests.account import Account
from tests.builders import a_generation, a_rotation

BLUE, GREEN = Slot.BLUE, Slot.GREEN
PASS, WAIT, FAIL = Judgement.PASS, Judgement.WAIT, Judgement.FAIL
URL = "https://checks.example.com/web"


class Service:
    """Answers with what it is given, and keeps the requests."""

    def __init__(self, status: int = 200, body: bytes = b'{"verdict": "PASS", "reason": "9 of 9"}') -> None:
        self.status, self.body = status, body
        self.asked: list[Request] = []

    def __call__(self, request: Request) -> Response:
        self.asked.append(request)
        return Response(self.status, self.body)


def a_gate(account: Account, service: Any, environ: Mapping[str, str] | None = None, **changes: Any) -> WebhookGate:
    return account.make(WebhookGate, Settings(**({"url": URL} | changes)), post=service, environ=environ or {})


def look(account: Account, gate: WebhookGate) -> Verdict:
    blue = account.slots()[BLUE]
    healthy = tuple(replace(each, target=TargetState.HEALTHY) for each in blue.instances)
    seen = Observation(at=account.clock.now(), slots={BLUE: blue, GREEN: replace(blue, slot=GREEN, instances=healthy)})
    return gate.check(a_rotation(new=a_generation(42, template_version="1")), seen)


@pytest.mark.parametrize(
    ("status", "body", "judgement", "cause"),
    [
        (200, '{"verdict": "PASS", "reason": "9 of 9"}', PASS, Cause.IMAGE),
        (201, '{"verdict": "FAIL", "reason": "checkout"}', FAIL, Cause.IMAGE),
        (200, '{"verdict": "WAIT", "reason": "asked in #releases"}', WAIT, Cause.ENVIRONMENT),
        (200, '{"verdict": "pass"}', FAIL, Cause.ENVIRONMENT),
        (200, "ok", FAIL, Cause.ENVIRONMENT),
        (200, "", FAIL, Cause.ENVIRONMENT),
        (200, "[]", FAIL, Cause.ENVIRONMENT),
        (200, '{"verdict": "PASS"' + " " * 70_000 + "}", FAIL, Cause.ENVIRONMENT),
        (302, "", FAIL, Cause.ENVIRONMENT),
        (401, "", FAIL, Cause.ENVIRONMENT),
        (429, "", WAIT, Cause.ENVIRONMENT),
        (503, "", WAIT, Cause.ENVIRONMENT),
    ],
)
def test_only_the_word_pass_in_its_place_passes(
    account: Account, status: int, body: str, judgement: Judgement, cause: Cause
) -> None:
    verdict = look(account, a_gate(account, Service(status, body.encode())))

    assert (verdict.judgement, verdict.cause) == (judgement, cause)


def test_a_service_that_is_down_is_waited_for(account: Account) -> None:
    def down(request: Request) -> Response:
        raise Unreachable(f"{request.url}: refused")

    verdict = look(account, a_gate(account, down))

    assert (verdict.judgement, verdict.reason) == (WAIT, f"no answer: {URL}: refused")


def test_a_request_is_signed_together_with_its_time(account: Account) -> None:
    service = Service()

    look(account, a_gate(account, service, {"HOOK_SECRET": "s3cret"}, secret_env="HOOK_SECRET"))

    (asked,) = service.asked
    signed = asked.headers[TIMESTAMP].encode() + b"." + asked.body
    assert asked.headers[SIGNATURE] == "sha256=" + hmac.new(b"s3cret", signed, hashlib.sha256).hexdigest()
    assert asked.headers["Idempotency-Key"] == json.loads(asked.body)["id"]
    assert b"s3cret" not in asked.body


def test_without_its_secret_nothing_is_sent_and_no_rotation_starts(account: Account) -> None:
    service = Service()
    gate = a_gate(account, service, {}, secret_env="HOOK_SECRET")

    assert look(account, gate).judgement is FAIL
    assert service.asked == []
    assert [blocker.name for blocker in gate.find_blockers({}, BLUE)] == ["webhook-secret-missing"]


def test_looking_for_blockers_does_not_ask_the_service(account: Account) -> None:
    service = Service()

    assert a_gate(account, service).find_blockers(account.slots(), BLUE) == []
    assert service.asked == []


@pytest.mark.parametrize(
    "url",
    [
        "http://checks.example.com/",
        "ftp://x",
        "https://",
        "https:///",
        "https://?x",
        "checks.example.com",
        "http://localhost:80@checks.example.com/",
        "http://localhost.example.com/",
        "http://127.0.0.1:80\\@checks.example.com/",
        "https://any:secret@checks.example.com/",
    ],
)
def test_the_address_is_https_or_this_machine(url: str) -> None:
    with pytest.raises(ValidationError):
        Settings(url=url)


@pytest.mark.parametrize(
    "url",
    ["http://localhost:8080/x", "http://127.0.0.1", "https://[2001:db8::1]:8443/x", "https://a-b.example.com?x=@"],
)
def test_this_machine_and_addresses_with_ports_are_accepted(url: str) -> None:
    assert Settings(url=url).url == url
