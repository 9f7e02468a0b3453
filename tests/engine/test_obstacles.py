"""What is looked at before a start: which checks there are, which have passed, and what mends each obstacle."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from phoenix.core.blocker import Blocker
from phoenix.core.serving import NO_TRAFFIC
from phoenix.core.story import Ask
from phoenix.core.trigger import RotateWhen
from phoenix.engine.obstacles import CHECKS, checks_of
from phoenix.engine.plan import make_plan
from phoenix.engine.report import Plan
from phoenix.engine.request import RotateRequest
from phoenix.engine.rotate import rotate
from tests.builders import NOON, ROLLING
from tests.engine.builders import BLUE, GREEN, Bench, a_bench
from tests.fakes import OLD_IMAGE, FakeImages, an_image

OF_THE_FAKES = ("fleet-is-fit", "routes-are-fit", "gate-is-fit")
UNCHANGED = FakeImages(an_image(OLD_IMAGE))


def plan_of(bench: Bench, **asked: object) -> Plan:
    return make_plan(bench.group, RotateRequest(**asked))  # type: ignore[arg-type]


def mend(bench: Bench) -> str:
    """The command against the only obstacle."""
    (blocker,) = plan_of(bench).in_the_way
    return str(blocker.remedy)


def test_a_free_way_has_passed_every_check_of_the_engine_and_of_all_adapters() -> None:
    bench = a_bench()

    assert plan_of(bench).checks == checks_of(bench.group) == (*CHECKS, *OF_THE_FAKES)


def test_what_stands_in_the_way_has_not_passed() -> None:
    bench = a_bench()
    bench.fleet.blockers.append(Blocker("fleet-is-fit", "web-blue", "It is not."))

    assert plan_of(bench).checks == (*CHECKS, "routes-are-fit", "gate-is-fit")


def test_where_nothing_is_due_nothing_has_been_checked() -> None:
    assert plan_of(a_bench(images=UNCHANGED)).checks == ()


def test_without_an_image_the_launch_is_not_among_the_checks_that_passed() -> None:
    bench = a_bench(images=FakeImages(an_image(state="pending")))

    passed = plan_of(bench, force=True).checks

    assert "no-image" not in passed
    assert "fleet-is-fit" not in passed
    assert "routes-are-fit" in passed


def test_where_no_slot_is_live_nothing_else_has_been_checked() -> None:
    bench = a_bench()
    bench.send(50)

    assert plan_of(bench).checks == ()


def test_where_weights_are_on_both_the_router_knows_how_to_mend_it() -> None:
    bench = a_bench()
    bench.send(50)
    bench.router.blockers.append(Blocker("weight-on-both-slots", "web", "Half and half.", "aws elbv2 modify-rule"))

    assert mend(bench) == "aws elbv2 modify-rule"


# --- a target group of both slots -------------------------------------------------------------------------------------

ONE_FOR_BOTH = ("arn:tg/web",)
BESIDE_ITS_OWN = ("arn:tg/web-green", "arn:tg/web")


def sharing(blue: tuple[str, ...], green: tuple[str, ...], *, green_runs: bool = False) -> Bench:
    bench = a_bench()
    bench.fleet.state[BLUE] = replace(bench.fleet.state[BLUE], target_groups=blue)
    live = bench.fleet.state[BLUE].instances if green_runs else ()
    bench.fleet.state[GREEN] = replace(
        bench.fleet.state[GREEN], target_groups=green, instances=live, desired=len(live), max=len(live)
    )
    bench.router.blockers.append(Blocker("weights-elsewhere", "web", "All on green.", "aws elbv2 modify-listener"))
    return bench


@pytest.mark.parametrize("green", [ONE_FOR_BOTH, BESIDE_ITS_OWN], ids=["the only one", "beside its own"])
@pytest.mark.parametrize("percent", [0, 50, 100])
def test_a_target_group_of_both_slots_is_the_first_and_only_thing_that_is_said(
    green: tuple[str, ...], percent: int
) -> None:
    bench = sharing(ONE_FOR_BOTH, green)
    bench.send(percent)

    plan = plan_of(bench, force=True)

    (blocker,) = plan.in_the_way
    assert blocker.name == "shared-target-group"
    assert "web-blue and web-green both register with target group web, so no weight" in blocker.text
    assert plan.checks == ()


def test_only_a_group_without_instances_is_told_to_leave_it() -> None:
    assert mend(sharing(ONE_FOR_BOTH, ONE_FOR_BOTH)).startswith(
        "aws autoscaling detach-traffic-sources --auto-scaling-group-name web-green"
    )
    assert mend(sharing(ONE_FOR_BOTH, ONE_FOR_BOTH, green_runs=True)).splitlines() == [
        "aws autoscaling describe-traffic-sources --auto-scaling-group-name web-blue",
        "aws autoscaling describe-traffic-sources --auto-scaling-group-name web-green",
    ]


def test_without_a_load_balancer_the_smaller_slot_of_two_live_ones_is_emptied() -> None:
    bench = a_bench(terms={"serving": NO_TRAFFIC})
    bench.router.weights = {}
    bench.fleet.state[GREEN] = replace(bench.fleet.state[GREEN], desired=1)

    assert mend(bench).startswith("aws autoscaling update-auto-scaling-group --auto-scaling-group-name web-green")


def test_without_a_load_balancer_one_of_two_empty_slots_has_to_live() -> None:
    bench = a_bench(terms={"serving": NO_TRAFFIC})
    bench.router.weights = {}
    bench.fleet.state[BLUE] = replace(bench.fleet.state[BLUE], min=0, desired=0, instances=())

    assert "set-desired-capacity --auto-scaling-group-name web-blue" in mend(bench)


def test_traffic_on_an_empty_slot_is_mended_where_the_instances_are() -> None:
    bench = a_bench()
    bench.send(100)
    bench.router.blockers.append(Blocker("weights-elsewhere", "web", "All on green.", "aws elbv2 modify-listener"))

    empty = next(b for b in plan_of(bench).in_the_way if b.name == "empty")

    assert (empty.remedy, "web-blue has 4" in empty.text) == ("aws elbv2 modify-listener", True)


def test_the_fleet_is_told_how_long_it_lasts_and_how_many_come_on_top() -> None:
    bench = a_bench(terms={"steps": ROLLING})

    plan = plan_of(bench)

    assert (bench.fleet.ahead.lasts, bench.fleet.ahead.extra) == (plan.ends_after, plan.peak - plan.needed)
    assert bench.fleet.ahead.lasts > timedelta(0)


def test_a_change_in_the_template_is_a_reason_where_the_policy_says_so() -> None:
    bench = a_bench(images=UNCHANGED, rotate_when=RotateWhen(template=True))
    bench.fleet.changed = ("UserData",)

    plan = plan_of(bench)

    assert plan.reasons == ("launch template changed: UserData",)
    assert plan.next is not None
    assert plan.next.image == OLD_IMAGE


def test_a_change_in_the_template_alone_is_no_reason_otherwise() -> None:
    bench = a_bench(images=UNCHANGED)
    bench.fleet.changed = ("UserData",)

    assert not plan_of(bench).due


RINGS = Blocker("gate-is-fit", "alarm web-5xx", "web-5xx rings.", "look", ignorable=True, ignored_as="alarm:web-5xx")


def test_an_alarm_that_is_passed_over_by_its_name_is_a_warning() -> None:
    bench = a_bench()
    bench.gate.blockers.append(RINGS)

    plan = plan_of(bench, ignore=frozenset({"alarm:web-5xx"}), reason="the live image is bad")

    assert plan.in_the_way == ()
    assert [(b.name, b.warning, "passed over by name" in b.text) for b in plan.blockers] == [
        ("gate-is-fit", True, True)
    ]


def test_another_alarms_name_passes_over_nothing_and_says_so() -> None:
    bench = a_bench()
    bench.gate.blockers.append(RINGS)

    plan = plan_of(bench, ignore=frozenset({"alarm:web-p99"}), reason="a slip")

    assert [b.name for b in plan.in_the_way] == ["gate-is-fit"]
    assert [b.text for b in plan.blockers if b.name == "ignored-in-vain"] == [
        "--ignore alarm:web-p99 passes over nothing: no gate of this policy objects to it."
    ]


def test_a_start_remembers_which_alarms_were_passed_over_by_whom_and_why() -> None:
    bench = a_bench()
    bench.gate.blockers.append(RINGS)
    names = frozenset({"alarm:web-5xx", "alarm:web-p99", "window"})

    rotate(bench.group, RotateRequest(ignore=names, reason="the live image is bad"))

    assert bench.rotation.origin.ignored == {"alarm:web-5xx": Ask(NOON, "tester", "the live image is bad")}
    assert bench.rotation.origin.trigger.endswith('; ignoring alarm:web-5xx, window: "the live image is bad"')


def test_the_router_is_told_the_same() -> None:
    bench = a_bench(terms={"steps": ROLLING})

    plan_of(bench)

    assert bench.router.ahead == bench.fleet.ahead


DAYS_30 = timedelta(days=30)


@pytest.mark.parametrize(
    ("theirs", "ours", "names"),
    [(DAYS_30, DAYS_30, ["web-blue"]), (DAYS_30, None, []), (None, DAYS_30, []), (None, None, [])],
)
def test_a_lifetime_in_the_policy_and_on_a_group_is_one_too_many(
    theirs: timedelta | None, ours: timedelta | None, names: list[str]
) -> None:
    bench = a_bench(rotate_when=RotateWhen(max_instance_lifetime=ours))
    bench.fleet.state[BLUE] = replace(bench.fleet.state[BLUE], max_instance_lifetime=theirs)

    found = [b for b in plan_of(bench).blockers if b.name == "two-lifetimes"]

    assert [b.where for b in found] == [f"Auto Scaling group {name}" for name in names]
    assert all("--max-instance-lifetime 0" in str(b.remedy) for b in found)
