"""How old the live generation is, and what that is held against."""

from __future__ import annotations

from datetime import timedelta

from phoenix.core.many.limits import Rules
from phoenix.engine.look import look
from phoenix.engine.many.age import Age, age_of
from tests.builders import NOON
from tests.engine.builders import Bench, a_bench
from tests.fakes import BAKED_AT

WEEK = timedelta(days=7)


def age_in(bench: Bench) -> Age:
    return age_of(bench.group, look(bench.group))


def test_a_generation_is_as_old_as_its_rotation() -> None:
    bench = a_bench(rules=Rules(max_age=WEEK))
    bench.rotated()
    bench.clock.at = NOON + WEEK + timedelta(seconds=1)

    found = age_in(bench)

    assert (found.since, found.is_over) == (NOON, True)
    assert not age_of(bench.group, look(bench.group)).age <= WEEK  # type: ignore[operator]


def test_one_that_phoenix_has_not_made_is_as_old_as_its_oldest_instance() -> None:
    found = age_in(a_bench(rules=Rules(max_age=WEEK)))

    assert (found.since, found.is_over) == (BAKED_AT - timedelta(days=3), False)


def test_where_no_rule_asks_for_an_age_nothing_is_read_for_it() -> None:
    found = age_in(a_bench())

    assert (found.since, found.is_over) == (None, False)


def test_an_unknown_age_is_not_called_young() -> None:
    assert Age("web", NOON, None, None, WEEK).is_over


def test_the_age_is_that_of_the_generation_that_is_live() -> None:
    bench = a_bench(rules=Rules(max_age=WEEK))
    bench.rotated()

    found = age_in(bench)

    assert (found.generation, found.group) == (bench.record.live, "web")
