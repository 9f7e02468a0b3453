"""What a rotation keeps of its looks and decisions, and how much of it."""

from __future__ import annotations

import pytest

from phoenix.core.chronicle import (
    MOST_DECISIONS,
    MOST_SAMPLES,
    MOST_WRITES,
    Chronicle,
    Judged,
    Sample,
    Write,
)
from phoenix.core.model import Judgement, Phase
from tests.builders import NOON, after


def a_sample(seconds: float = 0, new: int = 0, weight: int = 0, phase: Phase = Phase.GROWING) -> Sample:
    return Sample(after(seconds=seconds), 4, new, weight, phase)


def test_a_point_is_kept_where_something_has_changed() -> None:
    kept = Chronicle().sample(a_sample(0)).sample(a_sample(5)).sample(a_sample(10, new=1)).sample(a_sample(15, new=1))

    assert kept.samples == (a_sample(0), a_sample(10, new=1))


def test_of_too_many_points_those_go_that_last_the_shortest_and_change_the_least() -> None:
    kept = Chronicle()
    for number in range(MOST_SAMPLES):
        kept = kept.sample(a_sample(number * 60, new=number % 2))
    flicker = a_sample(MOST_SAMPLES * 60 - 59.5, new=0)

    kept = kept.sample(flicker).sample(a_sample(MOST_SAMPLES * 60 - 59, new=5))

    assert len(kept.samples) == MOST_SAMPLES
    assert flicker not in kept.samples
    assert kept.samples[0] == a_sample(0)
    assert kept.samples[-1].new == 5


def test_a_change_of_weight_outlasts_any_number_of_flickers() -> None:
    kept = Chronicle().sample(a_sample(0)).sample(a_sample(1, weight=5, phase=Phase.BAKING))
    for number in range(MOST_SAMPLES * 2):
        kept = kept.sample(a_sample(2 + number, new=number % 3, weight=5, phase=Phase.BAKING))

    assert len(kept.samples) == MOST_SAMPLES
    assert kept.samples[1] == a_sample(1, weight=5, phase=Phase.BAKING)


def test_sentences_that_differ_in_numbers_only_are_one_decision_since_the_first() -> None:
    kept = Chronicle().decide(NOON, "waiting, 0 of 4 ready", ()).decide(after(1), "waiting, 3 of 4 ready", ())

    assert [(told.at, told.why) for told in kept.decisions] == [(NOON, "waiting, 3 of 4 ready")]


def test_a_decision_with_actions_stands_alone() -> None:
    kept = Chronicle().decide(NOON, "waiting", ()).decide(after(1), "waiting", ("5 % of the traffic to slot green",))

    assert [told.actions for told in kept.decisions] == [(), ("5 % of the traffic to slot green",)]


def test_many_decisions_keep_the_first_and_the_newest() -> None:
    kept = Chronicle()
    for number in range(MOST_DECISIONS + 20):
        kept = kept.decide(after(number), f"decision {chr(97 + number % 26)}", (f"action {number}",))

    assert len(kept.decisions) == MOST_DECISIONS
    assert (kept.decisions[0].at, kept.decisions[-1].at) == (NOON, after(MOST_DECISIONS + 19))


def test_a_gate_is_told_of_when_it_changes_its_mind() -> None:
    told = [Judged(after(n), "alarm", j, "") for n, j in enumerate((Judgement.PASS, Judgement.PASS, Judgement.FAIL))]
    kept = Chronicle()
    for judged in told:
        kept = kept.judge([judged])

    assert kept.judgements == (told[0], told[2])


@pytest.mark.parametrize(("made", "left_out"), [(MOST_WRITES, 0), (MOST_WRITES + 7, 7)])
def test_writes_that_are_not_listed_any_more_are_counted(made: int, left_out: int) -> None:
    kept = Chronicle().write([Write(NOON, "elbv2:ModifyListener") for _ in range(made)])

    assert (len(kept.writes), kept.left_out) == (MOST_WRITES, left_out)


def test_reads_are_counted_by_name() -> None:
    kept = Chronicle().read({"ec2:DescribeInstances": 2}).read({}).read({"ec2:DescribeInstances": 1})

    assert kept.reads == {"ec2:DescribeInstances": 3}
