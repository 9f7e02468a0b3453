"""When the requests that arrive are counted, and what follows from their number."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from phoenix.core.arriving import (
    ARRIVAL,
    PUBLISHING,
    Watch,
    after_look,
    awaits_numbers,
    is_due,
    looks_at_most,
    next_due,
    read_memo,
    watch_of,
    window,
    without_answer,
    without_numbers,
)
from phoenix.core.model import Cause, Judgement, Observation, Route, Slot
from phoenix.core.rotation import Rotation
from phoenix.core.story import Ask, Hold, WayBack
from phoenix.core.terms import Step
from tests.builders import a_rotation, a_route, after, an_observation, changed

BLUE, GREEN = Slot.BLUE, Slot.GREEN
BAKE = (Step(100, 100, 10, timedelta(minutes=10)), Step(100, 100, 100, timedelta(0)))
BACK = WayBack(Ask(after(0), "ada"), Cause.OPERATOR, "rolled back by ada")


def baking(steps: tuple[Step, ...] = BAKE, **changes: Any) -> Rotation:
    """At step 1, shifted and baking since 12:00, with a propagation time of one minute."""
    plain = a_rotation(steps)
    terms = replace(plain.terms, compares_arrival=True, confirms_return=True, propagation=timedelta(minutes=1))
    plain = replace(plain, terms=terms, exposed_at=after(0))
    return changed(plain, step=1, weight=10, shifted_at=after(0), baking_since=after(0), **changes)


def going_back(**changes: Any) -> Rotation:
    """Weights were seen to be back at 12:00."""
    return replace(changed(baking(), baking_since=None), back=BACK, **changes)


def seen(rotation: Rotation, minutes: float, *routes: Route) -> Observation:
    percent = rotation.current.new_weight
    return replace(an_observation(), at=after(minutes), routes=routes or (a_route(percent), a_route(percent, ":80")))


def look(rotation: Rotation, minutes: float, share: float, watch: Watch | None = None, total: float = 6000) -> Watch:
    """A look at that time, which finds as many requests in each minute."""
    since, until = window(rotation, after(minutes))
    each = [since + timedelta(minutes=n) for n in range(int((until - since) / timedelta(minutes=1)))]
    new, old = ({minute: total * part for minute in each if total * part} for part in (share, 1 - share))
    known = watch or watch_of(rotation, seen(rotation, minutes))
    assert known is not None
    return after_look(known, rotation, after(minutes), new, old)


def remembered(rotation: Rotation, watch: Watch) -> Rotation:
    return rotation.look(watch.looked or after(0), rotation.need, (watch.verdict,))


@pytest.mark.parametrize(
    "rotation",
    [
        replace(baking(), terms=replace(baking().terms, compares_arrival=False)),
        changed(baking(), baking_since=None),
        changed(baking(), closing_since=after(1)),
        baking((Step(100, 100, 10, timedelta(0)),)),
        going_back(exposed_at=None),
        changed(going_back(), shifted_at=None),
    ],
    ids=["not wished", "not resting", "closing", "no bake", "never exposed", "weights not back yet"],
)
def test_nothing_is_watched(rotation: Rotation) -> None:
    assert watch_of(rotation, seen(rotation, 9)) is None
    assert next_due(rotation) is None


def test_whole_minutes_after_the_propagation_time_are_counted_once_they_are_published() -> None:
    rotation = changed(baking(), shifted_at=after(0, seconds=20))

    assert window(rotation, after(6, seconds=59)) == (after(2), after(4))
    assert next_due(rotation) == after(4) + PUBLISHING


def test_the_first_look_has_two_minutes_and_the_next_one_comes_a_minute_later() -> None:
    rotation, fresh = baking(), Watch(1)

    assert not is_due(fresh, rotation, seen(rotation, 4.9))
    assert is_due(fresh, rotation, seen(rotation, 5))
    assert not is_due(look(rotation, 5, 0.1, total=20), rotation, seen(rotation, 5.9))
    assert is_due(look(rotation, 5, 0.1, total=20), rotation, seen(rotation, 6))


def test_a_short_bake_is_looked_at_when_it_ends() -> None:
    rotation = baking((Step(100, 100, 10, timedelta(minutes=4)),))

    assert is_due(Watch(1), rotation, seen(rotation, 4))


def test_a_shift_that_is_followed_is_counted_once() -> None:
    rotation = baking()

    found = look(rotation, 5, 0.1)

    assert found.verdict.judgement is Judgement.PASS
    assert found.text == "10 % of 12000 requests in 2m arrived at generation 42, whose weight is 10 %"
    assert not is_due(found, rotation, seen(rotation, 6))


def test_a_shift_that_is_not_followed_fails_at_the_second_look_with_both_numbers() -> None:
    rotation = baking()

    first = look(rotation, 5, 0.5)
    second = look(rotation, 6, 0.5, first)

    assert first.judgement is Judgement.WAIT
    assert next_due(remembered(rotation, first)) == after(6)
    assert second.judgement is Judgement.FAIL
    assert second.text.startswith("50 % of 18000 requests in 3m arrived at generation 42, whose weight is 10 %: ")


def test_what_one_look_alone_has_found_is_forgotten() -> None:
    rotation = baking()

    second = look(rotation, 6, 0.1, look(rotation, 5, 0.5))

    assert second.judgement is Judgement.PASS
    assert not second.suspected


def test_that_nothing_at_all_arrives_is_believed_once_cloudwatch_cannot_be_late_any_more() -> None:
    rotation, found, judged = baking(), None, []

    for minute in range(5, 11):
        found = look(rotation, minute, 0.0, found)
        judged.append(found.judgement)

    assert judged == [Judgement.WAIT] * 3 + [Judgement.FAIL] * 3


def test_a_generation_whose_minutes_come_late_is_not_blamed() -> None:
    rotation = baking()
    old = {after(minute): 5400.0 for minute in range(1, 5)}

    late = after_look(Watch(1), rotation, after(7), {after(1): 600.0}, old)

    assert late.judgement is not Judgement.FAIL
    assert look(rotation, 8, 0.1, late).judgement is Judgement.PASS


def test_too_few_requests_are_said_and_wait_for_nothing() -> None:
    found = look(baking(), 7, 0.5, total=3)

    assert found.judgement is Judgement.PASS
    assert found.text == "12 requests in 4m, 6 of them at generation 42: too few to tell whether 10 % arrive"


def test_where_it_is_not_known_nothing_waits_and_nothing_is_asked_again() -> None:
    rotation = baking()

    found = without_numbers(Watch(1), after(5), "no right to cloudwatch:GetMetricData")

    assert found.judgement is Judgement.PASS
    assert not is_due(found, rotation, seen(rotation, 9))


def test_a_look_without_an_answer_is_made_again() -> None:
    rotation = baking()

    found = without_answer(Watch(1), rotation, after(5), "throttled")

    assert found.judgement is Judgement.PASS
    assert is_due(found, rotation, seen(rotation, 6))


@pytest.mark.parametrize(
    ("route", "words"),
    [
        (replace(a_route(10), sticky_seconds=30), "stickiness"),
        (a_route(30), "another weight"),
    ],
)
def test_what_cannot_be_told_apart_is_not_judged(route: Route, words: str) -> None:
    rotation = baking()
    watched = watch_of(rotation, seen(rotation, 9, route))

    assert watched is not None
    assert words in watched.text
    assert not is_due(watched, rotation, seen(rotation, 9, route))


def test_what_a_person_has_gone_on_with_is_accepted_for_that_step() -> None:
    rotation = baking()
    failed = look(rotation, 6, 0.5, look(rotation, 5, 0.5))
    held = replace(remembered(rotation, failed), held=Hold(failed.text))

    still, gone_on = watch_of(held, seen(rotation, 7)), watch_of(replace(held, held=None), seen(rotation, 7))
    following = watch_of(replace(held, held=None, step=2), seen(rotation, 7, a_route(100)))

    assert still is not None
    assert still.judgement is Judgement.FAIL
    assert gone_on is not None
    assert gone_on.text.startswith("accepted: 50 %")
    assert not is_due(gone_on, rotation, seen(rotation, 9))
    assert following is None or not following.is_over


def test_the_way_back_counts_only_after_its_weights_have_settled() -> None:
    rotation = going_back()

    assert not is_due(Watch(-1), rotation, seen(rotation, 0.9))
    assert is_due(Watch(-1), rotation, seen(rotation, 1))


def test_the_way_back_waits_for_a_quiet_minute_where_requests_are_counted() -> None:
    rotation = going_back()
    before = {after(-1): 5400.0, after(-2): 5400.0}

    first = after_look(Watch(-1), rotation, after(1), {}, before)
    second = look(rotation, 4, 0.0, first)

    assert first.judgement is Judgement.WAIT
    assert second.judgement is Judgement.PASS
    assert second.is_over


def test_the_way_back_waits_for_nothing_where_no_requests_are_counted() -> None:
    assert after_look(Watch(-1), going_back(), after(1), {}, {}).is_over


def test_the_way_back_fails_where_the_candidate_goes_on_receiving() -> None:
    rotation = going_back()

    first = look(rotation, 4, 0.3)
    second = look(rotation, 5, 0.3, first)

    assert first.judgement is Judgement.WAIT
    assert second.judgement is Judgement.FAIL
    assert "30 % of 12000 requests in 2m arrived at generation 42, whose weight is 0 %" in second.text


def test_the_way_back_does_not_wait_for_ever_for_numbers() -> None:
    rotation = going_back()
    before = {after(-1): 5400.0}

    waits = after_look(Watch(-1), rotation, after(8), {}, before)
    gives_up = after_look(waits, rotation, after(9), {}, before)

    assert waits.judgement is Judgement.WAIT
    assert gives_up.judgement is Judgement.PASS
    assert without_answer(waits, rotation, after(8), "throttled").judgement is Judgement.WAIT
    assert without_answer(waits, rotation, after(9), "throttled").is_over


def test_the_candidate_is_kept_until_the_first_look_has_answered() -> None:
    rotation = going_back()
    quiet = replace(seen(rotation, 4), verdicts=(look(rotation, 4, 0.0).verdict,))

    assert awaits_numbers(rotation, seen(rotation, 0))
    assert not awaits_numbers(rotation, quiet)
    assert not awaits_numbers(baking(), seen(baking(), 4))


def test_a_memo_is_read_as_it_was_written() -> None:
    watch = look(baking(), 5, 0.5)

    assert read_memo(watch.memo()) == watch
    assert read_memo("") is None
    assert read_memo("[1]") is None
    assert watch.verdict.gate == ARRIVAL


def test_a_price_has_a_look_for_each_minute_of_each_bake_at_the_most() -> None:
    terms = replace(baking().terms, steps=(*BAKE, Step(100, 0, 100, timedelta(minutes=5))))

    assert looks_at_most(terms) == 7 + 0 + 2
