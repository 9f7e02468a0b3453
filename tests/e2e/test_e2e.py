"""One situation of each kind, short; all of them are `make e2e`."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from phoenix.core.model import Outcome
from phoenix.engine.request import RotateRequest
from phoenix.engine.rotate import rotate
from phoenix.sandbox.physics import Behaviour
from tests.builders import NOON
from tests.e2e import broken
from tests.e2e.balancer import SLOTS, WHOLE, Balancer, find_haproxy
from tests.e2e.mirror import Counters, Truth
from tests.e2e.rig import Load, Rig, Tally
from tests.e2e.situations import BLUE_GREEN, SITUATIONS, Expected, Situation

QUICK = Load(speed=60.0, users=6, volume=0)
needs_haproxy = pytest.mark.skipif(find_haproxy() is None, reason="there is no haproxy here")


def a_truth(**states: str) -> Truth:
    return Truth(machines={}, shares={}, targets={"group": states})


def a_situation(**changes: object) -> Situation:
    return replace(SITUATIONS[0], **changes)  # type: ignore[arg-type]


def there(rig: Rig) -> None:
    assert rotate(rig.group(), RotateRequest(), rig.watch).outcome is Outcome.SUCCEEDED


@needs_haproxy
def test_a_rotation_under_real_traffic_loses_nothing_and_users_meet_both_images() -> None:
    situation = a_situation(strategy=BLUE_GREEN | {"bake": "0s"}, drive=there)

    tally = situation.run(QUICK).tally

    assert tally.failed == 0, tally.moments
    assert len(tally.by_image) == 2
    assert tally.requests == sum(tally.by_image.values()) == sum(tally.by_phase.values())


@needs_haproxy
def test_killed_instances_lose_requests_and_the_table_says_when() -> None:
    tally = a_situation(drive=broken.hard_kill, expected=Expected.LOST).run(QUICK).tally

    assert tally.failed > 0
    phases = {moment.phase for moment in tally.moments}
    assert "instances killed" in phases
    assert "at rest" not in phases


@needs_haproxy
def test_weights_that_haproxy_ignores_are_held_by_its_own_counters() -> None:
    (situation,) = (each for each in SITUATIONS if not each.follows)

    tally = situation.run(QUICK).tally

    assert situation.met(tally), tally.moments


def test_requests_are_counted_by_whole_minutes_from_the_counters() -> None:
    class Counting(Balancer):
        total = 0

        def requests(self) -> dict[str, int]:
            self.total += 100
            return {"blue": self.total}

    counters = Counters(Counting(Path("unused"), [], ["blue"]))
    for minutes in (0, 0.5, 1, 3):
        counters.note(NOON + timedelta(minutes=minutes))

    assert counters.counted("blue", NOON) == 100
    assert counters.counted("blue", NOON + timedelta(minutes=1)) == 0


def test_only_healthy_targets_are_asked() -> None:
    assert a_truth(a="healthy", b="unhealthy", c="draining").asked("group") == {"a"}


def test_where_no_target_is_healthy_all_registered_ones_are_asked() -> None:
    assert a_truth(a="initial", b="unhealthy", c="draining", d="unused").asked("group") == {"a", "b"}


def test_the_shares_of_a_rule_are_bounds_for_one_draw() -> None:
    balancer = Balancer(Path("unused"), ["rule"], ["blue", "green"])

    commands = balancer.share("rule", {"blue": 0.9, "green": 0.1})

    assert commands == ["set var proc.r0_g0 int(9000)", f"set var proc.r0_g1 int({WHOLE})"]


def test_a_target_keeps_its_slot_until_it_is_cut_off() -> None:
    balancer = Balancer(Path("unused"), ["rule"], ["blue"])

    first = balancer.open("blue", "i-1", "127.83.0.4:8080")
    again = balancer.open("blue", "i-1", "127.83.0.4:8080")
    cut = balancer.cut("blue", "i-1")
    other = balancer.open("blue", "i-2", "127.83.0.5:8080")

    assert first == ["set server g0/s1 addr 127.83.0.4 port 8080", "set server g0/s1 state ready"]
    assert again == ["set server g0/s1 state ready"]
    assert cut == ["set server g0/s1 state maint", "shutdown sessions server g0/s1"]
    assert other[0] == "set server g0/s2 addr 127.83.0.5 port 8080"


def test_slots_are_used_again_when_all_have_been_and_never_while_they_are_taken() -> None:
    balancer = Balancer(Path("unused"), ["rule"], ["blue"])
    for number in range(SLOTS):
        balancer.open("blue", f"i-{number}", "127.83.0.4:8080")
    balancer.cut("blue", "i-7")

    assert balancer.open("blue", "i-new", "127.83.0.5:8080")[1] == "set server g0/s8 state ready"


def test_a_good_run_in_which_no_traffic_moved_is_not_good() -> None:
    assert not a_situation().met(Tally(requests=100, by_image=Counter(old=100)))
    assert a_situation().met(Tally(requests=100, by_image=Counter(old=60, new=40)))


def test_a_bad_image_that_users_met_is_not_good() -> None:
    situation = a_situation(image=Behaviour.BAD)

    assert not situation.met(Tally(requests=100, by_image=Counter(old=99, new=1)))
    assert situation.met(Tally(requests=100, by_image=Counter(old=100)))


def test_a_control_that_loses_nothing_is_not_good() -> None:
    control = a_situation(expected=Expected.LOST)

    assert not control.met(Tally(requests=100))
    assert control.met(Tally(requests=100, failed=1))


@pytest.mark.parametrize(("share", "met"), [(0.0, False), (0.1, True), (0.13, False)])
def test_an_image_that_fails_users_may_only_hurt_its_share(share: float, *, met: bool) -> None:
    assert a_situation(expected=Expected.SHARE).met(Tally(requests=100, failed=1, share_failed=share)) is met
