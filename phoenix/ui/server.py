"""Serve the pages on a socket until a signal comes. Must never write an access log: addresses of pages say who looked
at what, and a proxy in front of it may add more."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any, Final

import uvicorn

from phoenix.errors import PhoenixError
from phoenix.ui.app import make_app

if TYPE_CHECKING:
    from phoenix.ui.board import Board
    from phoenix.ui.guard import Doors

_LAST_ANSWERS: Final = 1
"""Seconds that pages have to be sent once the server is asked to stop."""


def listen(host: str, port: int) -> socket.socket:
    """Return the socket that pages are served on.

    Raises:
        PhoenixError: the address cannot be used.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return _bound(socket.socket(family, kind, protocol), address)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise PhoenixError(f"port {port} of {host}: {why}", hint="--port 0 takes a free one") from None


def _bound(made: socket.socket, address: Any) -> socket.socket:
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        made.listen(128)
    except OSError:
        made.close()
        raise
    return made


def server_of(board: Board, doors: Doors) -> uvicorn.Server:
    """Return the server, not yet running: `run(sockets=[...])` blocks, `should_exit` ends it."""
    return uvicorn.Server(
        uvicorn.Config(
            make_app(board, doors),
            access_log=False,
            log_config=None,
            lifespan="off",
            server_header=False,
            timeout_graceful_shutdown=_LAST_ANSWERS,
            proxy_headers=False,
        )
    )
