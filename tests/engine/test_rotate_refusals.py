"""`rotate` where it does not simply run: what it says, what it still shows, and that it always gives the lease back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from phoenix.core.blocker import Blocker
from phoenix.core.model import Outcome
from phoenix.engine.report import NotStarted, Report
from phoenix.engine.request import RollbackRequest, RotateRequest
from phoenix.engine.rollback import rollback
from phoenix.engine.rotate import rotate
from phoenix.errors import Blocked, LeaseLost, StateConflict
from tests.engine.builders import CANARY, GREEN, Bench, a_bench
from tests.fakes import NEW_IMAGE, OLD_IMAGE, FakeImages, an_image
from tests.fakes_store import MemoryStore


def pre_empted() -> tuple[Bench, Report]:
    bench = a_bench(terms={"steps": CANARY})
    other = replace(bench.group, driver="phone/9", by="oncall")
    bench.clock.when(timedelta(minutes=2), lambda: rollback(other, RollbackRequest(wait=False)))
    return bench, rotate(bench.group, RotateRequest())


def test_what_is_not_due_still_shows_how_the_group_stands() -> None:
    bench = a_bench(images=FakeImages(an_image(OLD_IMAGE)))

    report = rotate(bench.group, RotateRequest())

    assert report.seen is not None
    assert report.record.live is not None
    assert report.sentence == f"Nothing to do: web is on generation 1 ({OLD_IMAGE})."


def test_without_waiting_it_still_shows_what_was_seen() -> None:
    bench = a_bench()

    report = rotate(bench.group, RotateRequest(wait=False))

    assert (report.seen is not None, report.record) == (True, bench.record)


def test_the_watch_is_told_of_every_tick_also_of_one_in_flight() -> None:
    bench = a_bench()
    bench.baking()
    seen: list[Report] = []

    rotate(bench.group, RotateRequest(), seen.append)

    assert seen[-1].outcome is Outcome.SUCCEEDED
    assert len(seen) > 1


def test_the_watch_of_a_fresh_one_is_told_of_every_tick() -> None:
    seen: list[Report] = []

    rotate(a_bench().group, RotateRequest(), seen.append)

    assert [seen[0].outcome, seen[-1].outcome] == [Outcome.IN_PROGRESS, Outcome.SUCCEEDED]


def test_the_refusal_of_another_image_names_both_the_rotation_and_the_way_out() -> None:
    bench = a_bench()
    bench.baking()

    with pytest.raises(Blocked) as blocked:
        rotate(bench.group, RotateRequest(image="ami-else"))

    assert blocked.value.message == f"web is being rotated to {NEW_IMAGE} ({bench.rotation.id}), not to ami-else"
    assert blocked.value.hint == "phoenix abort --group web   ends the one in flight"


def test_what_was_pre_empted_shows_how_the_group_stands_now() -> None:
    bench, report = pre_empted()

    assert report.record == bench.record
    assert report.seen is not None
    assert [route.percent(GREEN) for route in report.seen.routes] == [0, 0]


def test_a_lease_that_was_lost_while_the_store_forgot_everything_is_still_4() -> None:
    bench = a_bench()

    def forget() -> None:
        bench.seized_by()
        bench.store.load = lambda group: None  # type: ignore[method-assign]

    bench.clock.when(timedelta(minutes=1), forget)

    with pytest.raises(LeaseLost):
        rotate(bench.group, RotateRequest())


def test_a_record_that_vanishes_right_after_the_start_is_a_lost_lease() -> None:
    bench = a_bench()
    save = bench.store.save

    def vanish(record: object) -> object:
        saved = save(record)  # type: ignore[arg-type]
        bench.store.load = lambda group: None  # type: ignore[method-assign]
        return saved

    bench.store.save = vanish  # type: ignore[method-assign,assignment]

    with pytest.raises(LeaseLost, match="web"):
        rotate(bench.group, RotateRequest(wait=False))
    assert bench.store.lease_of("web") is None


@pytest.mark.parametrize("in_flight", [True, False])
def test_the_lease_is_given_back_whatever_happens(in_flight: bool) -> None:
    bench = a_bench()
    if in_flight:
        bench.baking()
    bench.fleet.before_write = _explode

    with pytest.raises(ZeroDivisionError):
        rotate(bench.group, RotateRequest())

    assert bench.store.lease_of("web") is None


def _explode(*_: object) -> object:
    raise ZeroDivisionError


def test_a_rotation_without_an_image_to_go_to_is_never_started() -> None:
    bench = a_bench(images=None)

    with pytest.raises(NotStarted):
        rotate(bench.group, RotateRequest(force=True))

    assert bench.store.saved == []


def test_all_that_is_in_the_way_is_named() -> None:
    bench = a_bench()
    bench.fleet.blockers += [Blocker("quota", "web-blue", "Full."), Blocker("subnet", "web-blue", "Gone.")]

    with pytest.raises(NotStarted, match="web is blocked by quota, subnet; nothing was changed"):
        rotate(bench.group, RotateRequest())


def test_what_was_rolled_back_without_this_store_is_finished_before_anything_new_starts() -> None:
    bench = a_bench()
    bench.rotated()
    away = replace(bench.group, store=MemoryStore("memory:laptop"), by="oncall")
    rollback(away, RollbackRequest(wait=False))

    report = rotate(bench.group, RotateRequest())

    assert (report.outcome, bench.rotation.back is not None, bench.percent) == (Outcome.ROLLED_BACK, True, {0})


def test_who_starts_second_and_saves_second_gives_the_lease_back() -> None:
    bench, other = a_bench(), a_bench()
    other.rotated()
    bench.store.before_save = lambda record: bench.store.begin_with(other.record)

    with pytest.raises(StateConflict):
        rotate(bench.group, RotateRequest())

    assert bench.store.lease_of("web") is None
