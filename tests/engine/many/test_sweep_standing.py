"""How all groups stand together, which alarms count: told by a sweep that has looked at all of them, and only then."""

from __future__ import annotations

from datetime import timedelta

from phoenix.engine.many.sweep import Standing
from tests.builders import NOON, a_generation, a_rotation, after
from tests.engine.many.test_sweep import MINUTE, Yard


def test_an_idle_look_tells_how_all_groups_stand_and_a_sweep_between_two_does_not() -> None:
    yard = Yard(3)
    yard.becomes("g0", rotation=a_rotation(group="g0", deadline=NOON - MINUTE))
    yard.becomes("g1", rotation=a_rotation(group="g1", deadline=after(60)))
    yard.becomes("g2", live=a_generation(41, since=NOON - timedelta(days=8)))

    assert yard.sweep().standing is None
    assert yard.sweep(idle=True).standing == Standing(in_flight=2, stuck=1, oldest=timedelta(days=8))
