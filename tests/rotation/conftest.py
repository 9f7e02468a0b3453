"""Stages for whole rotations; each is closed when its test is over, and every call on it held against its rights."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from phoenix.aws.rights import Role
from phoenix.sandbox import ManualClock, Sandbox
from tests.iam.recorder import DOCUMENTS, Recorder, refused
from tests.rotation.one_stage import STRATEGIES, OneStage, an_in_place_policy
from tests.rotation.stage import STEADY, Stage, UnhurriedAws, a_policy, write_policy

Opener = Callable[..., Stage]
OneOpener = Callable[..., OneStage]


@pytest.fixture
def open_stage(tmp_path: Path) -> Iterator[Opener]:
    """Open a stage of your own: `group`, `policy`, `desired`, and the sandbox's options."""
    recorders: list[Recorder] = []
    with ExitStack() as stack:

        def opener(
            group: str = "web", *, policy: dict[str, Any] | None = None, desired: int = 4, **options: Any
        ) -> Stage:
            clock = ManualClock()
            box = stack.enter_context(Sandbox(clock=clock, seed_group=False, **({"physics": STEADY} | options)))
            recorders.append(Recorder(box))
            box.seed(group, desired=desired)
            write_policy(tmp_path, policy or a_policy(group))
            return Stage(box, clock, group, tmp_path, UnhurriedAws(session=box.session))

        yield opener
        for recorder in recorders:
            assert refused(recorder.requests(), DOCUMENTS[Role.ROTATE]) == []


@pytest.fixture
def stage(open_stage: Opener) -> Stage:
    """The web tier on a good day, four instances, blue/green."""
    return open_stage()


@pytest.fixture
def open_one(open_stage: Opener) -> OneOpener:
    """Open a stage with one plain group: `group`, `strategy`, `desired`, and what `open_stage` takes."""

    def opener(group: str = "api", strategy: str = "blue_green", **options: Any) -> OneStage:
        sections = options.pop("sections", {})
        plainly = {"strategy": STRATEGIES[strategy], "timeouts": {"launch": "5m"}}
        policy = an_in_place_policy(group, **(plainly | sections))
        plain = open_stage(group, policy=policy, **options)
        return OneStage(plain.box, plain.clock, plain.name, plain.folder, plain.aws)

    return opener
