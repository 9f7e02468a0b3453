"""What an adapter class declares is made when it is asked for, and once."""

from __future__ import annotations

from typing import ClassVar

from phoenix.aws.late import late


def test_it_is_made_when_it_is_first_asked_for_and_is_the_same_for_class_and_instance() -> None:
    made: list[int] = []

    def make() -> tuple[str, ...]:
        made.append(1)
        return ("a", "b")

    class Adapter:
        checks: ClassVar[tuple[str, ...]] = late(make)

    assert not made
    assert Adapter.checks is Adapter().checks
    assert (Adapter.checks, made) == (("a", "b"), [1])


def test_what_is_nothing_is_made_once_too() -> None:
    made: list[int] = []

    class Adapter:
        checks: ClassVar[None] = late(lambda: made.append(1))

    assert Adapter.checks is None
    assert Adapter.checks is None
    assert made == [1]
