"""Requests that arrive are counted beside the gates, and what that costs is in the plan."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from phoenix.core.model import Judgement, Slot
from phoenix.core.rotation import Rotation
from phoenix.core.terms import Step
from phoenix.engine.arriving import Arriving, price_of_arrival
from phoenix.engine.group import Ports
from phoenix.errors import AccessDenied, PhoenixError, Unreachable
from tests.builders import a_record, a_rotation, a_route, after, an_observation, changed
from tests.fakes_arrival import FakeArrival

STEPS = (Step(100, 100, 10, timedelta(minutes=10)), Step(100, 100, 100, timedelta(0)))


def baking() -> Rotation:
    plain = a_rotation(STEPS)
    terms = replace(plain.terms, compares_arrival=True, confirms_return=True, propagation=timedelta(minutes=1))
    return changed(
        replace(plain, terms=terms, exposed_at=after(0)), step=1, weight=10, shifted_at=after(0), baking_since=after(0)
    )


def ports(router: FakeArrival) -> Ports:
    return cast(Ports, SimpleNamespace(router=router))


def verdict_at(minutes: float, router: FakeArrival, *, driving: bool = True, rotation: Rotation | None = None) -> Any:
    seen = replace(an_observation(), at=after(minutes), routes=(a_route(10),))
    (verdict,) = Arriving(ports(router), a_record(rotation or baking()), seen, driving=driving).verdicts()
    return verdict


def test_a_driver_counts_the_minutes_after_the_shift() -> None:
    router = FakeArrival()
    router.arriving = {Slot.BLUE: 0.9, Slot.GREEN: 0.1}

    verdict = verdict_at(5, router)

    assert router.counted == [(after(1), after(3))]
    assert verdict.judgement is Judgement.PASS
    assert "10 % of 12000 requests" in verdict.reason


def test_a_look_that_does_not_drive_counts_nothing() -> None:
    router = FakeArrival()

    verdict = verdict_at(5, router, driving=False)

    assert not router.counted
    assert verdict.reason == "not counted yet"


@pytest.mark.parametrize(
    ("error", "asks_again"), [(AccessDenied("no right"), False), (Unreachable("no answer today"), True)]
)
def test_a_count_that_fails_holds_nothing(error: PhoenixError, *, asks_again: bool) -> None:
    router = FakeArrival()
    router.unread = error

    verdict = verdict_at(5, router)
    again = verdict_at(6, router, rotation=baking().look(after(5), 4, (verdict,)))

    assert verdict.judgement is again.judgement is Judgement.PASS
    assert error.message in verdict.reason
    assert (len(router.counted) == 2) is asks_again


@pytest.mark.parametrize(
    ("changes", "uncounted", "told"),
    [
        ({"compares_arrival": True}, "", "7 looks"),
        ({"compares_arrival": True, "steps": STEPS[1:]}, "", "no step rests"),
        ({}, "", "the policy says"),
        ({}, "it counts no flows", "it counts no flows"),
    ],
)
def test_a_plan_says_what_the_counts_cost_or_why_there_are_none(
    changes: dict[str, Any], uncounted: str, told: str
) -> None:
    router = FakeArrival()
    router.uncounted = uncounted  # type: ignore[misc]
    terms = replace(baking().terms, **({"compares_arrival": False} | changes))

    (price,) = price_of_arrival(ports(router), a_record(), terms).values()

    assert told in price


def test_a_plan_says_nothing_of_it_where_no_weights_are_moved() -> None:
    terms = baking().terms
    weightless = replace(terms, serving=replace(terms.serving, weights=False))

    assert not price_of_arrival(ports(FakeArrival()), a_record(), weightless)
