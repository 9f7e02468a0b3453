"""The invariants of the design, held against what is really so: by physics, not by what any API says.

Must never be made easier to pass: what cannot be held is written down in docs/reliability.md with its numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from phoenix.core import tags
from phoenix.core.action import Action, SetRole, SetWeights
from phoenix.core.capacity import share
from phoenix.core.closing import is_untouched, stays_hot
from phoenix.core.model import Cause, Outcome, Slot
from phoenix.core.record import GroupRecord
from phoenix.core.roles import numbers
from phoenix.core.rotation import Rotation
from phoenix.core.terms import Capacity
from tests.chaos.parts import SCHEDULES


class Violated(AssertionError):
    """An invariant does not hold; `invariant` is its number in the design."""

    def __init__(self, invariant: str, text: str) -> None:
        super().__init__(f"{invariant}: {text}")
        self.invariant = invariant


@dataclass(frozen=True, slots=True)
class SlotTruth:
    """What a slot really has: `numbers` are min, max and desired, `healthy` counts also what no driver can know to be
    gone yet, `answering` does not; `proven` are those healthy for long enough, by version."""

    numbers: tuple[int, int, int]
    healthy: int
    answering: int
    proven: Mapping[str, int]
    versions: frozenset[str]
    version: str
    suspended: frozenset[str]
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Truth:
    """What is really so. `shares` is everything the data plane may be doing now; `weights` is what the API says, by
    rule; `others` is what rules hold besides the pair, `sticky` their stickiness. All empty without a balancer."""

    at: datetime
    slots: Mapping[Slot, SlotTruth]
    shares: tuple[Mapping[Slot, float], ...] = ()
    weights: tuple[Mapping[Slot, int], ...] = ()
    others: tuple[object, ...] = ()
    sticky: tuple[int, ...] = ()

    def capacity(self) -> float:
        """How many instances' worth of traffic can be carried, each weighted group by its share, in the worst case."""
        return self._carried({slot: truth.healthy for slot, truth in self.slots.items()})

    def surely(self) -> float:
        """The same, without what no driver can know to be gone."""
        return self._carried({slot: truth.answering for slot, truth in self.slots.items()})

    def _carried(self, by: Mapping[Slot, int]) -> float:
        if not self.shares:
            return sum(by.values())
        parts = [by[slot] / part for shares in self.shares for slot, part in shares.items() if part]
        return min(parts, default=0.0)


