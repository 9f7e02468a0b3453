"""The instances on the status screen: who they are, and what AWS says of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from phoenix.core.lifecycle import Lifecycle
from phoenix.core.model import Observation, Slot, TargetState
from phoenix.views import instances, json, status
from tests.views.builders import NOW, a_record, a_report, a_rotation, an_observation

MISMATCH = "Target.ResponseCodeMismatch, 503 on /healthz:8080"
GROWING = {"baking_since": None, "weight": 0, "step": 1}


def sick_in(slot: Slot, count: int, words: str = MISMATCH, **changes: Any) -> Observation:
    """Twelve of each generation, the first ones of one slot unhealthy."""
    seen = an_observation(green_weight=0)
    state = seen.slots[slot]
    sick = tuple(
        replace(i, target=TargetState.UNHEALTHY, target_words=words, launched_at=NOW - timedelta(minutes=4), **changes)
        for i in state.instances[:count]
    )
    slots = {**seen.slots, slot: replace(state, instances=(*sick, *state.instances[count:]))}
    return replace(seen, slots=slots)


def test_instances_are_counted_under_their_reason_and_each_is_named() -> None:
    told = instances.table(a_report(a_rotation(**GROWING), seen=sick_in(Slot.GREEN, 3)))

    assert told[0] == f"   42  3x {MISMATCH}"
    assert told[1].split() == ["i-green0000", "eu-west-1a", "4m", "v58", "InService", "unhealthy"]
    assert told[4] == "   42  9x healthy"
    assert all(len(line) < 80 for line in told)


def test_a_generation_that_is_not_in_flight_is_told_only_of_its_sick_ones() -> None:
    told = instances.table(a_report(record=a_record(), seen=sick_in(Slot.BLUE, 1)))

    assert told[0] == f"   41  1x {MISMATCH}"
    assert not any("healthy" in line.split() for line in told)


def test_a_group_that_is_well_and_at_rest_needs_no_instances() -> None:
    assert instances.table(a_report(record=a_record())) == []


def test_all_of_them_are_listed_where_they_are_asked_for() -> None:
    report = a_report(a_rotation(**GROWING), seen=sick_in(Slot.GREEN, 5))

    assert "and 1 instance more (status -v)" in "\n".join(instances.table(report))
    every = instances.table(report, verbose=True)
    assert sum("i-green" in line for line in every) == 12
    assert sum("i-blue" in line for line in every) == 12


def test_one_that_comes_and_goes_is_said_to() -> None:
    facts: dict[str, Any] = {"times_ready": 3, "longest_ready": timedelta(seconds=6)}
    told = instances.table(a_report(a_rotation(**GROWING, **facts), seen=sick_in(Slot.GREEN, 4)))

    assert told[-1] == "       was healthy 3 times, longest 6s"


def test_what_auto_scaling_says_comes_before_the_load_balancer_and_is_kept_for_one_that_leaves() -> None:
    told = instances.table(a_report(a_rotation(**GROWING), seen=sick_in(Slot.GREEN, 1, healthy=False)))
    leaving: dict[str, Any] = {"healthy": False, "lifecycle": Lifecycle.LEAVING, "lifecycle_words": "Terminating:Wait"}
    left = instances.table(a_report(a_rotation(**GROWING), seen=sick_in(Slot.GREEN, 1, **leaving)))

    assert "1x unhealthy to Auto Scaling" in told[0]
    assert "1x Terminating:Wait, Unhealthy" in left[0]


def test_without_an_observation_there_are_none() -> None:
    assert instances.table(a_report(a_rotation(), seen=None)) == []


def test_json_has_each_instance_with_its_reason() -> None:
    document = json.report(a_report(a_rotation(**GROWING), seen=sick_in(Slot.GREEN, 1)))

    first = document["generations"][0]["instances"][0]
    assert (first["id"], first["reason"], first["ready"]) == ("i-green0000", MISMATCH, False)
    assert first["launched_at"] == "2026-11-18T02:54:39Z"
    assert document["routes"][0] == {"arn": "arn:443", "name": ":443", "weights": {"42": 0, "41": 100}}


def test_the_live_view_names_fewer_of_them() -> None:
    report = a_report(a_rotation(**GROWING), seen=sick_in(Slot.GREEN, 4))

    assert status.render(report, driving=True).count("i-green") < status.render(report).count("i-green")
