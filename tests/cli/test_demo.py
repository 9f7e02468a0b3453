from __future__ import annotations

import pytest

from phoenix.cli.demo import play
from phoenix.cli.session import Session
from phoenix.errors import Interrupted
from tests.cli.conftest import CountingClock


def test_the_demo_shows_a_success_a_rollback_by_itself_and_one_by_a_person(capsys: pytest.CaptureFixture[str]) -> None:
    play(Session(), CountingClock())

    shown = capsys.readouterr().out
    story = shown[shown.index("What happened") :]
    assert [word in story for word in ("succeeded", "image", "operator", "autoscaling:ExitStandby")] == [True] * 4


def test_a_demo_that_is_stopped_says_that_nothing_is_left() -> None:
    with pytest.raises(Interrupted, match="left nothing behind"):
        play(Session(), CountingClock(most=5))
