"""phoenix and a plain script, side by side: what each asks, how long it takes, and what is left when it is killed.

Both run as processes against a sandbox that runs fast, and are killed with SIGKILL at the same two moments: while the
new instances boot, and when they have all the traffic. Then each is started again, as a person would do.
The policy's durations are divided by the speed, since processes live in real time; they are said in sandbox time.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from phoenix.sandbox import ManualClock, ScaledClock
from tests.bench import rotations
from tests.bench.arena import POLL_SECONDS, ROOT, Arena, Case, arena, phoenix, served, variables
from tests.bench.figures import Figure
from tests.bench.leftovers import Standing, leftovers, look, newest_image
from tests.bench.plain_script import Pace, Script

CALM = "5a. Side by side with a plain script: undisturbed"
KILLED = "5b. Side by side with a plain script: killed, then started again"
SPEED = 20
FAST = Case(bake=3, healthy_for=2, propagation=1, hot_for=0)
LOOK_EVERY_S = 0.02
PATIENCE_S = 60
COMMON = rotations.BLUE_GREEN

Moment = Callable[[Arena], bool]


def _grows(place: Arena) -> bool:
    return place.box.serving()["web-green"].initial > 0


def _has_shifted(place: Arena) -> bool:
    return place.box.serving()["web-green"].lowest_share == 1


MOMENTS: dict[str, Moment] = {"while the new instances boot": _grows, "after the shift": _has_shifted}


@dataclass(frozen=True, slots=True)
class Accident:
    """What was left of one contender after it was killed, and after it was started again."""

    contender: str
    moment: str
    left: tuple[str, ...]
    left_after_rerun: tuple[str, ...]

    def figure(self) -> Figure:
        """As a line of the table."""
        left, later = ("; ".join(each) or "nothing" for each in (self.left, self.left_after_rerun))
        note = f"killed: {left}. Rerun: {later}."
        name = f"{self.contender}, {self.moment}: left after a rerun"
        return Figure(
            KILLED, name, len(self.left_after_rerun), target=0 if self.contender == "phoenix" else None, note=note
        )


def measure() -> Iterator[Figure]:
    """Topic 5."""
    yield from _calm()
    for moment in MOMENTS:
        for contender in ("phoenix", "plain script"):
            yield accident(contender, moment).figure()


def _calm() -> Iterator[Figure]:
    """The same rotation with the same bake; the script asks for no proof of health, and keeps nothing to go back to."""
    with arena(COMMON) as place:
        course = rotations.run(place)
        ours = (course.writes, len(place.box.calls) - course.writes, course.took)
    with arena(COMMON) as place:
        image, clock = newest_image(place.box.session), place.clock
        assert isinstance(clock, ManualClock)
        place.box.calls.clear()
        began = clock.now()
        Script(place.box.session, "web", Pace(POLL_SECONDS, COMMON.bake, clock.sleep)).run(image)
        writes = sum(call.mutating for call in place.box.calls)
        theirs = (writes, len(place.box.calls) - writes, (clock.now() - began).total_seconds())
    why = {
        "phoenix": f"{COMMON.healthy_for} s of it prove health; the old generation stays hot",
        "plain script": "shifts at the first healthy answer; nothing to go back to",
    }
    for contender, (writes, reads, took) in {"phoenix": ours, "plain script": theirs}.items():
        yield Figure(CALM, f"{contender}: writes", writes)
        yield Figure(CALM, f"{contender}: reads", reads)
        yield Figure(CALM, f"{contender}: makespan", took, "s", note=why[contender])


def accident(contender: str, moment: str) -> Accident:
    """Start one contender, kill it at that moment, start it again, and look at what is left each time."""
    with served(FAST, ScaledClock(SPEED)) as (place, server):
        before = look(place.box.session)
        command = _command(contender, newest_image(place.box.session))
        environment = variables(place, server.url, PHOENIX_POLL_SECONDS=str(POLL_SECONDS / SPEED))
        process = _start(command, environment)
        try:
            _wait(lambda: MOMENTS[moment](place), process)
        finally:
            process.kill()
            process.wait()
        left = leftovers(before, look(place.box.session))
        _start(command, environment).wait(PATIENCE_S)
        after = _at_rest(place)
        return Accident(contender, moment, left, leftovers(before, after))


def _command(contender: str, image: str) -> list[str]:
    if contender == "phoenix":
        return [*phoenix(), "rotate", "--group", "web"]
    pace = ["--poll", str(POLL_SECONDS / SPEED), "--bake", str(FAST.bake)]
    return [sys.executable, "-m", "tests.bench.plain_script", "--image", image, *pace]


def _start(command: Sequence[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _wait(until: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    """Wait for the moment; a process that ends before it would make the figure a lie."""
    give_up = time.monotonic() + PATIENCE_S
    while not until():
        assert process.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < give_up, "the moment to kill it never came"
        time.sleep(LOOK_EVERY_S)


def _at_rest(place: Arena) -> Standing:
    """What is there once AWS has ended what it was asked to do: drained and terminated."""
    time.sleep(100 / SPEED)
    return look(place.box.session)
