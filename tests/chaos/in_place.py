"""The chaos runs of one Auto Scaling group that is rotated in place: what goes wrong, and runs by name.

`in-place:7` is a seed; `in-place:stale-7` one whose answers are up to half a minute old; `in-place:canary-bad-4:3,17` a
driver that dies at these moments: odd ones are before a call to AWS, even ones after it. `in-place:drained-...` is any
of them with work on each instance, which has to leave first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import combinations, product
from random import Random

from phoenix.core.launch_failure import LaunchFailure
from tests.chaos.in_place_run import IMAGES, SIZES, STRATEGIES, Run, begin, conclude

MOST_LAG = 30.0
STORM = 900.0
"""Seconds in which things go wrong; after that the world only has to be put in order."""


# --- what goes wrong --------------------------------------------------------------------------------------------------


@dataclass
class Storm:
    """What one seed does to one run: at each moment that the dice name, one strike."""

    run: Run
    dice: Random
    due: list[tuple[float, str]] = field(default_factory=list)

    def brew(self) -> None:
        """Draw which kinds strike, and when."""
        for kind in self.dice.sample(sorted(STRIKES), self.dice.randint(1, 3)):
            for _ in range(self.dice.randint(1, 3)):
                self.due.append((self.dice.uniform(1, STORM), kind))
        self.due.sort()
        if self.dice.random() < 0.6:
            self.run.deaths = {self.dice.randint(1, 40) for _ in range(self.dice.randint(1, 4))}

    def pass_by(self) -> None:
        """Whatever is due now."""
        began = self.run.world.now
        start = self.run.record.rotation.started_at if self.run.record.rotation else began
        while self.due and start + timedelta(seconds=self.due[0][0]) <= began:
            _, kind = self.due.pop(0)
            self.run.struck[kind] += 1
            STRIKES[kind](self.run, self.dice)
        if not self.due and self.run.world.launch_error is not None:
            self.run.world.launch_error = None
            self.run.world._settle()


def _lose(run: Run, dice: Random) -> None:
    """An instance ends, and AWS launches another in its place; one in Standby is only dead."""
    if not run.world.servers:
        return
    server = dice.choice(run.world.servers)
    if server.standby_at is not None:
        server.dead = True
        return
    run.resized = run.resized or bool(run.deaths)
    run.world.servers.remove(server)
    run.world._settle()


def _scale(run: Run, dice: Random) -> None:
    world = run.world
    rotation = run.record.in_flight
    closing = rotation is None or rotation.clocks.closing_since is not None
    wanted = world.desired + dice.choice((-2, -1, 1, 2, 3))
    if closing and wanted < world.desired:
        return
    run.resized = True
    world.scale(wanted)


def _resize(run: Run, dice: Random) -> None:
    """MinSize or MaxSize by hand, without a change of what runs."""
    world = run.world
    run.resized = run.resized or run.record.in_flight is None
    if dice.random() < 0.5:
        world.min = dice.randint(0, world.desired)
    else:
        world.max = max(world.desired, dice.randint(world.desired, world.desired + 6))


def _version(run: Run, dice: Random) -> None:
    rotation = run.record.in_flight
    if rotation is None or rotation.clocks.closing_since is not None:
        return  # the owner's own word by then
    run.world.version = dice.choice(("1", "2") if "2" in run.world.versions.values() else ("1",))


def _untag(run: Run, dice: Random) -> None:
    run.world.tags = {key: value for key, value in run.world.tags.items() if dice.random() < 0.5}


def _take_out(run: Run, dice: Random) -> None:
    """A person moves an instance to Standby; AWS launches another."""
    world = run.world
    serving = [s for s in world.servers if world.words(s) == "InService"]
    if serving:
        server = dice.choice(serving)
        # A driver that dies right then may take what was launched in its place for autoscaling's wish.
        run.resized = run.resized or bool(run.deaths)
        server.standby_at = world.now
        run.taken_out.add(server.id)
        world._settle()


def _refuse(run: Run, dice: Random) -> None:
    words = "We currently do not have sufficient m7i.large capacity"
    run.world.launch_error = LaunchFailure(run.world.now, permanent=False, blames_image=False, words=words)


STRIKES: dict[str, Callable[[Run, Random], None]] = {
    "instance lost": _lose,
    "autoscaler": _scale,
    "bounds by hand": _resize,
    "version by hand": _version,
    "tags by hand": _untag,
    "standby by hand": _take_out,
    "launches fail": _refuse,
    "operator": lambda run, dice: run.turn(),
}


# --- runs by name -----------------------------------------------------------------------------------------------------


def play(name: str) -> Run:
    """Run what the name says.

    Raises:
        Violated: an invariant does not hold.
    """
    dice, drains = Random(f"in place {name}"), name.startswith("drained-")
    name = name.removeprefix("drained-")
    if name.isdigit():
        run = _drawn(dice, drains=drains)
        storm = Storm(run, dice)
        storm.brew()
        run.drive(storm.pass_by)
    elif name.startswith("stale-"):
        run = _drawn(dice, drains=drains)
        run.world.lag = dice.uniform(5, MOST_LAG)
        run.deaths = {dice.randint(1, 40) for _ in range(dice.randint(0, 3))}
        run.drive()
    else:
        case, _, at = name.partition(":")
        strategy, image, size = case.rsplit("-", 2)
        run = begin(strategy, image, int(size), drains=drains)
        run.deaths = {int(each) for each in at.split(",") if each}
        run.drive()
    run.deaths.clear()
    run.world.lag = 0.0
    conclude(run)
    return run


def _drawn(dice: Random, *, drains: bool) -> Run:
    strategy, image = dice.choice(sorted(STRATEGIES)), dice.choice(("good", "good", "bad"))
    return begin(strategy, image, dice.choice(SIZES), drains=drains)


def crashes(every: int = 1, *, drains: bool = False) -> Iterator[str]:
    """Killed before and after each call, and at each pair of such moments, of every case."""
    for strategy, image, size in product(STRATEGIES, IMAGES, SIZES):
        case = f"{'drained-' if drains else ''}{strategy}-{image}-{size}"
        moments = range(1, 2 * play(f"{case}:").calls + 1)
        pairs = [*((moment,) for moment in moments), *combinations(moments, 2)]
        yield from (f"in-place:{case}:{','.join(map(str, pair))}" for pair in pairs[::every])
