"""A board over the sandbox, whose turns the tests take themselves; no thread, no time, no port."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from phoenix.sandbox import ManualClock, Sandbox
from phoenix.ui.app import make_app
from phoenix.ui.board import Board
from phoenix.ui.guard import Doors
from tests.rotation.stage import BRISK, STEADY, Stage, UnhurriedAws, a_policy, write_policy
from tests.ui.client import Client

CANARY = {"kind": "canary", "steps": [{"weight": 10, "bake": "3m"}], "bake": "1m"}


@dataclass
class Desk:
    """The group `web` on the sandbox, the board that watches it, and a browser without a screen."""

    stage: Stage
    board: Board
    client: Client

    def page(self, path: str = "/") -> str:
        answer = self.client.get(path)
        assert answer.status_code == 200, answer.text
        return answer.text

    def bake(self) -> None:
        """A driver brings the group to its first bake, and the board notices."""
        self.stage.tick_until(lambda report: "baking" in report.sentence)
        self.board.watch()

    def reads(self) -> int:
        return len(self.stage.reads())


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    clock = ManualClock()
    with Sandbox(clock=clock, physics=STEADY) as box:
        write_policy(tmp_path, a_policy(strategy=CANARY, gates=[BRISK]))
        stage = Stage(box, clock, "web", tmp_path, UnhurriedAws(session=box.session, threads=1))
        board = Board(stage.wiring("pages/1"))
        board.watch()
        yield Desk(stage, board, Client(make_app(board, Doors()), base_url="http://localhost"))
