"""One POST to a service of the owner's, and the fields of a policy that say whom to trust and where a secret is.

Must never follow a redirect: it would carry a token or a signature elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated

from phoenix.errors import Unreachable
from phoenix.gates.saying import LONGEST
from phoenix.keys import Matching

VariableName = Annotated[
    str, Matching(r"[A-Za-z_][A-Za-z0-9_]{0,254}", "the name of an environment variable, never the secret")
]
AbsolutePath = Annotated[str, Matching(r"/[^\x00-\x1f]+", "an absolute path")]


@dataclass(frozen=True, slots=True)
class Request:
    """One request. `ca_file` None: the machine's certificates. `longest` are the bytes of an answer that are read."""

    url: str
    body: bytes
    headers: Mapping[str, str]
    ca_file: str | None = None
    timeout_seconds: float = 10.0
    longest: int = LONGEST


@dataclass(frozen=True, slots=True)
class Response:
    """The status, and the body: one byte more than the longest says that there is more."""

    status: int
    body: bytes


Post = Callable[[Request], Response]
"""Asks, and raises Unreachable when there is no answer."""


def post(request: Request) -> Response:
    """Ask once; a redirect is an answer of its own."""
    import urllib3

    try:
        with urllib3.PoolManager(num_pools=1, ca_certs=request.ca_file, retries=False) as pool:
            answer = pool.request(
                "POST",
                request.url,
                body=request.body,
                headers=dict(request.headers),
                timeout=request.timeout_seconds,
                redirect=False,
                preload_content=False,
            )
            body = answer.read(request.longest + 1, decode_content=True)
            answer.close()
            return Response(answer.status, body)
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise Unreachable(f"{request.url}: {type(error).__name__}: {error}") from error
