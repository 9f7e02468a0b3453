"""What phoenix remembers, and how much of it."""

from __future__ import annotations

from phoenix.core.rotation import MOST_EVENTS
from phoenix.core.story import Event
from tests.builders import NOON, a_rotation


def a_story(lines: int) -> tuple[Event, ...]:
    rotation = a_rotation()
    for number in range(lines):
        rotation = rotation.note(NOON, "pause", str(number))
    return rotation.events


def test_a_story_keeps_every_line_while_it_is_short() -> None:
    assert [event.text for event in a_story(3)] == ["0", "1", "2"]


def test_a_long_story_keeps_how_it_began_and_its_newest_lines() -> None:
    story = a_story(MOST_EVENTS + 50)

    assert len(story) == MOST_EVENTS
    assert [event.text for event in story[:2]] == ["0", "51"]
    assert story[-1].text == str(MOST_EVENTS + 49)
