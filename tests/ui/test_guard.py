"""Who may read the pages: names, origins, tokens, and the headers that go with every answer."""

from __future__ import annotations

import base64

import pytest
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from phoenix.ui.guard import LOOPBACK, Doors, Guard, host_name
from tests.ui.client import Client

TOKEN = "a-token-that-is-hard-to-guess"


def a_client(doors: Doors) -> Client:
    async def answer(_: object) -> PlainTextResponse:
        return PlainTextResponse("the page")

    app = Starlette(routes=[Route("/", answer)])
    return Client(Guard(app, doors), base_url="http://localhost:8642")


def status(doors: Doors, method: str = "GET", **headers: str) -> int:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return a_client(doors).request(method, "/", headers=named).status_code


def basic(password: str) -> str:
    return "Basic " + base64.b64encode(f"any:{password}".encode()).decode()


@pytest.mark.parametrize("host", ["localhost:8642", "127.0.0.1:8642", "[::1]:9", "LOCALHOST"])
def test_our_own_names_are_answered_at_any_port(host: str) -> None:
    assert status(Doors(), host=host) == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example:8642", "localhost@evil.example", "127.0.0.1/x"]
)
def test_a_name_that_was_bound_to_us_by_another_is_refused(host: str) -> None:
    assert status(Doors(), host=host) == 421


def test_on_all_addresses_any_address_is_answered_and_names_only_where_given() -> None:
    doors = Doors((*LOOPBACK, "*", "phoenix.internal"), TOKEN)

    assert doors.answers_to("10.1.2.3:8642")
    assert doors.answers_to("phoenix.internal")
    assert not doors.answers_to("evil.example")


@pytest.mark.parametrize(
    ("headers", "wanted"),
    [
        ({"origin": "http://localhost:8642"}, 200),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://["}, 403),
        ({"sec_fetch_site": "cross-site", "sec_fetch_mode": "no-cors"}, 403),
        ({"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate"}, 200),
    ],
)
def test_a_page_from_elsewhere_reads_nothing(headers: dict[str, str], wanted: int) -> None:
    assert status(Doors(), **headers) == wanted


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_nothing_but_reading_is_answered(method: str) -> None:
    assert status(Doors(), method) == 405


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (basic(TOKEN), 200),
        (f"Bearer {TOKEN}", 200),
        (basic("wrong"), 401),
        (f"Bearer {TOKEN}x", 401),
        ("Basic !!!", 401),
        ("Basic " + base64.b64encode(b"\xff\xfe:").decode(), 401),
        ("", 401),
    ],
)
def test_the_token_is_asked_for(given: str, wanted: int) -> None:
    assert status(Doors(token=TOKEN), **({"authorization": given} if given else {})) == wanted


def test_letters_that_no_base64_has_are_no_token() -> None:
    refused = Doors(token=TOKEN).refusal("GET", Headers({"host": "localhost", "authorization": "Basic \u00e9"}))

    assert refused is not None
    assert refused[0] == 401


def test_a_refusal_names_no_token_and_asks_the_browser_for_one() -> None:
    answer = a_client(Doors(token=TOKEN)).get("/")

    assert TOKEN not in answer.text + str(answer.headers)
    assert answer.headers["www-authenticate"].startswith("Basic")


@pytest.mark.parametrize("host", ["localhost", "evil.example"])
def test_every_answer_forbids_what_a_page_does_not_need(host: str) -> None:
    headers = a_client(Doors()).get("/", headers={"host": host}).headers

    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert (headers["x-content-type-options"], headers["referrer-policy"]) == ("nosniff", "no-referrer")


@pytest.mark.parametrize(("host", "name"), [("[::1]:80", "::1"), ("a:b:c", ""), ("", ""), ("x?y", "")])
def test_a_host_header_that_makes_no_sense_names_nothing(host: str, name: str) -> None:
    assert host_name(host) == name
