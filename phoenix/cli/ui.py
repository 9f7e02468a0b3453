"""`ui`: all groups as pages in a browser, on this machine.

Must never listen beyond the loopback address without a token.
"""

from __future__ import annotations

import ipaddress
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import click

from phoenix.cli.help import command
from phoenix.cli.options import common
from phoenix.cli.session import Session
from phoenix.errors import UsageError

if TYPE_CHECKING:
    import socket

INSTALL = "pip install 'phoenix-rotate[ui]'"
LEAST_TOKEN = 20
"""Letters of a token that cannot be guessed."""


@command(
    ("phoenix ui", "all groups on http://127.0.0.1:8642, live"),
)
@common
@click.option("--port", type=click.IntRange(0, 65535), default=8642, show_default=True, help="0 takes a free one.")
@click.option("--listen", "host", default="127.0.0.1", metavar="HOST", show_default=True,
              help="Another address than the loopback one; only with --token-file.")  # fmt: skip
@click.option("--token-file", type=click.Path(path_type=Path), metavar="FILE",
              help="Ask for this token, as the password of any name; FILE must be yours alone (0600).")  # fmt: skip
@click.option("--name", "names", multiple=True, metavar="NAME", help="A name that browsers use for this server.")
@click.pass_obj
def ui(session: Session, port: int, host: str, token_file: Path | None, names: tuple[str, ...]) -> int:
    """Show all groups, each group, its history and its images in a browser, live. It changes nothing: each page says
    what to type."""
    token = _read_token(token_file) if token_file is not None else ""
    try:
        from phoenix.ui.board import Board
        from phoenix.ui.guard import LOOPBACK, Doors
        from phoenix.ui.server import listen, server_of
    except ModuleNotFoundError as error:
        raise UsageError(f"the pages need {error.name}, which is not installed", hint=INSTALL) from error
    if host not in LOOPBACK and not token:
        raise UsageError(
            f"anybody who reaches {host} could read everything here", hint=f"phoenix ui --listen {host} --token-file F"
        )
    own = (*LOOPBACK, "*" if _is_everywhere(host) else host, *names)
    made = listen(host, port)
    board = Board(session.wiring)
    try:
        board.open()
        _announce(session, made, has_token=bool(token))
        server_of(board, Doors(tuple(name.lower() for name in own), token)).run(sockets=[made])
    except KeyboardInterrupt:
        return 0  # how such a server ends: nothing was going on that could be resumed
    finally:
        board.close()
        made.close()
    return 0


def _is_everywhere(host: str) -> bool:
    """True for an address that stands for all addresses of this machine."""
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def _read_token(file: Path) -> str:
    try:
        found = file.read_text(encoding="utf-8").strip()
        mode = stat.S_IMODE(file.stat().st_mode)
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise UsageError(f"the token cannot be read from {file}: {why}") from None
    if mode & 0o077:
        raise UsageError(f"{file} can be read by others ({mode:04o})", hint=f"chmod 600 {file}")
    if len(found) < LEAST_TOKEN:
        raise UsageError(
            f"the token in {file} has {len(found)} letters, at least {LEAST_TOKEN} are wanted",
            hint=f"openssl rand -hex 16 > {file}",
        )
    return found


def _announce(session: Session, made: socket.socket, *, has_token: bool) -> None:
    host, port = made.getsockname()[:2]
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}/"
    if session.options.json:
        from phoenix.views import json

        print(json.dump({"url": url, "token": has_token}, one_line=True), flush=True)
        return
    print(url, flush=True)
    session.note("All groups, live, in a browser at the address above. It changes nothing. Ctrl-C ends it.")
    if has_token:
        session.note(
            "It asks for the token as the password of any name. Without TLS in front, others on the way read it."
        )
