"""What phoenix remembers, and how much of it."""

from __future__ import annotations

from phoenix.core.record import MOST_EVENTS, Event, longer
from tests.builders import NOON


def a_story(lines: int) -> tuple[Event, ...]:
    story: tuple[Event, ...] = ()
    for number in range(lines):
        story = longer(story, Event(NOON, "pause", str(number)))
    return story


def test_a_story_keeps_every_line_while_it_is_short() -> None:
    assert [event.text for event in a_story(3)] == ["0", "1", "2"]


def test_a_long_story_keeps_how_it_began_and_its_newest_lines() -> None:
    story = a_story(MOST_EVENTS + 50)

    assert len(story) == MOST_EVENTS
    assert [event.text for event in story[:2]] == ["0", "51"]
    assert story[-1].text == str(MOST_EVENTS + 49)
