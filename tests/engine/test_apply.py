"""The only place that changes AWS: one action after the other, each under the lease, each told in the log."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from phoenix.core.action import SetRole, SetWeights
from phoenix.core.model import Role
from phoenix.core.record import GroupRecord
from phoenix.engine.apply import apply
from phoenix.engine.lease import claim
from phoenix.errors import LeaseLost
from phoenix.telemetry.spans import NoTracer
from tests.builders import OWNER, a_record, a_rotation
from tests.engine.builders import BLUE, GREEN, Bench, a_bench

GROW = SetRole(GREEN, Role.CANDIDATE, 4, OWNER)
SHIFT = SetWeights(GREEN, 5, only_from=frozenset({0, 5}))
BACK = SetWeights(GREEN, 0)
KNOWN = a_record(a_rotation(), routes={"arn:rule/443": ":443"})


class Spans(NoTracer):
    """Remembers which spans were opened, and what for."""

    def __init__(self) -> None:
        self.opened: list[tuple[str, dict[str, Any]]] = []

    @contextmanager
    def span(self, name: str, **facts: Any) -> Iterator[None]:
        self.opened.append((name, facts))
        yield


def applied(bench: Bench, *actions: Any, record: GroupRecord = KNOWN) -> GroupRecord:
    return apply(bench.group, claim(bench.group), record, actions, bench.clock.now())


def test_each_action_is_told_in_the_log_with_how_long_it_took(caplog: pytest.LogCaptureFixture) -> None:
    bench = a_bench()
    bench.fleet.before_write = lambda action: setattr(bench.clock, "at", bench.clock.at + timedelta(seconds=1.5))
    caplog.set_level(logging.INFO, "phoenix.engine.apply")

    applied(bench, GROW, BACK)

    told = [
        {name: getattr(line, name) for name in ("group", "rotation", "action", "took_ms")} for line in caplog.records
    ]
    common = {"group": "web", "rotation": "web-42-test"}
    assert told == [
        common | {"action": "SetRole", "took_ms": 1500},
        common | {"action": "SetWeights", "took_ms": 0},
    ]
    assert {line.getMessage() for line in caplog.records} == {"action.applied"}


def test_without_a_rotation_the_log_names_none(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "phoenix.engine.apply")

    applied(a_bench(), GROW, record=a_record())

    assert [line.rotation for line in caplog.records] == [""]  # type: ignore[attr-defined]


def test_each_action_is_a_span_of_its_own() -> None:
    spans = Spans()
    bench = a_bench(tracer=spans)

    applied(bench, GROW, BACK)

    assert spans.opened == [
        ("apply", {"group": "web", "action": "SetRole"}),
        ("apply", {"group": "web", "action": "SetWeights"}),
    ]


def test_a_raise_searches_for_new_rules_first_and_takes_them_along() -> None:
    bench = a_bench()

    record = applied(bench, SHIFT)

    assert record == replace(KNOWN, routes={"arn:rule/443": ":443", "arn:rule/api": "rule /api"})
    assert bench.percent == {5}


def test_the_way_back_searches_for_nothing() -> None:
    bench = a_bench()
    bench.send(50)

    record = applied(bench, BACK)

    assert (record, bench.router.searches) == (KNOWN, 0)
    assert [weights[GREEN] for weights in bench.router.weights.values()] == [0, 50]


@pytest.mark.parametrize("taken", [True, False])
def test_once_the_lease_is_lost_nothing_more_is_done_and_the_new_driver_is_named(taken: bool) -> None:
    bench = a_bench()
    lease = claim(bench.group)
    bench.fleet.before_write = lambda action: bench.seized_by("elsewhere/7") if taken else bench.store.release(lease)

    with pytest.raises(LeaseLost) as lost:
        apply(bench.group, lease, KNOWN, (GROW, SetRole(BLUE, Role.COLD, 0)), bench.clock.now())

    assert bench.fleet.applied == [GROW]
    assert "web" in lost.value.message
    assert ("elsewhere/7" in lost.value.message) is taken
