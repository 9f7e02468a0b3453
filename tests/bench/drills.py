"""What a drill costs by itself: calls of a look while it is measured, and calls from its question to its end."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from phoenix.aws.session import Aws
from phoenix.core.drill import Ending
from phoenix.engine.drill import DrillRequest, run_drill
from phoenix.sandbox import ManualClock, Sandbox
from phoenix.settings import Settings
from phoenix.wiring import Overrides, Wiring
from tests.bench.arena import POLL_SECONDS
from tests.bench.figures import Figure
from tests.rotation.stage import a_policy, write_policy

TOPIC: Final = "12. A drill of one instance"
SIZES: Final = (4, 12)
LOOK_TARGET: Final = 5
POLICY: Final[dict[str, Any]] = a_policy(drill={"most": 1, "floor": "75%"})


def measure() -> Iterator[Figure]:
    """The figures of every size."""
    for size in SIZES:
        with TemporaryDirectory() as folder:
            yield from _measured(Path(folder), size)


def _measured(folder: Path, size: int) -> Iterator[Figure]:
    clock = ManualClock()
    with Sandbox(clock=clock, seed_group=False) as box:
        box.seed("web", desired=size)
        write_policy(folder, POLICY)
        settings = Settings(policies=str(folder), store=f"sqlite:///{folder}/db", poll_seconds=POLL_SECONDS)
        group = Wiring(settings, Overrides(clock=clock, aws=Aws(session=box.session), by="bench")).group("web")
        looks: list[int] = []
        drilled = run_drill(group, DrillRequest(), lambda _: looks.append(len(box.calls)))
        calls, writes = len(box.calls), sum(call.mutating for call in box.calls)
    if drilled.drill.ending is not Ending.WHOLE:
        raise AssertionError(drilled.drill.sentence)
    each = [after - before for before, after in pairwise(looks)]
    what = f"of {size}"
    yield Figure(TOPIC, f"calls a look while it is measured, {what}", max(each), "calls", target=LOOK_TARGET)
    yield Figure(TOPIC, f"calls from question to end, {what}", calls, "calls")
    yield Figure(TOPIC, f"writes, {what}", writes, "calls", target=1)
