"""A fixed sample of the chaos runs of one group that is rotated in place, and the seeds that have found something."""

from __future__ import annotations

import pytest

from tests.chaos import in_place, in_place_run, specs
from tests.chaos.invariants import Violated
from tests.chaos.orchestrated import Orchestrated

SEEDS, BATCH = 200, 50
FOUND = {
    43: "a scale-out beside the only old instance lowered MaxSize, and Auto Scaling ended that instance",
    63: "a scale-in at the end of a rotation was waited for, for ever",
    110: "an old instance that ended between two steps made the need grow by itself, without an end",
    147: "a way back before the first launch left the group launching the new generation",
    150: "an instance that a person took out before the shift kept a way back from its end",
    218: "what was launched for such an instance was taken for autoscaling's wish",
    1111: "a reserve whose tags a person removed stayed in Standby for ever",
    1307: "without the new generation's tag what served was taken for the one that was to go cold, again and again",
    2503: "MinSize lowered by hand in the last look of a way back left the candidate's part of DesiredCapacity",
    235: "a version set by another writer in the last look of a bake stayed",
}

DRAINED = {
    19: "what AWS had launched for an old instance that ended went with work on it when others left service",
    3: "what was more than the need at the end of a way back went with work on it",
    54: "such an instance was taken for autoscaling's wish while it was drained",
    1318: "where launches failed, one that served ended in the place of one that was never launched",
}


def survives(name: str) -> None:
    """Play it, or say what to type."""
    try:
        specs.play(name)
    except Violated as violated:
        pytest.fail(f"make chaos SEED={name}    # {violated}", pytrace=False)


@pytest.mark.parametrize("first", range(0, SEEDS, BATCH))
def test_whatever_a_seed_draws_may_go_wrong_at_once(first: int) -> None:
    for seed in range(first, first + BATCH):
        survives(f"in-place:{seed}")


def test_answers_that_are_half_a_minute_old_change_no_end() -> None:
    refused = 0
    for seed in range(40):
        survives(f"in-place:stale-{seed}")
        refused += in_place.play(f"stale-{seed}").struck["refused"]

    assert refused, "no answer was old enough to mislead a driver"


@pytest.mark.parametrize("seed", FOUND, ids=FOUND.values())
def test_what_was_found_once_does_not_come_back(seed: int) -> None:
    survives(f"in-place:{seed}")


def test_a_driver_may_die_before_or_after_any_call_and_twice() -> None:
    names = list(in_place.crashes(every=37))

    for name in names:
        survives(name)

    assert len(names) > 50


@pytest.mark.parametrize("first", range(0, SEEDS, BATCH))
def test_whatever_goes_wrong_no_instance_leaves_with_work_on_it(first: int) -> None:
    told = 0
    for seed in range(first, first + BATCH):
        survives(f"in-place:drained-{seed}")
    for seed in range(first, first + 5):
        run = in_place.play(f"drained-stale-{seed}")
        assert isinstance(run.world, Orchestrated)
        told += run.world.told

    assert told, "the orchestrator was never told anything"


@pytest.mark.parametrize("seed", DRAINED, ids=DRAINED.values())
def test_work_that_was_cut_off_once_is_not_again(seed: int) -> None:
    survives(f"in-place:drained-{seed}")


def test_a_driver_may_die_around_any_call_while_work_leaves() -> None:
    for name in in_place.crashes(every=97, drains=True):
        survives(name)


@pytest.mark.parametrize("strategy", in_place_run.STRATEGIES)
@pytest.mark.parametrize("size", in_place_run.SIZES)
def test_an_undisturbed_rotation_puts_nothing_back(strategy: str, size: int) -> None:
    for image in in_place_run.IMAGES:
        run = in_place.play(f"{strategy}-{image}-{size}:")

        assert run.record.rotation is not None
        assert [event.text for event in run.record.rotation.events if event.name == "healed"] == []
