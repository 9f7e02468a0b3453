"""Who may read the pages: requests to a name that is ours, from a page that is ours, with the token where there is one.

A page elsewhere may have its name point to this machine (DNS rebinding), and a browser would then read us for it: so a
name that is not ours is refused, whatever else is right. Must never write a token into a log or an answer.
"""

from __future__ import annotations

import base64
import hmac
import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from starlette.responses import PlainTextResponse

if TYPE_CHECKING:
    from starlette.datastructures import Headers
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
HEADERS: Final = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cache-control": "no-store",
}


@dataclass(frozen=True, slots=True)
class Doors:
    """The names that this server answers to, without ports, and the token that it asks for; empty asks for none."""

    names: tuple[str, ...] = LOOPBACK
    token: str = ""

    def answers_to(self, host: str) -> bool:
        """True for a Host header that names us; any port, since a tunnel may have another."""
        name = host_name(host)
        return name in self.names or ("*" in self.names and _is_address(name))

    def refusal(self, method: str, headers: Headers) -> tuple[int, str] | None:
        """Return status and reason; None for a request that may be answered."""
        host, origin = headers.get("host", ""), headers.get("origin")
        if not self.answers_to(host):
            return 421, "this server does not answer to that name; phoenix ui --name NAME adds one"
        if origin is not None and _netloc(origin) != host:
            return 403, "a page of another origin asks"
        if headers.get("sec-fetch-site") == "cross-site" and headers.get("sec-fetch-mode") != "navigate":
            return 403, "a page of another site asks"
        if method not in ("GET", "HEAD"):
            return 405, "these pages change nothing: only GET is answered"
        if self.token and not hmac.compare_digest(_given(headers).encode(), self.token.encode()):
            return 401, "the token is wanted: as the password, with any name"
        return None


class Guard:
    """Refuses what the doors refuse, and adds the headers that keep a browser from running or framing anything."""

    def __init__(self, app: ASGIApp, doors: Doors) -> None:
        self._app, self._doors = app, doors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        from starlette.datastructures import Headers, MutableHeaders

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                found = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    found[name] = value
            await send(message)

        refused = self._doors.refusal(scope["method"], Headers(scope=scope))
        if refused is None:
            await self._app(scope, receive, with_headers)
            return
        status, why = refused
        asks = {"www-authenticate": 'Basic realm="phoenix", charset="UTF-8"'} if status == 401 else {}
        asks |= {"allow": "GET, HEAD"} if status == 405 else {}
        await PlainTextResponse(f"{why}\n", status, headers=asks)(scope, receive, with_headers)


def host_name(host: str) -> str:
    """The name or address in a Host header, without port and brackets; empty for one that makes no sense."""
    try:
        found = urlsplit(f"//{host}")
        is_plain = found.netloc == host and not found.username and (found.port or 0) >= 0  # a port that is none raises
        return (found.hostname or "") if is_plain else ""
    except ValueError:
        return ""


def _netloc(origin: str) -> str:
    """The name and port in an Origin header; empty for `null`, and for one that makes no sense."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""


def _is_address(name: str) -> bool:
    """True for an address: no DNS can make one point elsewhere."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _given(headers: Headers) -> str:
    """The token that the request brings: as the password of any name, or as a bearer."""
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(value, validate=True).decode().partition(":")[2]
    except ValueError:  # no base64, no UTF-8, or letters that no base64 has
        return ""
