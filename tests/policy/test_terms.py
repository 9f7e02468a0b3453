"""From the owner's words to the core's."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from phoenix import routers
from phoenix.core.model import OnFailure
from phoenix.core.serving import NO_TRAFFIC
from phoenix.core.terms import Capacity, Step
from phoenix.policy.model import GATES, ROUTERS
from phoenix.policy.terms import calendar_of, rotate_when_of, terms_of
from phoenix.routers.keys import TrafficKeys
from tests.policy.builders import a_canary, a_library, a_policy, loaded, the_policy

MINUTE = timedelta(minutes=1)


def test_a_policy_of_four_keys_has_the_defaults_of_the_contract(tmp_path: Path) -> None:
    terms = terms_of(the_policy(tmp_path, a_policy()))

    assert terms.steps == (Step(100, 100, 100, 5 * MINUTE),)
    assert (terms.launch_timeout, terms.drain_timeout, terms.rotation_timeout) == (
        15 * MINUTE,
        5 * MINUTE,
        120 * MINUTE,
    )
    assert (terms.hot_for, terms.healthy_for, terms.propagation) == (60 * MINUTE, MINUTE / 2, MINUTE)
    assert (terms.on_failure, terms.capacity, terms.suspend_stickiness) == (OnFailure.ROLLBACK, None, False)


def test_everything_the_core_decides_by_comes_from_the_policy(tmp_path: Path) -> None:
    text = a_policy(
        fleet="{kind: pair, blue: a, green: b, capacity: {min: 2, max: 8}}",
        traffic="{kind: alb, stickiness: suspend, propagation: 5s}",
        gates="[{kind: target_health, healthy_for: 1m, max_unhealthy_percent: 10}]",
        on_failure="pause",
    )

    terms = terms_of(the_policy(tmp_path, text))

    assert (terms.capacity, terms.suspend_stickiness, terms.propagation.seconds) == (Capacity(2, 8), True, 5)
    assert (terms.healthy_for, terms.max_unhealthy_percent, terms.on_failure) == (MINUTE, 10, OnFailure.PAUSE)


def test_a_canary_has_its_stages_and_then_everything(tmp_path: Path) -> None:
    text = a_canary("[{weight: 5, bake: 10m, capacity: 20}, {weight: 50, bake: until_promoted}]", bake="2m")

    assert terms_of(the_policy(tmp_path, text)).steps == (
        Step(20, 100, 5, 10 * MINUTE),
        Step(100, 100, 50, None),
        Step(100, 100, 100, 2 * MINUTE),
    )


def test_without_traffic_a_stage_is_as_big_as_its_weight(tmp_path: Path) -> None:
    text = a_canary("[{weight: 25, bake: 1m}]").replace("{kind: alb}", "none")

    assert terms_of(the_policy(tmp_path, text)).steps[0] == Step(25, 100, 25, MINUTE)


def test_without_traffic_nothing_stays_hot_and_in_service_is_all_that_is_asked(tmp_path: Path) -> None:
    policy = the_policy(tmp_path, a_policy(traffic="none"))

    assert not terms_of(policy).hot_for
    assert terms_of(policy).serving == NO_TRAFFIC
    assert [gate.kind for gate in policy.gates] == ["in_service"]


def test_target_health_is_implied_where_there_is_a_load_balancer(tmp_path: Path) -> None:
    policy = the_policy(tmp_path, a_policy(gates="[{kind: alarm, alarms: [web-5xx]}]"))

    assert [gate.kind for gate in policy.gates] == ["target_health", "alarm"]


def test_rolling_keeps_to_the_capacity_of_the_policy(tmp_path: Path) -> None:
    capacity = "{min_healthy_percentage: 50, max_healthy_percentage: 100}"
    text = a_policy(strategy="{kind: rolling, batch: 50%, pause: 1m}", capacity=capacity)

    steps = terms_of(the_policy(tmp_path, text)).steps

    assert [(step.new_capacity, step.old_capacity) for step in steps] == [(0, 50), (50, 0), (100, 0)]


@pytest.mark.parametrize("strategy", ["blue_green", "{bake: 1m}", "{kind: blue_green, bake: 1m}"])
def test_blue_green_goes_without_saying(tmp_path: Path, strategy: str) -> None:
    assert terms_of(the_policy(tmp_path, a_policy(strategy=strategy))).strategy == "blue_green"


def test_freezes_of_all_groups_hold_for_each(tmp_path: Path) -> None:
    web = a_policy(freezes="[{from: 2026-11-27, until: 2026-11-27, reason: sale}]")
    found = a_library(tmp_path, phoenix="freezes: [{from: 2026-12-20, until: 2027-01-03}]", web=web).find("web")

    freezes = calendar_of(found.policy, found.all_groups).freezes

    assert [(freeze.first, freeze.reason) for freeze in freezes] == [
        (date(2026, 12, 20), "freeze"),
        (date(2026, 11, 27), "sale"),
    ]


def test_windows_keep_their_zone(tmp_path: Path) -> None:
    text = a_policy(windows='[{schedule: "0 2 * * *", duration: 4h, timezone: Europe/Berlin}]')

    (window,) = calendar_of(loaded(tmp_path, text).policy).windows

    assert (window.schedule, window.duration, window.timezone) == ("0 2 * * *", 240 * MINUTE, "Europe/Berlin")


def test_reasons_are_those_that_the_owner_wants(tmp_path: Path) -> None:
    text = a_policy(rotate_when="{new_image: false, max_instance_lifetime: 7d, drift: true, template: true}")

    when = rotate_when_of(the_policy(tmp_path, text))

    assert (when.new_image, when.drift, when.tainted, when.template) == (False, True, False, True)
    assert when.max_instance_lifetime == timedelta(days=7)


@pytest.mark.parametrize(
    ("written", "counts", "waits"),
    [("true", True, timedelta(0)), ("false", False, timedelta(0)), ("4h", True, timedelta(hours=4))],
)
def test_a_taint_counts_at_once_or_after_a_while(tmp_path: Path, written: str, counts: bool, waits: timedelta) -> None:
    when = rotate_when_of(the_policy(tmp_path, a_policy(rotate_when=f"{{tainted: {written}}}")))

    assert (when.tainted, when.tainted_for) == (counts, waits)


@pytest.mark.parametrize("kind", routers.KINDS)
def test_traffic_with_weights_takes_time_to_settle_whatever_its_kind(kind: str) -> None:
    needed = {"route53": {"zone": "Z0123", "name": "www.example.com"}}.get(kind, {})
    traffic = ROUTERS[kind].model_validate({"kind": kind, **needed})

    assert (traffic.settles_in() > timedelta(0)) is routers.KINDS[kind].WEIGHTS


def test_keys_of_traffic_that_do_not_say_how_it_settles_cannot_be_made() -> None:
    class Lattice(TrafficKeys):
        """Says nothing."""

    with pytest.raises(TypeError, match="settles_in"):
        Lattice.model_validate({"kind": "lattice"})


def test_a_network_load_balancer_is_given_more_time_than_an_application_one() -> None:
    settles = {kind: ROUTERS[kind].model_validate({"kind": kind}).settles_in() for kind in ("alb", "nlb")}

    assert settles == {"alb": timedelta(seconds=60), "nlb": timedelta(seconds=120)}


@pytest.mark.parametrize(("traffic", "implied"), [("{kind: alb}", "target_health"), ("none", "in_service")])
def test_exactly_one_gate_is_implied(tmp_path: Path, traffic: str, implied: str) -> None:
    has_health = the_policy(tmp_path, a_policy(traffic=traffic)).serving.health

    assert [kind for kind, keys in GATES.items() if keys.implied_with_health is has_health] == [implied]
