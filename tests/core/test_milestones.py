from __future__ import annotations

from dataclasses import replace
from typing import Any

from phoenix.core.action import SetWeights
from phoenix.core.chronicle import Chronicle, Decided, Sample
from phoenix.core.milestones import Told, with_chronicle, with_first_healthy, with_phase_since
from phoenix.core.model import Cause, Judgement, Outcome, Phase, Slot, TargetState, Verdict
from phoenix.core.record import GroupRecord
from phoenix.core.rotation import Rotation
from phoenix.core.serving import NO_TRAFFIC
from phoenix.core.story import Ask, WayBack
from tests.builders import NOON, a_record, a_rotation, a_slot, after, an_observation, changed, some_terms


def phase_since(before: Rotation | None, now: Rotation) -> object:
    rotation = with_phase_since(a_record(before), a_record(now), after(5)).rotation
    assert rotation is not None
    return rotation.phase_since


def first_healthy(rotation: Rotation, healthy: int) -> object:
    seen = an_observation(green=a_slot(Slot.GREEN, healthy=healthy, version="2"), at=after(5))
    found = with_first_healthy(a_record(rotation), seen).rotation
    assert found is not None
    return found.candidate.first_healthy_at


def test_another_phase_begins_now_and_the_same_one_goes_on() -> None:
    growing = a_rotation(phase_since=NOON)

    assert phase_since(growing, growing.bake(NOON)) == after(5)
    assert phase_since(growing, growing) == NOON


def test_the_first_phase_of_a_rotation_began_with_it() -> None:
    assert phase_since(None, a_rotation()) is None
    assert phase_since(a_rotation(id="another", ended_at=NOON), a_rotation()) is None


def test_the_first_healthy_instance_is_noted_once() -> None:
    assert first_healthy(a_rotation(), 0) is None
    assert first_healthy(a_rotation(), 1) == after(5)
    assert first_healthy(a_rotation(first_healthy_at=NOON), 1) == NOON


def test_instances_from_before_or_on_the_way_back_are_not_the_new_generation() -> None:
    rotation = a_rotation()

    assert first_healthy(replace(rotation, new=replace(rotation.new, template_version=None)), 4) is None
    assert first_healthy(changed(rotation, back=Ask(NOON, "ann")), 4) is None


def test_a_group_without_a_rotation_has_no_milestones() -> None:
    record = GroupRecord("web")

    assert with_first_healthy(record, an_observation()) == with_phase_since(record, record, NOON) == record


def chronicle_after(before: Rotation | None, now: Rotation, **seen: Any) -> Chronicle:
    observation = an_observation(green=a_slot(Slot.GREEN, healthy=3, version="2"), at=after(5), **seen)
    told = Told("waiting", (SetWeights(Slot.GREEN, 5),), {"ec2:DescribeInstances": 1})
    rotation = with_chronicle(a_record(before), a_record(now), observation, told).rotation
    assert rotation is not None
    return rotation.chronicle


def test_a_look_and_a_decision_are_remembered() -> None:
    kept = chronicle_after(None, a_rotation(), weight=5)

    assert kept.samples == (Sample(after(5), 4, 3, 5, Phase.GROWING),)
    assert kept.decisions == (Decided(after(5), "waiting", ("5 % of the traffic to slot green",)),)
    assert kept.reads == {"ec2:DescribeInstances": 1}


def test_the_tick_that_ends_a_rotation_is_its_last_and_later_ones_are_not() -> None:
    running = a_rotation()
    over = running.end(after(5), Outcome.SUCCEEDED)

    assert chronicle_after(running, over).samples[-1].phase is Phase.DONE
    assert chronicle_after(over, over) == Chronicle()


def test_without_weights_the_share_is_that_of_the_ready_instances() -> None:
    rotation = a_rotation(terms=some_terms(serving=NO_TRAFFIC))

    assert chronicle_after(None, rotation).samples[0].weight == 43


def test_a_failed_rotation_keeps_the_gates_and_instances_that_were_not_ready() -> None:
    sick = a_slot(Slot.GREEN, healthy=1, version="2")
    sick = replace(sick, instances=tuple(replace(i, target=TargetState.UNHEALTHY) for i in sick.instances))
    verdicts = (Verdict("alarm", Judgement.FAIL, "rings"), Verdict("http", Judgement.PASS, "200"))
    back = a_rotation().turn_back(WayBack(Ask(after(5), "phoenix"), Cause.IMAGE, "alarm: rings"))
    seen = an_observation(green=sick, at=after(5), verdicts=verdicts)

    kept = with_chronicle(a_record(a_rotation()), a_record(back), seen, Told("back", (), {})).rotation

    evidence = kept.chronicle.evidence if kept is not None else None
    assert evidence is not None
    assert (evidence.why, evidence.asked_at) == ("alarm: rings", None)
    assert [judged.gate for judged in evidence.verdicts] == ["alarm"]
    assert [(instance.id, instance.why) for instance in evidence.instances] == [(sick.instances[0].id, "unhealthy")]
