"""User data as it comes: plain, zipped, in parts, damaged, and made to hurt."""

from __future__ import annotations

import base64
import gzip
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

from hypothesis import given
from hypothesis import strategies as st

from phoenix.fleets.boot_script import MOST_BYTES, parts_of


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


def in_parts(*texts: str) -> bytes:
    whole = MIMEMultipart()
    for text in texts:
        whole.attach(MIMEText(text, "x-shellscript"))
    return whole.as_bytes()


def test_a_script_is_one_document() -> None:
    (part,) = parts_of(encoded(b"#!/bin/sh\nsystemctl start web\n"))

    assert (part.text, part.number, part.is_whole) == ("#!/bin/sh\nsystemctl start web\n", None, True)


def test_parts_are_numbered_and_decoded_also_inside_an_archive() -> None:
    parts = parts_of(encoded(gzip.compress(in_parts("#!/bin/sh\nfirst", "#cloud-config\nsecond: ä"))))

    assert [(part.number, part.text) for part in parts] == [(1, "#!/bin/sh\nfirst"), (2, "#cloud-config\nsecond: ä")]


def test_no_archive_is_unpacked_without_a_bound() -> None:
    (part,) = parts_of(encoded(gzip.compress(gzip.compress(b"0" * 50_000_000))))

    assert (len(part.text), part.is_whole) == (MOST_BYTES, False)


def test_a_damaged_archive_is_said_to_be_one() -> None:
    (part,) = parts_of(encoded(gzip.compress(b"#!/bin/sh\n" * 99)[:30]))

    assert not part.is_whole


def test_text_that_is_no_base64_is_looked_at_as_it_is() -> None:
    assert parts_of("#!/bin/sh é")[0].text == "#!/bin/sh é"


def test_there_may_be_none() -> None:
    assert [part.text for part in parts_of("")] == [""]


@given(st.binary(max_size=200))
def test_nothing_breaks_it(content: bytes) -> None:
    for made in (content, gzip.compress(content)[:-3], b"Content-Type: multipart/mixed; boundary=x\n\n--x\n" + content):
        assert parts_of(encoded(made))
