"""The report: whole, safe, small, and with everything that explains a rollback."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from phoenix.core.chronicle import Chronicle, Console, Decided
from phoenix.core.model import Cause, Outcome
from phoenix.core.rotation import Rotation
from phoenix.core.story import Event, Hold
from phoenix.pages.report import report_page
from phoenix.stores.codec import encode_rotation
from tests.builders import NOON, after, changed
from tests.pages.builders import (
    NASTY,
    a_chronicle,
    a_failed_rotation,
    a_long_canary,
    a_told_rotation,
    some_evidence,
)


class Reader(HTMLParser):
    """Collects text, tags and everything that a browser would fetch or run."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.fetched: list[str] = []
        self.handlers: list[str] = []
        self.words: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.fetched += [str(value) for name, value in attrs if name in ("src", "href") and value and value[0] != "#"]
        self.handlers += [name for name, _ in attrs if name.startswith("on") or name == "style"]
        self.ids += [str(value) for name, value in attrs if name == "id"]

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def read(rotation: Rotation) -> Reader:
    reader = Reader()
    reader.feed(report_page(rotation, after(60)))
    return reader


@pytest.mark.parametrize("rotation", [a_told_rotation(), a_failed_rotation()], ids=["succeeded", "failed"])
def test_it_asks_no_host_and_runs_nothing(rotation: Rotation) -> None:
    page = read(rotation)

    assert (page.fetched, page.handlers) == ([], [])
    assert not {"script", "iframe", "img", "link", "object"} & {*page.tags}
    assert len(page.ids) == len({*page.ids})


def test_a_failure_comes_with_its_evidence() -> None:
    text = read(a_failed_rotation()).text

    for told in (
        "Why it went back", "web-5xx went OK -> ALARM", "503 on /healthz", "no capacity in eu-west-1b",
        "ModuleNotFoundError: No module named 'orjson'", "2 beyond the threshold of 25",
        "Not to be had: the console of i-2: EC2 had none yet", "phoenix retry --group web",
    ):  # fmt: skip
        assert told in text


def test_each_decision_stands_with_its_actions_and_each_write_with_its_refusal() -> None:
    text = read(a_told_rotation()).text

    assert "waiting for generation 42" in text
    assert "slot green: candidate, 4 instances" in text
    assert "elbv2:ModifyListener Throttling" in text
    assert "2 writes, 12 reads" in text


def test_words_from_outside_are_text() -> None:
    evidence = some_evidence(why=NASTY, console=Console(NASTY, NASTY), missing=(NASTY,))
    nasty = a_failed_rotation(
        chronicle=a_chronicle(evidence=evidence, decisions=(Decided(NOON, NASTY, (NASTY,)),)),
        events=(Event(NOON, NASTY, NASTY),),
        group=NASTY,
    )
    page = read(replace(nasty, new=replace(nasty.new, image_name=NASTY)))

    assert "script" not in page.tags
    assert "\x1b" not in page.text
    assert "<script>alert('x')</script>" in page.text


def test_one_that_is_held_says_so() -> None:
    held = a_failed_rotation(
        back=None, held=Hold("alarm: rings", Cause.IMAGE), outcome=Outcome.HELD, ended_at=None
    )  # fmt: skip

    assert "Why it was held" in read(held).text


def test_one_of_an_earlier_version_has_no_picture_and_says_why() -> None:
    page = read(a_told_rotation(chronicle=Chronicle()))

    assert "svg" not in page.tags
    assert "a version of phoenix that took no samples" in page.text


def test_one_without_a_known_start_does_not_invent_it() -> None:
    assert "started" not in read(changed(a_told_rotation(), by="")).text


def test_two_hours_of_thirty_instances_stay_below_a_mebibyte_and_their_record_below_what_a_table_takes() -> None:
    long = a_long_canary()

    assert len(report_page(long, after(120)).encode()) < 2**19
    assert len(encode_rotation(long).encode()) < 200_000


def test_every_lane_of_print_is_in_the_style() -> None:
    page = report_page(a_told_rotation(), after(60))

    assert len(re.findall(r"@media print", page)) == 2
    assert "prefers-color-scheme: dark" in page