@dataclass
class Judge:
    """Watches one group for the length of a run.

    `floor` is what may always be expected to serve. `disturbed` is asked whether anything but phoenix has taken
    capacity: from then on phoenix answers for its own actions only, which may never make a shortage, or a worse one.
    """

    start: Truth
    floor: int
    owner: Capacity
    disturbed: Callable[[], bool] = lambda: False
    lost: Callable[[Slot], int] = lambda slot: 0
    clock_error: timedelta = timedelta(0)
    promoted: bool = False
    checks: int = 0
    shifts: dict[int, datetime] = field(default_factory=dict)
    _before: Truth | None = None

    # --- I1, I2, I3: after every action, and whenever time has passed -------------------------------------------------

    def before(self, truth: Truth) -> None:
        """What was so when the action was about to be taken."""
        self._before = truth

    def after(self, action: Action, truth: Truth, rotation: Rotation | None, *, unseen: bool = False) -> None:
        """Hold an action against what it made of the world. `unseen`: another writer has moved weights since the
        look that it follows from, and the answers were too old to show it."""
        before = self._before or self.start
        self.checks += 1
        needed = min(self.floor, int(before.surely())) if self.disturbed() else self.floor
        if not unseen:
            self._capacity(truth, needed, f"after {action}")
        if truth.others != before.others:
            raise Violated("I2", f"what rules hold besides the pair became {truth.others}, was {before.others}")
        if rotation is not None and isinstance(action, SetWeights):
            self._shift(action, before, truth, rotation)
        if rotation is not None and isinstance(action, SetRole) and not self.disturbed():
            self._reuse(action, truth, rotation)

    def passing(self, truth: Truth) -> None:
        """Hold what is there now against the floor: nothing phoenix did may take effect only later."""
        self.checks += 1
        if not self.disturbed():
            self._capacity(truth, self.floor, "as time passed")
            for weights in truth.weights:
                for slot, weight in weights.items():
                    if weight and not truth.slots[slot].healthy:
                        raise Violated("I2", f"weight {weight} rests on {slot}, where no instance is healthy")

    def _capacity(self, truth: Truth, needed: float, when: str) -> None:
        found = truth.capacity()
        if found < needed - 0.02 * needed:
            raise Violated("I1", f"{found:.2f} serve, {needed} are needed, {when}")

    def _shift(self, action: SetWeights, before: Truth, after: Truth, rotation: Rotation) -> None:
        for old, new in zip(before.weights, after.weights, strict=True):
            for slot in Slot:
                if new.get(slot, 0) > old.get(slot, 0):
                    self._raised(slot, new[slot], before, rotation)
        if rotation.back is None and action.percent:
            self.shifts.setdefault(action.percent, before.at)

    def _raised(self, slot: Slot, percent: int, truth: Truth, rotation: Rotation) -> None:
        if not truth.slots[slot].healthy:
            raise Violated("I2", f"{percent} % went to {slot}, where no instance is healthy")
        if slot is not rotation.new.slot or rotation.back is not None:
            return
        proven = truth.slots[slot].proven.get(rotation.new.template_version or "", 0) + self.lost(slot)
        if proven * 100 < self.floor * percent:
            raise Violated("I2", f"{percent} % went to {slot}, where {proven} have proved themselves")
        self._rested(percent, truth.at, rotation)

    def _rested(self, percent: int, now: datetime, rotation: Rotation) -> None:
        """The step before has been watched for as long as the policy says."""
        following = [step.new_weight for step in rotation.terms.steps].index(percent)
        step = rotation.terms.steps[following - 1] if following else None
        if step is None or step.bake is None or step.new_weight not in self.shifts or self.promoted:
            return
        if now - self.shifts[step.new_weight] < step.bake - self.clock_error:
            raise Violated("I2", f"{percent} % before the bake of {step.new_weight} % was over")

    def _reuse(self, action: SetRole, truth: Truth, rotation: Rotation) -> None:
        slot, then = truth.slots[action.slot], numbers(action.role, action.count, action.owner)
        if action.slot is not rotation.new.slot or then.min == 0 or rotation.back is not None:
            return
        strangers = slot.versions - {rotation.new.template_version}
        if strangers:
            raise Violated("I3", f"{action.slot} grows while instances of version {sorted(map(str, strangers))} stay")

    # --- the end ------------------------------------------------------------------------------------------------------

    def ended(self, record: GroupRecord, truth: Truth) -> None:
        """Hold a terminal outcome against what it has left behind."""
        rotation = record.rotation
        if rotation is None or rotation.in_flight:
            raise Violated("I6", "the rotation has not ended")
        back = rotation.outcome is Outcome.ROLLED_BACK
        winner, loser = (rotation.old, rotation.new) if back else (rotation.new, rotation.old)
        live, other = truth.slots[winner.slot], truth.slots[loser.slot]
        self._nothing_left(live, other, truth)
        self._last_bake(rotation, truth.at)
        hot = stays_hot(rotation)
        if record.live is None or record.live.number != winner.number:
            raise Violated("I4", f"generation {winner.number} should be live, the record says {record.live}")
        untouched = back and record.retained is not None and other.versions == {record.retained.template_version}
        if not untouched and (record.retained.number if record.retained else None) != (
            None if back else rotation.old.number
        ):
            raise Violated("I4", f"retained is {record.retained}")
        if not hot and not untouched and other.numbers != (0, 0, 0):
            raise Violated("I4", f"the slot that was let go has {other.numbers}")
        if hot and not other.numbers[0] == other.numbers[1] == other.numbers[2] >= live.numbers[2]:
            raise Violated("I4", f"retained has {other.numbers}, live {live.numbers}")
        if not hot and not untouched and tags.CAPACITY in other.tags:
            raise Violated("I5", "phoenix:capacity is left on a cold slot")
        self._ledger(rotation, truth)
        # An image that no instance of the new generation ever ran is not the operator's reason.
        blamed = rotation.cause is Cause.IMAGE or (rotation.cause is Cause.OPERATOR and rotation.has_run)
        if back and blamed and rotation.new.image not in {q.image for q in record.quarantine}:
            raise Violated("I6", f"{rotation.new.image} was rolled back from and is not quarantined")

    def _nothing_left(self, live: SlotTruth, other: SlotTruth, truth: Truth) -> None:
        least, most, desired = live.numbers
        if least != self.owner.min or most != max(self.owner.max, desired):
            raise Violated("I5", f"the live slot has {live.numbers}, its owner set {self.owner}")
        if tags.CAPACITY in live.tags:
            raise Violated("I5", "phoenix:capacity is left on the live slot")
        ran = SCHEDULES not in self.start.slots[Slot.BLUE].suspended
        if (SCHEDULES not in live.suspended) != ran:
            raise Violated("I5", f"scheduled actions of the live slot: {'ran' if ran else 'suspended'} at the start")
        if (truth.others, truth.sticky) != (self.start.others, self.start.sticky):
            raise Violated(
                "I5", f"rules hold {truth.others}, {truth.sticky}, not {self.start.others}, {self.start.sticky}"
            )
        for weights in truth.weights:
            carrying = [slot for slot, weight in weights.items() if weight]
            if len(carrying) != 1 or truth.slots[carrying[0]] is not live:
                raise Violated("I4", f"weights are {dict(weights)}")

    def _ledger(self, rotation: Rotation, truth: Truth) -> None:
        """Empty in the record and on the tags; and what it spoke of is as it was."""
        if rotation.ledger:
            raise Violated("I5", f"the ledger still has {rotation.ledger}")
        for slot, found in truth.slots.items():
            if tags.LEDGER in found.tags:
                raise Violated("I5", f"phoenix:ledger is left on {slot}: {found.tags[tags.LEDGER]}")
            strange = (found.suspended ^ self.start.slots[slot].suspended) - {SCHEDULES}
            if strange:
                raise Violated("I5", f"{sorted(strange)} of {slot} are not as they were")
        named = [set(weights) for weights in truth.weights]
        came_back = rotation.back is not None and rotation.succeeded_at is None
        wanted = [set(weights) for weights in self.start.weights]
        if not is_untouched(rotation):
            # What phoenix has emptied leaves the rules, but for those whose stickiness hangs on there being two.
            pairs = zip(wanted, self.start.sticky, strict=True)
            wanted = [names if sticky else names - {rotation.new.slot} for names, sticky in pairs]
        if came_back and not self.disturbed() and named != wanted:
            raise Violated("I5", f"rules name {named}, not {wanted}")

    def _last_bake(self, rotation: Rotation, ended_at: datetime) -> None:
        step = rotation.terms.steps[-1]
        shifted = self.shifts.get(step.new_weight)
        if rotation.outcome is not Outcome.SUCCEEDED or step.bake is None or shifted is None or self.promoted:
            return
        if ended_at - shifted < step.bake - self.clock_error:
            raise Violated("I2", "the old generation was let go before the last bake was over")


def check_launches(made: Mapping[str, list[str]], launched: Mapping[str, int], most: int) -> None:
    """I3: one template version for one rotation, and never more instances of it than it may have."""
    for rotation, versions in made.items():
        if len(versions) > 1:
            raise Violated("I3", f"rotation {rotation} made template versions {versions}")
        for version in versions:
            if launched.get(version, 0) > most:
                raise Violated("I3", f"{launched[version]} instances of version {version}, {most} are enough")


def check_sentence(sentence: str | None) -> None:
    """I10: one line that says something."""
    if not sentence or "\n" in sentence or len(sentence) < len("nothing to do"):
        raise Violated("I10", f"a decision explains itself with {sentence!r}")


def floor_of(size: int, min_healthy_percentage: int) -> int:
    """How many have to serve at any moment."""
    return share(size, min_healthy_percentage)
