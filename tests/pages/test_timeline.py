"""The picture of a rotation: its marks, their places, and well-formed SVG for any words."""

from __future__ import annotations

import re
from xml.dom import minidom

from phoenix.core.chronicle import Chronicle, Judged
from phoenix.core.model import Judgement
from phoenix.core.rotation import Rotation
from phoenix.core.story import Event
from phoenix.pages.timeline import is_drawable, summary, timeline, timeline_alone
from tests.builders import after, changed
from tests.pages.builders import NASTY, a_chronicle, a_failed_rotation, a_told_rotation


def titles(rotation: Rotation) -> list[str]:
    document = minidom.parseString(timeline_alone(rotation, after(30)))
    return [node.firstChild.nodeValue or "" for node in document.getElementsByTagName("title") if node.firstChild]


def test_the_weight_is_a_step_at_its_time() -> None:
    drawn = timeline(a_told_rotation(ended_at=after(40)), after(40))

    path = re.search(r'class="share-new" d="([^"]*)"', drawn)
    assert path is not None
    assert "H89.0V" in path[1]  # two of forty minutes, on 900 points from 44 on
    assert path[1].endswith("Z")


def test_a_bake_is_named_with_its_weight_and_its_time() -> None:
    assert "bake at 5 %, 12:02:00 to 12:12:00 UTC, 10m" in titles(a_told_rotation())


def test_gates_are_drawn_until_the_rotation_failed() -> None:
    told = titles(a_failed_rotation())

    assert "target_health: PASS from 12:02:00 UTC: 4 of 4" in told
    assert "12:06:00 UTC, rollback by phoenix: alarm: web-5xx went OK -> ALARM" in told


def test_what_people_did_is_marked() -> None:
    paused = a_told_rotation(events=(Event(after(3), "paused", "by ada: lunch"),))

    assert "12:03:00 UTC, paused: by ada: lunch" in titles(paused)


def test_words_from_outside_are_text() -> None:
    nasty = changed(
        a_told_rotation(chronicle=a_chronicle(judgements=(Judged(after(1), NASTY, Judgement.WAIT, NASTY),))),
        group=NASTY,
    )
    drawn = timeline_alone(nasty, after(30))

    assert "<script" not in drawn
    assert "\x1b" not in drawn
    assert any("<script>" in title for title in titles(nasty))


def test_a_picture_of_its_own_brings_its_style_and_asks_no_host() -> None:
    alone, inside = timeline_alone(a_told_rotation(), after(30)), timeline(a_told_rotation(), after(30))

    assert "prefers-color-scheme" in alone
    assert "<style" not in inside
    assert {*re.findall(r"https?://[^\"' ]+", alone)} == {"http://www.w3.org/2000/svg"}


def test_a_picture_of_one_in_flight_ends_now() -> None:
    flying = a_told_rotation(ended_at=None)

    assert "bake at 100 %, 12:22:00 to 12:30:00 UTC, 8m" in titles(flying)


def test_the_summary_says_what_the_picture_shows() -> None:
    told = summary(a_failed_rotation())

    assert told.startswith("Rotation of web from generation 41 to 42: rolled back in 8m; ")
    assert told.endswith("generation 42 had at most 5 % of the traffic and 4 healthy instances.")


def test_a_rotation_without_samples_has_no_picture() -> None:
    assert not is_drawable(a_told_rotation(chronicle=Chronicle()))
