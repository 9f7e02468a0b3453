"""One request to one instance, without credentials.

Must never follow a redirect: one to another host is no answer of the instance's.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from phoenix.errors import Unreachable

LONGEST_BODY: Final = 256 * 1024
"""Bytes of an answer in which a text is looked for."""


@dataclass(frozen=True, slots=True)
class Request:
    """The request, and the time to wait for its answer. `host` is the name that is asked for at that address; with
    `ca_file` the certificate has to be signed by one in it, and to name the host where there is one."""

    url: str
    timeout_seconds: float
    host: str | None = None
    ca_file: str | None = None
    wants_body: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back; names of headers are in lower case. `body` is empty unless it was wanted."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


Fetch = Callable[[Request], Reply]
"""Asks; raises Unreachable when there is no answer."""


def fetch(request: Request) -> Reply:
    """Ask once, and follow no redirect: a redirect is an answer of its own."""
    import urllib3

    try:
        pool = urllib3.PoolManager(num_pools=1, retries=False, headers=_headers(request), **_trust(request))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", urllib3.exceptions.InsecureRequestWarning)
            answer = pool.request(
                "GET", request.url, timeout=request.timeout_seconds, redirect=False, preload_content=False
            )
        body = answer.read(LONGEST_BODY, decode_content=True) if request.wants_body else b""
        answer.close()
        pool.clear()
        return Reply(answer.status, {name.lower(): value for name, value in answer.headers.items()}, body)
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise Unreachable(f"{request.url}: {error}") from error


def _headers(request: Request) -> dict[str, str]:
    return {"User-Agent": "phoenix"} | ({"Host": request.host} if request.host else {})


def _trust(request: Request) -> dict[str, Any]:
    """How a certificate is checked. The instance is asked by its address, and a certificate names a host: without a CA
    of the owner's it is not checked, as load balancers do not check it either."""
    if urlsplit(request.url).scheme != "https":
        return {}
    if request.ca_file is None:
        return {"cert_reqs": "CERT_NONE", "assert_hostname": False, "server_hostname": request.host}
    named = request.host or False
    return {"ca_certs": request.ca_file, "assert_hostname": named, "server_hostname": request.host}
