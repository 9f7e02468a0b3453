"""Each page shows what it is for, and what to type; none shows what it should not."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.requests import Request

from phoenix.core.record import GroupRecord
from phoenix.ui.app import make_app
from phoenix.ui.board import Board
from phoenix.ui.guard import Doors
from tests.pages.builders import NASTY
from tests.ui.conftest import Desk

PAGES = ("/", "/history", "/images", "/groups/web", "/groups/web/images")


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_there_before_anything_was_rotated_and_says_what_to_type(desk: Desk, path: str) -> None:
    page = desk.page(path)

    assert "What to type" in page
    assert "<code>phoenix " in page
    assert re.findall(r"<script(?! src=\"/static/live.js\" defer>)", page) == []
    assert " style=" not in page


def test_a_rotation_in_flight_is_on_every_page(desk: Desk) -> None:
    desk.bake()
    desk.page("/groups/web")
    desk.board.look_once()

    overview, page = desk.page(), desk.page("/groups/web")

    assert "baking at 10 %" in overview
    assert "phoenix rollback --group web" in page
    assert "phoenix promote --group web" in page
    assert page.count("<svg") == 1
    assert "ready now" in page


def test_a_rollback_in_a_terminal_is_on_the_page_with_its_reason(desk: Desk) -> None:
    desk.bake()
    desk.stage.rollback(reason="INC-4711")
    desk.board.watch()

    told = desk.stage.rotation

    assert "INC-4711" in desk.page("/history")
    assert "INC-4711" in desk.page(f"/groups/web/rotations/{told.id}")
    assert "Quarantined" in desk.page("/images")


def test_candidates_are_shown_with_the_chosen_one(desk: Desk) -> None:
    page = desk.page("/groups/web/images")

    assert "chosen" in page
    assert "web-2026.11.18-9f2c1e" in page


def test_an_image_answers_the_six_questions_and_shows_its_layers(desk: Desk) -> None:
    (address,) = re.findall(r'href="(/groups/web/images/ami-[0-9a-f]+)"[^\n]*chosen', desk.page("/groups/web/images"))

    page = desk.page(address)

    assert "Which repository and commit?" in page
    assert "https://git.example.com/web" in page
    assert page.count('<td class="number">') == 3
    assert "stale" in page
    assert f"phoenix images show {address.rpartition('/')[2]} --group web" in page


def test_an_image_that_no_page_names_is_not_asked_for(desk: Desk) -> None:
    desk.page("/groups/web/images")
    desk.stage.mark()

    assert desk.client.get("/groups/web/images/ami-0123456789abcdef0").status_code == 404
    assert desk.reads() == 0


def test_any_number_of_viewers_of_images_cost_one_question(desk: Desk) -> None:
    address = re.findall(r'href="(/groups/web/images/ami-[0-9a-f]+)"', desk.page("/groups/web/images"))[0]
    desk.page(address)
    desk.stage.mark()

    for _ in range(20):
        desk.page("/groups/web/images")
        desk.page(address)

    assert desk.reads() == 0


@pytest.mark.parametrize("path", ["/nowhere", "/groups/none", "/groups/web/rotations/none", "/groups/none/images"])
def test_what_is_not_there_is_said_in_a_page(desk: Desk, path: str) -> None:
    answer = desk.client.get(path)

    assert answer.status_code == 404
    assert "There is no such page." in answer.text


@pytest.mark.parametrize("name", ["style.css", "live.js", "icon.svg"])
def test_the_parts_of_a_page_come_from_here(desk: Desk, name: str) -> None:
    answer = desk.client.get(f"/static/{name}")

    assert answer.status_code == 200
    assert "http" not in answer.text.replace("http://www.w3.org/2000/svg", "")


@pytest.mark.parametrize("name", ["../board.py", "page.css", "..%2F..%2Fpyproject.toml"])
def test_no_other_file_comes_from_here(desk: Desk, name: str) -> None:
    assert desk.client.get(f"/static/{name}").status_code == 404


def test_words_from_outside_are_text_on_every_page(desk: Desk) -> None:
    desk.bake()
    record = desk.stage.record
    assert isinstance(record, GroupRecord)
    desk.stage.rollback(reason=NASTY)
    desk.board.watch()

    for path in ("/", "/history", "/images", "/groups/web", f"/groups/web/rotations/{desk.stage.rotation.id}"):
        page = desk.page(path)
        assert "<script>alert" not in page
        assert "\x1b" not in page


async def _stream(board: Board, since: int | str) -> AsyncIterator[str]:
    """The stream of an application, to a browser that never goes away."""
    app = make_app(board, Doors())
    scope: dict[str, Any] = {
        "type": "http", "method": "GET", "path": "/events", "raw_path": b"/events", "app": app, "headers": [],
        "query_string": f"since={since}".encode(), "scheme": "http", "server": ("localhost", 80), "root_path": "",
    }  # fmt: skip

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(3600)
        return {}

    route = next(route for route in app.routes if getattr(route, "path", "") == "/events")
    stream: AsyncIterator[str] = (await route.endpoint(Request(scope, receive))).body_iterator  # type: ignore[attr-defined]
    return stream


async def _events(desk: Desk, since: int | str, most: int) -> list[str]:
    """The first parts of the stream, as a browser that is still there reads them."""
    found: list[str] = []
    async for part in await _stream(desk.board, since):
        found.append(part)
        if len(found) == most:
            return found
    return found


def test_a_page_is_told_which_groups_have_changed_since_it_was_made(desk: Desk) -> None:
    since = desk.board.serial
    desk.bake()

    first, second = asyncio.run(_events(desk, since, 2))

    assert first.startswith("retry: 1000")
    assert 'event: changed\ndata: {"groups": ["web"]}' in second


@pytest.mark.parametrize("since", ["9" * 5000, "-1", "one", "\u0661" * 5000])
def test_a_page_that_says_nonsense_about_what_it_has_shown_is_told_what_comes(desk: Desk, since: str) -> None:
    (first,) = asyncio.run(_events(desk, since, 1))

    assert first.endswith(f"id: {desk.board.serial}\n\n")


def test_the_stream_ends_with_the_server(desk: Desk) -> None:
    desk.board.close()

    assert len(asyncio.run(_events(desk, desk.board.serial, 5))) == 1


class Heard(Board):
    """A board that says when a page has asked it for news."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk.stage.wiring("pages/2"))
        self.asked = asyncio.Event()

    def changed_since(self, serial: int) -> list[str]:
        self.asked.set()
        return super().changed_since(serial)


def test_an_open_page_is_a_viewer_while_nothing_changes_however_far_the_clock_leaps(desk: Desk) -> None:
    board = Heard(desk)
    board.watch()

    async def leap() -> str | None:
        stream = aiter(await _stream(board, board.serial))
        await anext(stream)
        desk.stage.clock.advance(3600)
        waiting = asyncio.ensure_future(anext(stream))
        await asyncio.wait_for(board.asked.wait(), 10)
        waiting.cancel()
        return board.look_once()

    assert asyncio.run(leap()) == "web"
