"""An image on too old a base is told to its baker: once an image, and on the screens until another has come."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from phoenix.core.image import Image
from phoenix.core.record import GroupRecord, OldBase
from phoenix.core.trigger import RotateWhen
from phoenix.engine.plan import make_plan
from phoenix.engine.request import RotateRequest
from phoenix.engine.tick import tick
from phoenix.stores.codec import decode_record, encode_record
from tests.builders import NOON
from tests.engine.builders import LIVE_IMAGE, Bench, a_bench
from tests.fakes import NEW_IMAGE, FakeImages, an_image

DAY = timedelta(days=1)
LIMIT = RotateWhen(base_older_than=30 * DAY)


def on_a_base(image: Image, age: timedelta) -> Image:
    built_at = f"{NOON - age:%Y-%m-%dT%H:%M:%SZ}"
    return replace(image, tags={"base": "ami-0base", "base_name": "base-7", "base_built_at": built_at})


def at_rest(*images: Image, when: RotateWhen = LIMIT) -> Bench:
    """A group whose live image is the newest of these."""
    bench = a_bench()
    bench.group = replace(bench.group, images=FakeImages(*images), rotate_when=when)
    return bench


def look(bench: Bench, times: int = 3) -> None:
    for _ in range(times):
        tick(bench.group)
        bench.clock.at += timedelta(minutes=30)


def test_an_old_base_is_told_once_and_not_at_every_tick() -> None:
    bench = at_rest(on_a_base(LIVE_IMAGE, 41 * DAY))

    look(bench)

    assert bench.inbox.subjects == [f"phoenix web: bake {LIVE_IMAGE.id} anew, base-7 is 41d old"]
    assert "phoenix bakes nothing" in bench.inbox.texts[0]
    assert bench.record.old_base == OldBase(LIVE_IMAGE.id, "base-7", NOON - 41 * DAY)


def test_a_young_base_a_policy_without_a_limit_and_an_image_that_does_not_say_are_silent() -> None:
    young = at_rest(on_a_base(LIVE_IMAGE, 29 * DAY))
    limitless = at_rest(on_a_base(LIVE_IMAGE, 99 * DAY), when=RotateWhen())
    silent = at_rest(LIVE_IMAGE)

    for bench in (young, limitless, silent):
        look(bench)
        assert (bench.inbox.subjects, bench.record.old_base) == ([], None)


def test_it_is_forgotten_once_the_live_image_stands_on_a_younger_base() -> None:
    bench = at_rest(on_a_base(LIVE_IMAGE, 41 * DAY))
    look(bench, 1)
    bench.group = replace(bench.group, images=FakeImages(on_a_base(LIVE_IMAGE, DAY)))

    look(bench, 1)

    assert bench.record.old_base is None


def test_the_image_that_waits_counts_and_not_the_one_that_it_will_replace() -> None:
    newer = on_a_base(an_image(NEW_IMAGE), DAY)
    bench = at_rest(newer, on_a_base(LIVE_IMAGE, 41 * DAY))

    assert "base-old" not in {b.name for b in make_plan(bench.group, RotateRequest()).blockers}


def test_a_plan_warns_of_it_at_rest_too_and_is_not_made_due_by_it() -> None:
    bench = at_rest(on_a_base(LIVE_IMAGE, 41 * DAY))

    plan = make_plan(bench.group, RotateRequest())

    assert not plan.due
    assert [(b.name, b.warning, b.remedy) for b in plan.blockers] == [
        ("base-old", True, f"phoenix images show {LIVE_IMAGE.id} --group web")
    ]


def test_a_record_keeps_it() -> None:
    record = GroupRecord("web", old_base=OldBase("ami-1", "base-7", NOON))

    assert decode_record(encode_record(record), "the test") == record
