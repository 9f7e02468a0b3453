"""The table of instances that `status -v` adds."""

from __future__ import annotations

from dataclasses import replace

from phoenix.core.model import Slot, TargetState
from phoenix.views import instances, status
from tests.views.builders import a_report, a_rotation, an_observation


def test_each_instance_is_named_with_what_aws_says_of_it() -> None:
    seen = an_observation(blue=2, green=2)
    green = seen.slots[Slot.GREEN]
    sick = replace(green.instances[0], target=TargetState.UNHEALTHY, target_words="503 on /healthz:8080")
    slots = {**seen.slots, Slot.GREEN: replace(green, instances=(sick, *green.instances[1:]))}

    told = instances.table(a_report(a_rotation(), seen=replace(seen, slots=slots)))

    line = next(line for line in told if sick.id in line and line.split()[0] == "green")
    assert line.split()[1:6] == [sick.id, sick.zone, "58", "InService", "unhealthy"]
    assert line.endswith("503 on /healthz:8080")


def test_without_an_observation_there_is_no_table() -> None:
    assert instances.table(a_report(a_rotation(), seen=None)) == []


def test_only_the_verbose_screen_has_it() -> None:
    report = a_report(a_rotation())
    heads = "because"

    assert heads not in status.render(report)
    assert heads in status.render(report, verbose=True)
