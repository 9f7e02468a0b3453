"""Ten mistakes that a controller of this kind can make. Each is made here on purpose, and has to be caught.

Must never reach into the engine: every mistake is a broken part, given to the harness where a sound one belongs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

import pytest

from phoenix.core.action import Action, Decision, MakeTemplateVersion, SetWeights
from phoenix.core.decide import decide
from phoenix.core.image import Candidate
from phoenix.core.lifecycle import Lifecycle
from phoenix.core.model import Judgement, Observation, Slot, SlotState, TargetState, Verdict
from phoenix.core.record import GroupRecord
from phoenix.core.rotation import Rotation
from phoenix.core.terms import Terms
from phoenix.engine.apply import apply
from phoenix.engine.group import Group
from phoenix.engine.lease import claim
from phoenix.engine.observe import observe
from phoenix.engine.report import Watch, report_on
from phoenix.ports import Lease, Traffic
from tests.chaos.cases import Case
from tests.chaos.drivers import DriverStore, Ports, Weather
from tests.chaos.invariants import Violated
from tests.chaos.on_sandbox import conclude, open_scene
from tests.chaos.runs import Crew, Drive, settle, with_deaths, with_stall
from tests.chaos.specs import undisturbed

Decide = Callable[[GroupRecord, Observation], Decision]


def driving_with(broken: Decide) -> Drive:
    """Observe, decide, record, act, as the engine does, with another way to decide."""

    def go(group: Group, lease: Lease, watch: Watch) -> None:
        for _ in range(500):
            lease = claim(group)
            before = group.store.load(group.name)
            assert before is not None
            sight = observe(group, before)
            decision = broken(sight.record, sight.seen)
            record = group.store.save(replace(decision.record, version=before.version))
            watch(report_on(group, record, sight.seen))
            apply(group, lease, record, decision.actions, sight.seen.at)
            if record.in_flight is None:
                return
            group.clock.sleep(15)

    return go


def decided_by(case: Case, broken: Decide) -> None:
    crew = Crew(case.run(), drive=driving_with(broken))
    crew.finish()
    settle(crew, case)


def with_terms(**changes: object) -> Decide:
    """Decide as if the policy said something else; the record does not show it."""

    def broken(record: GroupRecord, seen: Observation) -> Decision:
        rotation = record.in_flight
        if rotation is None:
            return decide(record, seen)
        terms: Terms = replace(rotation.terms, **changes)  # type: ignore[arg-type]
        decision = decide(replace(record, rotation=replace(rotation, terms=terms)), seen)
        after = decision.record.rotation
        assert after is not None
        honest = replace(after, terms=rotation.terms)
        return replace(decision, record=replace(decision.record, rotation=honest))

    return broken


def doctored(change: Callable[[Rotation, Observation], Observation]) -> Decide:
    """Decide upon something else than what was seen."""

    def broken(record: GroupRecord, seen: Observation) -> Decision:
        rotation = record.in_flight
        return decide(record, seen if rotation is None else change(rotation, seen))

    return broken


def moments(case: Case, ending: str) -> list[int]:
    """At which moments of an undisturbed run this happens."""
    passed = undisturbed(case.name).moments
    return [number for number, name in enumerate(passed, start=1) if name.endswith(ending)]


@pytest.mark.parametrize("strategy", ["blue_green", "canary", "rolling"])
def test_the_harness_itself_drives_soundly(strategy: str) -> None:
    decided_by(Case(strategy), decide)


def test_a_pin_that_is_not_released_is_caught() -> None:
    def at_rest(rotation: Rotation, seen: Observation) -> Observation:
        live: SlotState = seen.slots[rotation.new.slot]
        numbers = replace(live, min=rotation.capacity.min, max=rotation.capacity.max)
        closing = rotation.clocks.closing_since is not None or rotation.clocks.baking_since is not None
        return replace(seen, slots={**seen.slots, live.slot: numbers}) if closing else seen

    with pytest.raises(Violated, match=r"I5: the live slot has \(4, 8, 4\)"):
        decided_by(Case("canary"), doctored(at_rest))


@pytest.mark.parametrize("strategy", ["blue_green", "canary", "rolling"])
def test_a_shift_before_health_is_caught(strategy: str) -> None:
    def rosy(rotation: Rotation, seen: Observation) -> Observation:
        state = seen.slots[rotation.new.slot]
        up = tuple(replace(i, lifecycle=Lifecycle.IN_SERVICE, target=TargetState.HEALTHY) for i in state.instances)
        verdicts = tuple(replace(v, judgement=Judgement.PASS) for v in seen.verdicts)
        return replace(seen, slots={**seen.slots, state.slot: replace(state, instances=up)}, verdicts=verdicts)

    with pytest.raises(Violated, match="I2|I1"):
        decided_by(Case(strategy, image="slow"), doctored(rosy))


class Forgetful(Ports):
    """Makes a version whenever it is asked to, and knows only those that it has made itself."""

    def carry_out(self, action: Action) -> None:
        if isinstance(action, MakeTemplateVersion):
            self.run.model.make_version(action.rotation)
            self.made = True
        super().carry_out(action)

    def prepared(self, rotation: Rotation | None) -> str | None:
        return super().prepared(rotation) if getattr(self, "made", False) else None


def test_a_second_launch_after_a_crash_is_caught() -> None:
    case = Case("blue_green")

    with pytest.raises(Violated, match="I3: rotation web-42-test made template versions"):
        with_deaths(case, (moments(case, "after MakeTemplateVersion")[0],), ports=Forgetful)


class Trusting(DriverStore):
    """Always believes that the lease is still its own."""

    def holds(self, lease: Lease) -> bool:
        super().holds(lease)
        return True


class Leaseless(Ports):
    """Has that store, and does not notice either how long it was frozen: what it saw seems fresh to it."""

    at: datetime | None = None

    def begin_tick(self) -> None:
        super().begin_tick()
        self.at = self.run.model.now

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self.at = self.run.model.now

    def now(self) -> datetime:
        return self.at or super().now()

    @property
    def store_kind(self) -> type[DriverStore]:
        return Trusting


def test_a_lease_that_is_ignored_is_caught() -> None:
    case, caught = Case("blue_green"), 0

    for moment in moments(case, "before check"):
        try:
            ended = with_stall(case, moment, 1000, ports=Leaseless)
            caught += ended.model.fingerprint() != undisturbed(case.name).end[0]
        except Violated:
            caught += 1

    assert caught >= 3


class Careless(Ports):
    """Takes no answer for an answer."""

    def observe_traffic(self, want_health: frozenset[Slot]) -> Traffic:
        try:
            return super().observe_traffic(want_health)
        except Exception:  # noqa: BLE001 - this is the mistake
            return Traffic(self.run.model.traffic().routes)


def test_acting_on_a_failed_observation_is_caught() -> None:
    crew = Crew(Case("canary").run(), ports=Careless)
    dice = Random(1)
    crew.run.weather = Weather(fails=lambda: dice.random() < 0.3)

    with pytest.raises(Violated, match="I8"):
        crew.finish()


@pytest.mark.parametrize("strategy", ["blue_green", "canary"])
def test_a_bake_that_is_dropped_is_caught(strategy: str) -> None:
    case = Case(strategy)
    steps = tuple(replace(step, bake=timedelta(0)) for step in case.terms().steps)

    with pytest.raises(Violated, match="I2: .* bake"):
        decided_by(case, with_terms(steps=steps, propagation=timedelta(0)))


def test_a_shrink_before_the_weights_have_taken_effect_is_caught() -> None:
    with pytest.raises(Violated, match="I1: "):
        decided_by(Case("rolling"), with_terms(propagation=timedelta(0)))


class Narrow(Ports):
    """Rewrites rules as if there were nothing in them but the pair."""

    def carry_out(self, action: Action) -> None:
        super().carry_out(action)
        if isinstance(action, SetWeights):
            for rule in self.run.model.rules:
                rule.third = 0


def test_a_third_target_group_that_is_forgotten_is_caught() -> None:
    with pytest.raises(Violated, match="what rules hold besides the pair"):
        with_deaths(Case("blue_green"), (), ports=Narrow)


class Forgiving(DriverStore):
    """Keeps no quarantine."""

    def save(self, record: GroupRecord) -> GroupRecord:
        return super().save(replace(record, quarantine=()))


class Lenient(Ports):
    """Has that store."""

    @property
    def store_kind(self) -> type[DriverStore]:
        return Forgiving


def test_a_quarantine_that_stays_empty_is_caught() -> None:
    with pytest.raises(Violated, match="rolled back from and is not quarantined"):
        with_deaths(Case("canary", image="bad"), (), ports=Lenient)


class AnyOwner:
    """Offers the newest image, whichever account has made it."""

    def __init__(self, group: Group, image: str) -> None:
        assert group.images is not None
        self._images, self._image = group.images, image

    def candidates(self, at: object) -> Sequence[Candidate]:
        return [self.named(self._image, at)]

    def named(self, image: str, at: object) -> Candidate:
        ours = self._images.candidates(at)[0]  # type: ignore[arg-type]
        return Candidate(replace(ours.image, id=image, name="web-2026.11.19-000000"), None)


def test_an_image_of_any_owner_is_caught() -> None:
    with ExitStack() as stack:
        scene = open_scene(stack, "blue_green", "good")
        foreign = scene.stage.box.bake_image("web-2026.11.19-000000", owner="999988887777")
        scene.furnish = lambda group: replace(group, images=AnyOwner(group, foreign))
        scene.finish()

        with pytest.raises(Violated, match="images run that the policy does not allow"):
            conclude(scene, "good")


def test_every_verdict_names_its_invariant() -> None:
    verdict = Verdict("target_health", Judgement.PASS, "4 of 4 healthy")

    with pytest.raises(Violated) as caught:
        raise Violated("I1", verdict.reason)

    assert (caught.value.invariant, str(caught.value)) == ("I1", "I1: 4 of 4 healthy")
