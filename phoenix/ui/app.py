"""The pages' addresses, and what each of them shows. Everything comes from the board; nothing here waits for a viewer.

Must never put a value from outside into a page other than through a template.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any, Final

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from phoenix.errors import PhoenixError
from phoenix.pages import live
from phoenix.pages.frame import static
from phoenix.ui.guard import Doors, Guard

if TYPE_CHECKING:
    from phoenix.ui.board import Board

_TURN: Final = 0.2
"""Seconds between two looks at the board's serial for a viewer: a comparison of two numbers."""
_SIGN_OF_LIFE: Final = 15.0
_TYPES: Final = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_FILES: Final = {
    "style.css": ("picture.css", "page.css", "live.css"),
    "live.js": ("live.js",),
    "icon.svg": ("icon.svg",),
}


def make_app(board: Board, doors: Doors) -> Starlette:
    """Return the server's application. The board has to be open, or is watched by the caller."""
    pages = _Pages(board)
    routes = [
        Route("/", pages.shown(pages.groups)),
        Route("/history", pages.shown(pages.history)),
        Route("/images", pages.shown(pages.images)),
        Route("/groups/{name}", pages.shown(pages.group)),
        Route("/groups/{name}/images", pages.shown(pages.candidates)),
        Route("/groups/{name}/images/{image}", pages.shown(pages.image)),
        Route("/groups/{name}/rotations/{rotation}", pages.shown(pages.rotation)),
        Route("/events", pages.events),
        Route("/static/{name}", _static),
    ]
    return Starlette(
        routes=routes,
        middleware=[Middleware(Guard, doors=doors)],
        exception_handlers={404: pages.not_found},
    )


async def _static(request: Request) -> Response:
    parts = _FILES.get(request.path_params["name"])
    if parts is None:
        return PlainTextResponse("there is no such file\n", 404)
    kind = _TYPES[request.path_params["name"].rpartition(".")[2]]
    return Response("".join(map(static, parts)), media_type=kind)


class _Pages:
    def __init__(self, board: Board) -> None:
        self._board = board

    def shown(self, make: Callable[[Request], str | None]) -> Callable[[Request], Any]:
        """Make the page beside the event loop: reading a history may take a moment."""

        async def answer(request: Request) -> Response:
            try:
                page = await run_in_threadpool(make, request)
            except PhoenixError as error:
                page, status = live.problem(error.message, self._surroundings(request)), 503
                return HTMLResponse(page, status)
            return HTMLResponse(page) if page is not None else await self.not_found(request, None)

        return answer

    def groups(self, request: Request) -> str:
        around = self._surroundings(request)
        return live.groups(self._board.entries(), around)

    def history(self, request: Request) -> str:
        around = self._surroundings(request)
        entries = self._board.entries()
        few = len(entries) <= live.FEW_GROUPS
        found = [rotation for entry in entries for rotation in self._rotations(entry, few=few)]
        return live.history(found, around, whole=few)

    def _rotations(self, entry: live.Entry, *, few: bool) -> list[live.Rotation]:
        last = [entry.record.rotation] if entry.record is not None and entry.record.rotation is not None else []
        return list(self._board.history(entry.name)) if few and last else last

    def images(self, request: Request) -> str:
        around = self._surroundings(request)
        return live.images(self._board.entries(), around)

    def group(self, request: Request) -> str | None:
        around, name = self._surroundings(request), request.path_params["name"]
        entry = self._board.entry(name)
        return None if entry is None else live.group(entry, self._board.history(name), around)

    def candidates(self, request: Request) -> str | None:
        around, name = self._surroundings(request), request.path_params["name"]
        entry = self._board.entry(name)
        if entry is None:
            return None
        return live.candidates(entry, self._board.candidates(name), around)

    def image(self, request: Request) -> str | None:
        around, name = self._surroundings(request), request.path_params["name"]
        entry = self._board.entry(name)
        seen = self._board.image(name, request.path_params["image"]) if entry is not None else None
        return None if entry is None or seen is None else live.image(entry, seen, around)

    def rotation(self, request: Request) -> str | None:
        around, name = self._surroundings(request), request.path_params["name"]
        entry = self._board.entry(name)
        wanted = request.path_params["rotation"]
        found = next((r for r in self._board.history(name) if r.id == wanted), None) if entry is not None else None
        return None if found is None else live.rotation(found, around)

    async def not_found(self, request: Request, _error: Exception | None) -> Response:
        """Say that there is no such page, in a page."""
        return HTMLResponse(live.problem("There is no such page.", self._surroundings(request)), 404)

    async def events(self, request: Request) -> Response:
        """Tell a page which groups have changed, until it is closed."""
        return StreamingResponse(self._stream(request), media_type="text/event-stream")

    async def _stream(self, request: Request) -> AsyncIterator[str]:
        serial = self._since(request)
        said = time.monotonic()
        yield f"retry: 1000\nid: {serial}\n\n"
        while not self._board.closed and not await request.is_disconnected():
            now = self._board.serial
            groups = self._board.changed_since(serial)
            if now != serial:
                serial, said = now, time.monotonic()
                yield f"id: {serial}\nevent: changed\ndata: {json.dumps({'groups': groups})}\n\n"
            elif time.monotonic() - said > _SIGN_OF_LIFE:
                said = time.monotonic()
                yield ": here\n\n"
            await asyncio.sleep(_TURN)

    def _since(self, request: Request) -> int:
        """What the page has shown so far; it says so again when the connection was lost."""
        given = request.headers.get("last-event-id") or request.query_params.get("since", "")
        serial = self._board.serial
        # int() refuses thousands of digits with an error
        return min(int(given), serial) if given.isdecimal() and len(given) <= len(str(serial)) else serial

    def _surroundings(self, request: Request) -> live.Around:
        return live.Around(request.url.path, self._board.now(), self._board.serial, self._board.trouble)
