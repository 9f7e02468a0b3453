"""The entry points in this process, with virtual time: what they read, say, leave and raise."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from phoenix.core.model import Outcome
from phoenix.engine.control import pause
from phoenix.errors import AccessDenied, UsageError
from phoenix.handler import LimitedClock, Program, brings_news
from phoenix.sandbox import ManualClock
from tests.builders import NOON
from tests.rotation.conftest import open_stage, stage
from tests.rotation.stage import Stage, a_policy, write_policy

__all__ = ["open_stage", "stage"]

MINUTES = {"kind": "canary", "steps": [{"weight": 20, "bake": "10m"}], "bake": "10m"}


@dataclass
class Context:
    """A quarter of an hour, unless said otherwise."""

    function_name: str = "phoenix"
    aws_request_id: str = "request-1"
    left: timedelta = timedelta(minutes=15)

    def get_remaining_time_in_millis(self) -> int:
        return int(self.left.total_seconds() * 1000)


@dataclass
class Schedule:
    """What EventBridge does: a sweep a minute."""

    stage: Stage
    program: Program

    def sweep(self, **event: Any) -> dict[str, Any]:
        return self.program.sweep({"time": self.stage.clock.now().isoformat(), **event}, Context())

    def advance(self, group: str = "web", left: timedelta = timedelta(minutes=15)) -> dict[str, Any]:
        return self.program.advance({"group": group}, Context(left=left))

    def until(self, done: Callable[[], bool], most: int = 120) -> None:
        for _ in range(most):
            if done():
                return
            self.stage.clock.advance(60)
            self.sweep()
        raise AssertionError("never came")


@pytest.fixture
def schedule(stage: Stage) -> Schedule:
    write_policy(stage.folder, a_policy(strategy=MINUTES))
    return Schedule(stage, Program(stage.wiring("lambda/1", "schedule"), stage.clock))


def test_sweeps_alone_bring_a_canary_to_its_end_and_the_old_generation_to_rest(schedule: Schedule) -> None:
    schedule.sweep(source="aws.ec2")

    schedule.until(lambda: schedule.stage.rotation.outcome is Outcome.SUCCEEDED)
    assert schedule.stage.share("green") == (1.0, 1.0)
    schedule.until(lambda: schedule.stage.size("blue") == (0, 0, 0))
    assert schedule.stage.group.store.lease_of("web") is None


def test_a_sweep_that_advances_groups_itself_does_not_stay_with_one_that_moves(schedule: Schedule) -> None:
    began = schedule.stage.clock.now()

    schedule.sweep(idle=True)

    assert schedule.stage.rotation.in_flight
    assert schedule.stage.clock.now() - began < timedelta(seconds=10)
    assert list(schedule.stage.group.store.due(began + timedelta(minutes=1))) == ["web"]


def test_a_sweep_of_idle_groups_makes_few_calls_and_changes_nothing(schedule: Schedule) -> None:
    schedule.sweep(idle=True)
    schedule.until(lambda: schedule.stage.record.in_flight is None and schedule.stage.record.hot_until is None)
    schedule.stage.mark()

    found = schedule.sweep(idle=True)

    assert (found["looked_at"], found["invoked"], schedule.stage.writes()) == (1, 0, [])
    assert found["calls"] == len(schedule.stage.calls()) <= 4


def test_what_a_sweep_has_found_is_a_line_in_the_log_that_alarms_can_count(
    schedule: Schedule, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    schedule.sweep(idle=True)
    schedule.stage.clock.advance(60)

    schedule.sweep(idle=True)

    (_, line) = (vars(record) for record in caplog.records if record.getMessage() == "sweep.ended")
    assert (line["groups"], line["left"], line["in_flight"], line["stuck"]) == (1, 0, 1, 0)
    assert line["oldest_s"] >= 60


def test_a_bake_is_watched_every_minute_and_a_pause_holds_it(schedule: Schedule) -> None:
    schedule.sweep(idle=True)
    schedule.until(lambda: schedule.stage.rotation.clocks.baking_since is not None)
    pause(schedule.stage.group, "look")

    for _ in range(30):
        schedule.stage.clock.advance(60)
        schedule.sweep()

    assert schedule.stage.share("green") == (0.2, 0.2)


def test_an_advance_with_little_time_gives_the_group_back_and_the_next_sweep_goes_on(schedule: Schedule) -> None:
    answer = schedule.advance(left=timedelta(seconds=40))

    assert answer["outcome"] == "in_progress"
    assert schedule.stage.group.store.lease_of("web") is None
    assert schedule.sweep()["due"] == 1


def test_a_group_that_others_drive_is_left_to_them(schedule: Schedule) -> None:
    lease = schedule.stage.group.store.claim("web", "there/1", schedule.stage.clock.now(), timedelta(minutes=1))

    answer = schedule.advance()

    assert answer["sentence"].startswith("busy:")
    assert schedule.stage.group.store.holds(lease)


def test_every_invocation_holds_its_lease_under_a_name_of_its_own(schedule: Schedule) -> None:
    owners: set[str] = set()
    schedule.stage.box.intercept(lambda call, when: owners.add(_owner(schedule)))
    for _ in range(2):
        schedule.advance(left=timedelta(seconds=40))

    assert len(owners - {""}) == 2


def _owner(schedule: Schedule) -> str:
    lease = schedule.stage.group.store.lease_of("web")
    return lease.owner if lease is not None else ""


@pytest.mark.parametrize(
    ("error", "outcome"), [("Throttling", "transient"), ("AccessDenied", None)], ids=["passes", "does not"]
)
def test_only_what_a_person_must_mend_is_a_failed_invocation(
    schedule: Schedule, error: str, outcome: str | None
) -> None:
    if outcome is None:
        schedule.stage.deny("DescribeAutoScalingGroups")
        with pytest.raises(AccessDenied):
            schedule.advance()
        return
    schedule.stage.box.throttle(["DescribeAutoScalingGroups"])
    assert schedule.advance()["outcome"] == outcome


def test_a_broken_policy_is_told_once_and_the_others_go_on(
    schedule: Schedule, caplog: pytest.LogCaptureFixture
) -> None:
    (schedule.stage.folder / "api.yaml").write_text("group: api\nfleet: nonsense\n")

    found = [schedule.sweep(idle=True), schedule.sweep()]

    assert [(each["groups"], each["broken"]) for each in found] == [(2, 1)] * 2
    assert found[0]["invoked"] == 1
    told = {record.problem for record in caplog.records if record.getMessage() == "policy.broken"}  # type: ignore[attr-defined]
    assert len([r for r in caplog.records if r.getMessage() == "policy.broken"]) == len(told) > 0


def test_a_policy_that_has_been_mended_counts_with_the_next_sweep(schedule: Schedule) -> None:
    good = (schedule.stage.folder / "web.yaml").read_text()
    (schedule.stage.folder / "web.yaml").write_text("group: web\n")
    assert schedule.sweep(idle=True)["invoked"] == 0

    (schedule.stage.folder / "web.yaml").write_text(good)

    assert schedule.sweep(idle=True)["invoked"] == 1


@pytest.mark.parametrize("event", [{}, {"group": ""}, {"group": 7}])
def test_an_event_without_a_group_is_refused(schedule: Schedule, event: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="advance wants"):
        schedule.program.advance(event, Context())


@pytest.mark.parametrize(
    ("event", "minute", "is_news"),
    [
        ({}, 15, True),
        ({}, 16, False),
        ({"source": "aws.events", "time": "2026-11-18T12:30:00Z"}, 31, True),
        ({"source": "aws.scheduler", "time": "2026-11-18T12:31:00Z"}, 30, False),
        ({"source": "aws.ec2", "detail-type": "EC2 AMI State Change"}, 1, True),
        ({"idle": True}, 1, True),
        ({"time": "soon"}, 1, False),
        ({"source": "aws.scheduler", "time": "<aws.scheduler.scheduled-time>"}, 15, True),
    ],
)
def test_news_is_a_quarter_of_an_hour_or_whatever_does_not_come_from_a_schedule(
    event: dict[str, Any], minute: int, is_news: bool
) -> None:
    assert brings_news(event, NOON + timedelta(minutes=minute)) is is_news


def test_a_time_that_the_scheduler_has_not_filled_in_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="phoenix.handler"):
        brings_news({"source": "aws.scheduler", "time": "<aws.scheduler.scheduled-time>"}, NOON)
        brings_news({"source": "aws.scheduler", "time": "2026-11-18T12:31:00Z"}, NOON)

    assert [record.message for record in caplog.records] == ["sweep.time_unreadable"]


def test_a_limited_clock_stops_when_its_time_is_up_and_never_sleeps_longer() -> None:
    clock = ManualClock()
    limited = LimitedClock(clock, clock.now() + timedelta(seconds=10))
    assert not limited.stopping

    limited.sleep(60)

    assert limited.stopping
    assert limited.now() == limited.until
