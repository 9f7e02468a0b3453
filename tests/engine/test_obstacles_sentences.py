"""Every obstacle as an operator reads it, with the command that mends it: tests/golden/obstacles.txt."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

from phoenix.core.blocker import Blocker
from phoenix.core.model import Cause
from phoenix.core.record import Quarantined
from phoenix.core.serving import NO_TRAFFIC
from phoenix.core.story import Ask
from phoenix.core.terms import Capacity, Step
from phoenix.core.window import Calendar, Freeze, Window
from phoenix.engine.group import About
from phoenix.engine.plan import make_plan
from phoenix.engine.request import RotateRequest
from tests.builders import NOON
from tests.engine.builders import BLUE, CANARY, GREEN, Bench, a_bench
from tests.fakes import FakeImages, an_image

NIGHT = Window("0 2 * * *", timedelta(hours=1), "Europe/Berlin")
PEAK = Freeze(date(2026, 11, 10), date(2026, 11, 20), "peak")
ELSEWHERE = Blocker("weights-elsewhere", "web", "All on green.", "aws elbv2 modify-listener")
STICKY = Blocker("stickiness", "web", "An hour.", "aws elbv2 modify-rule --no")
RULE = Blocker("weights-differ", "web", "Half and half.", "aws elbv2 modify-rule")


def without_traffic(bench: Bench) -> Bench:
    bench.router.weights = {}
    return bench


def changed(bench: Bench, slot: object = BLUE, **changes: object) -> Bench:
    bench.fleet.state[slot] = replace(bench.fleet.state[slot], **changes)  # type: ignore[index,arg-type]
    return bench


def no_live_slot() -> Bench:
    bench = a_bench()
    bench.send(50)
    bench.router.blockers += [ELSEWHERE, STICKY, RULE]
    return bench


def no_live_slot_and_nothing_is_known() -> Bench:
    bench = a_bench()
    bench.send(50)
    return bench


def both_live_without_traffic() -> Bench:
    return changed(without_traffic(a_bench(terms={"serving": NO_TRAFFIC})), GREEN, desired=1)


def no_live_slot_without_traffic() -> Bench:
    return changed(without_traffic(a_bench(terms={"serving": NO_TRAFFIC})), min=0, desired=0, instances=())


def in_flight() -> Bench:
    bench = a_bench(terms={"steps": CANARY})
    bench.baking()
    return bench


def paused() -> Bench:
    bench = a_bench()
    bench.rotated()
    bench.store.save(replace(bench.record, paused=Ask(NOON, "oncall", "an incident")))
    return bench


def quarantined() -> Bench:
    bench = a_bench()
    bench.rotated()
    entry = Quarantined("ami-newest", NOON, Cause.IMAGE, "web-3-abcd", "alarm: web-5xx is in ALARM")
    other = replace(entry, image="ami-other", reason="another one")
    bench.images.images.append(an_image("ami-newest", created_at=bench.clock.now()))
    bench.store.save(replace(bench.record, quarantine=(other, entry)))
    return bench


def no_image() -> Bench:
    return a_bench(images=FakeImages(an_image(state="pending")))


def no_image_and_a_cautious_fleet() -> Bench:
    bench = a_bench(images=FakeImages(an_image(state="pending")))
    bench.fleet.blockers.append(Blocker("fleet-is-fit", "web-blue", "It is not."))
    return bench


def empty() -> Bench:
    return changed(a_bench(), min=0, desired=0, instances=())


def empty_where_the_traffic_is() -> Bench:
    bench = a_bench()
    bench.send(100)
    bench.router.blockers.append(ELSEWHERE)
    return bench


def short_last_bake() -> Bench:
    bench = a_bench(terms={"steps": (Step(100, 100, 100, timedelta(minutes=1)),)})
    bench.fleet.scales = True
    return bench


def closed() -> Bench:
    tokyo = Window("0 9 * * SAT", timedelta(hours=1), "Asia/Tokyo")
    return a_bench(calendar=Calendar((NIGHT, tokyo)), about=About(policy_file="web.yaml"))


def frozen_in_a_window() -> Bench:
    return a_bench(calendar=Calendar((Window("0 * * * *", timedelta(hours=1)),), (PEAK,)))


def closing_soon() -> Bench:
    return a_bench(calendar=Calendar((Window("0 12 * * *", timedelta(minutes=6)),)))


def too_small_a_maximum() -> Bench:
    return a_bench(terms={"capacity": Capacity(1, 3)}, about=About(policy_file="web.yaml"))


SITUATIONS: tuple[Callable[[], Bench], ...] = (
    no_live_slot, no_live_slot_and_nothing_is_known, both_live_without_traffic, no_live_slot_without_traffic, in_flight,
    paused, quarantined, no_image, no_image_and_a_cautious_fleet, empty, empty_where_the_traffic_is, short_last_bake,
    closed, frozen_in_a_window, closing_soon, too_small_a_maximum,
)  # fmt: skip


def told(blocker: Blocker) -> str:
    flags = [name for name in ("ignorable", "warning") if getattr(blocker, name)]
    lines = [f"  {blocker.name} ({', '.join([blocker.where, *flags])}): {blocker.text}"]
    lines += [f"    $ {line}" for line in (blocker.remedy or "").splitlines()]
    return "\n".join([*lines, f"    not looked at: {', '.join(blocker.unchecked)}"] if blocker.unchecked else lines)


def test_every_obstacle_says_what_where_and_what_mends_it(golden: Callable[[str, str], None]) -> None:
    parts: list[str] = []
    for situation in SITUATIONS:
        bench = situation()
        for scheduled in (False, True) if situation is closing_soon else (False,):
            plan = make_plan(bench.group, RotateRequest(scheduled=scheduled, force=situation is paused))
            name = situation.__name__.replace("_", " ") + (", by schedule" if scheduled else "")
            parts += [name, *map(told, plan.blockers), f"  passed: {', '.join(plan.checks)}", ""]

    golden("obstacles", re.sub(r"web-2-\w{4} ", "web-2-7k3f ", "\n".join(parts)))
