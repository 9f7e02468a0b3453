"""The cases that every kind of run goes through: a strategy, a load balancer or none, and how the new image behaves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from itertools import product

from phoenix.core.generation import Generation
from phoenix.core.model import Outcome, Slot
from phoenix.core.opt_in import OptIn
from phoenix.core.record import GroupRecord
from phoenix.core.rotation import Rotation
from phoenix.core.serving import NO_TRAFFIC, Serving
from phoenix.core.story import Origin
from phoenix.core.terms import Capacity, Step, Terms
from phoenix.core.work import Station
from phoenix.stores.memory import MemoryStore
from phoenix.strategies.blue_green import blue_green
from phoenix.strategies.canary import Stage, canary
from phoenix.strategies.rolling import Room, rolling
from tests.builders import NEW_IMAGE, NOON, OLD_IMAGE
from tests.chaos.drivers import Run
from tests.chaos.invariants import Judge, floor_of
from tests.chaos.leaving import is_anyone_found
from tests.chaos.model import Model
from tests.chaos.parts import Image, Opening

MINUTE = timedelta(minutes=1)
HOT_FOR = timedelta(hours=12)
LEAST_ROLLING = 75
RULES = ("arn:rule/:443", "arn:rule/api")
STRATEGIES: dict[str, tuple[Step, ...]] = {
    "blue_green": blue_green(MINUTE),
    "canary": canary((Stage(5, MINUTE), Stage(50, MINUTE)), MINUTE),
    "rolling": rolling(50, MINUTE, Room(LEAST_ROLLING, 150)),
}
IMAGES = {"good": Image(), "bad": Image(answers=False), "slow": Image(boot=60, warm=180)}


@dataclass(frozen=True, slots=True)
class Case:
    """One rotation from generation 41 in blue to 42 in green. `name` is how a command line spells it."""

    strategy: str = "blue_green"
    balanced: bool = True
    image: str = "good"
    size: int = 4
    opt_ins: tuple[OptIn, ...] = ()
    drains: bool = False
    """Work has to leave an instance before the instance does."""
    announces: bool = False
    """Clients find instances in a registry, and only there."""

    @property
    def name(self) -> str:
        route = "alb" if self.balanced else "none"
        more = ("-drained" if self.drains else "") + ("-found" if self.announces else "")
        return f"{self.strategy}-{route}-{self.image}{more}"

    @property
    def least(self) -> int:
        """The policy's min_healthy_percentage."""
        return LEAST_ROLLING if self.strategy == "rolling" else 100

    @property
    def opening(self) -> Opening:
        """All but rolling begin with a generation retained hot, and with stickiness to suspend.

        A bad image comes to a rule that has never named its slot, a slow one to an owner with schedules suspended.
        """
        plain = self.strategy == "rolling" or not self.balanced
        sticky = 0 if plain else 300
        unnamed, quiet = self.image == "bad", self.image == "slow"
        return Opening(
            self.size,
            self.balanced,
            retained=not plain,
            sticky=sticky,
            unnamed=unnamed,
            quiet=quiet,
            unknown=self.announces,
        )

    @property
    def outcome(self) -> Outcome:
        """Its end without a disturbance."""
        return Outcome.ROLLED_BACK if self.image == "bad" and self.balanced else Outcome.SUCCEEDED

    def images(self) -> dict[str, Image]:
        """How each version behaves; without a load balancer no more can be told than that they run."""
        old, new = Image(), IMAGES[self.image]
        if not self.balanced:
            old, new = Image(boot=old.boot, warm=0), Image(boot=new.boot, warm=0)
        return {"0": old, "1": old} | dict.fromkeys(map(str, range(2, 10)), new)

    def terms(self) -> Terms:
        """As a policy would give them."""
        return Terms(
            steps=STRATEGIES[self.strategy],
            strategy=self.strategy,
            serving=Serving() if self.balanced else NO_TRAFFIC,
            min_healthy_percentage=self.least,
            healthy_for=timedelta(seconds=20),
            rotation_timeout=timedelta(hours=6),
            suspend_stickiness=self.opening.sticky > 0,
            opt_ins=self.opt_ins,
            before_leaving=(Station("ecs", "ecs shop", timedelta(hours=1)),) if self.drains else (),
            discovery=(Station("cloud_map", "ecs shop", timedelta(hours=1)),) if self.announces else (),
        )

    def record(self) -> GroupRecord:
        """The rotation has been decided, and nothing else."""
        terms, opening = self.terms(), self.opening
        old, new = Generation(41, Slot.BLUE, OLD_IMAGE, template_version="1"), Generation(42, Slot.GREEN, NEW_IMAGE)
        before = Generation(40, Slot.GREEN, "ami-before", template_version="0")
        arns = RULES if self.balanced else ()
        rotation = Rotation(
            id="web-42-test",
            group="web",
            old=old,
            new=new,
            terms=terms,
            started_at=NOON,
            deadline=NOON + terms.rotation_timeout,
            origin=Origin("new image", "tester", "pinned" if self.drains or self.announces else "", "memory:chaos"),
            need=self.size,
            capacity=Capacity(min(2, self.size), self.size * 2),
        )
        return GroupRecord(
            group="web",
            slots={slot: f"web-{slot.value}" for slot in Slot},
            target_groups={slot: (f"arn:tg/web-{slot.value}",) for slot in Slot},
            routes={arn: arn for arn in arns},
            live=old,
            retained=before if opening.retained else None,
            hot_until=NOON + HOT_FOR if opening.retained else None,
            highest_number=41,
            rotation=rotation,
        )

    def run(self) -> Run:
        """A fresh world with this rotation about to begin."""
        model = Model(self.opening, self.images())
        store = MemoryStore("memory:chaos")
        record = self.record()
        store.save(record)
        assert record.rotation is not None
        judge = Judge(model.truth(), floor_of(self.size, self.least), record.rotation.capacity)
        run = Run(model, judge, store)
        model.after_time.append(lambda: judge.passing(run.truth()))
        if self.announces:
            model.after_time.append(_watch_clients(model))
        return run


def _watch_clients(model: Model) -> Callable[[], None]:
    """Notes each moment at which clients that have found a machine before find none."""
    begun = False

    def look() -> None:
        nonlocal begun
        is_found = is_anyone_found(model.places.values(), model.now)
        begun = begun or bool(is_found)
        if begun and not is_found:
            model.unfound.append(model.now)

    return look


CASES = tuple(Case(*each) for each in product(STRATEGIES, (True, False), IMAGES))


def case_named(name: str) -> Case:
    """The case that a command line spells like this.

    Raises:
        KeyError: there is none.
    """
    return {case.name: case for case in CASES}[name]
