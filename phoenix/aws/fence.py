"""Stop requests that could outlive their lease, at the last moments before they are on the wire.

Must never delay or refuse a request without a permit: reads need no lease. Knows botocore's events only, not botocore:
`before-sign` and `before-send` come with every try of a call, so a call that froze between two tries is stopped too.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from phoenix.errors import LeaseRanOut
from phoenix.permit import Permit, current_permit

SIGNED_AT_MOST: Final = timedelta(seconds=5)
"""A request whose signature is older than this has been delayed for an unknown reason."""

_signed_at: ContextVar[float | None] = ContextVar("signed_at", default=None)


def guard(client: Any) -> None:
    """Check the permit in every request of this client from now on."""
    events = client.meta.events
    events.register_first("before-sign", _before_signing)
    events.register_first("before-send", _before_sending)
    events.register_last("before-send", _before_the_body)


def _before_signing(**_: object) -> None:
    permit = current_permit()
    if permit is not None:
        permit.check()
        _signed_at.set(permit.clock.elapsed())


def _before_sending(request: Any, **_: object) -> None:
    permit = current_permit()
    if permit is None:
        return
    permit.check()
    signed_at = _signed_at.get()
    if signed_at is not None:
        age = timedelta(seconds=permit.clock.elapsed() - signed_at)
        if age > SIGNED_AT_MOST:
            raise LeaseRanOut(permit.lease.group, permit.left(), permit.patience.needed, signed_for=age)
    # The time-out that the permit counts on if the lease is too short for the client's own.
    request.context["read_timeout"] = permit.patience.read.total_seconds()


def _before_the_body(request: Any, **_: object) -> None:
    permit = current_permit()
    if permit is not None and isinstance(request.body, str | bytes):
        body = request.body.encode() if isinstance(request.body, str) else request.body
        request.body = _Guarded(body, permit)


@dataclass(frozen=True, slots=True)
class _Guarded:
    """The body of a request, released once the connection stands: AWS does nothing on headers alone."""

    body: bytes
    permit: Permit

    def __iter__(self) -> Iterator[bytes]:
        self.permit.check()
        yield self.body

    def seek(self, _: int) -> None:
        """Do nothing: botocore rewinds a body before it signs anew, and this one always starts at its beginning."""
