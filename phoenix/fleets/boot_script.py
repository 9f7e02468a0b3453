"""User data as the text that cloud-init reads: decoded from base64, unpacked, and divided into its MIME parts.

Pure. Must never unpack without a bound: sixteen kilobytes of gzip can hold a gigabyte of nothing.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from typing import Final

MOST_BYTES: Final = 256 * 1024
"""The most that is unpacked of one document. EC2 takes 16 KB before base64:
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-add-user-data.html"""
_MOST_PARTS: Final = 50
_DEEPEST: Final = 3
_GZIP: Final = b"\x1f\x8b"
_GZIP_WINDOW: Final = 16 + zlib.MAX_WBITS
_MIME: Final = (b"content-type:", b"mime-version:", b"from ")


@dataclass(frozen=True, slots=True)
class Part:
    """One document. `number` counts from 1 where there are several; None: there is only this one.

    `is_whole` False: it is damaged, or longer than the limit.
    """

    text: str
    number: int | None = None
    is_whole: bool = True


def parts_of(encoded: str) -> tuple[Part, ...]:
    """The documents in user data as a launch template holds it; text that is no base64 is one document itself."""
    try:
        content = base64.b64decode("".join(encoded.split()), validate=True)
    except (binascii.Error, ValueError):
        content = encoded.encode("utf-8", "replace")
    found = list(_documents(content, 0))[:_MOST_PARTS]
    if len(found) == 1:
        return (_part(*found[0], None),)
    return tuple(_part(text, is_whole, number) for number, (text, is_whole) in enumerate(found, start=1))


def _part(content: bytes, is_whole: bool, number: int | None) -> Part:
    return Part(content.decode("utf-8", "replace"), number, is_whole)


def _documents(content: bytes, depth: int) -> Iterator[tuple[bytes, bool]]:
    """Each document with whether it is whole; archives inside an archive are opened a few times over."""
    if content.startswith(_GZIP) and depth < _DEEPEST:
        unpacked, is_whole = _unpacked(content)
        yield from ((text, whole and is_whole) for text, whole in _documents(unpacked, depth + 1))
        return
    if content.lstrip()[:64].lower().startswith(_MIME) and depth < _DEEPEST:
        message = message_from_bytes(content[:MOST_BYTES])
        if message.is_multipart():
            for part in _leaves(message):
                yield from _documents(part, depth + 1)
            return
    yield content[:MOST_BYTES], len(content) <= MOST_BYTES


def _leaves(message: Message) -> Iterator[bytes]:
    for part in message.walk():
        content = None if part.is_multipart() else part.get_payload(decode=True)
        if isinstance(content, bytes):
            yield content


def _unpacked(content: bytes) -> tuple[bytes, bool]:
    """At most `MOST_BYTES` of it, and whether that is all."""
    unpacker = zlib.decompressobj(_GZIP_WINDOW)
    try:
        found = unpacker.decompress(content, MOST_BYTES)
    except zlib.error:
        return b"", False
    return found, unpacker.eof
