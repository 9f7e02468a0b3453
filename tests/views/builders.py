"""Model values for screens: a group `web` in the middle of a canary from generation 41 to 42, unless told otherwise."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from phoenix.core.blocker import Blocker
from phoenix.core.clocks import StepClocks
from phoenix.core.difference import Difference
from phoenix.core.generation import Generation
from phoenix.core.image import Candidate, Image
from phoenix.core.lifecycle import Lifecycle
from phoenix.core.model import (
    Cause,
    Instance,
    Judgement,
    Observation,
    Outcome,
    Route,
    Slot,
    SlotState,
    TargetState,
    Verdict,
)
from phoenix.core.planned_call import PlannedCall
from phoenix.core.readiness import Revival, RollbackReady
from phoenix.core.record import GroupRecord, Quarantined
from phoenix.core.rotation import Rotation
from phoenix.core.story import Ask, Event, Origin
from phoenix.core.terms import Capacity, Step, Terms
from phoenix.engine.group import About
from phoenix.engine.report import Plan, PlannedStep, Report
from phoenix.ports import Lease
from tests.builders import changed

NOW = datetime(2026, 11, 18, 2, 58, 39, tzinfo=UTC)
START = datetime(2026, 11, 18, 2, 41, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)

OLD = Generation(41, Slot.BLUE, "ami-0b7e19c2d4a85f361", "web-2026.11.11-41aa07", "57")
NEW = Generation(42, Slot.GREEN, "ami-0d3c5e71a9f4b2086", "web-2026.11.18-9f2c1e", "58")
STEPS = (
    Step(100, 100, 5, 10 * MINUTE),
    Step(100, 100, 50, 10 * MINUTE),
    Step(100, 0, 100, 5 * MINUTE),
)
ABOUT = About("123456789012", "eu-west-1", "team-web", "https://wiki.example.com/web", None, "policies/web.yaml")
ONCALL = Ask(NOW - 10 * MINUTE, "assumed-role/oncall", "INC-4711 checkout errors")
NOTHING_RETAINED = RollbackReady(ready=False, why="nothing is retained")
LEASE = Lease("web", "lambda/phoenix-advance", 7, START, NOW + MINUTE)


def a_rotation(**facts: Any) -> Rotation:
    """Baking at 50 %, every gate passing."""
    rotation = Rotation(
        id="web-42-7k3f",
        group="web",
        old=OLD,
        new=NEW,
        terms=Terms(STEPS, "canary"),
        started_at=START,
        deadline=START + timedelta(hours=2),
        origin=Origin("new image (27m old)", "schedule"),
        need=12,
        capacity=Capacity(4, 24),
        step=2,
        weight=50,
        intended_weight=50,
        clocks=StepClocks(baking_since=NOW - timedelta(minutes=4, seconds=12)),
        looked_at=NOW - timedelta(seconds=3),
        waiting_for="step 2 of 3: baking at 50 % until 03:04:27 (5m48s left), then 100 % to generation 42",
        verdicts=(
            Verdict("target_health", Judgement.PASS, "12 of 12 healthy for 14m10s"),
            Verdict("alarm", Judgement.PASS, "web-5xx OK, web-p99 OK"),
        ),
        events=(
            Event(START + 3 * MINUTE, "step 1", "gates passed; 5 %"),
            Event(START + 13 * MINUTE, "step 2", "gates passed; 50 %"),
        ),
    )
    return changed(rotation, **facts)


def a_rolled_back_rotation(**facts: Any) -> Rotation:
    """The same one, after an alarm."""
    why = "alarm web-5xx went OK -> ALARM at 02:57:05: Threshold crossed, 3 datapoints were above 25: 61, 88, 94"
    events = (
        *a_rotation().events,
        Event(NOW - 2 * MINUTE, "FAIL", why),
        Event(NOW - MINUTE, "undone", "green 12 -> 0"),
    )
    told: dict[str, Any] = {
        "outcome": Outcome.ROLLED_BACK,
        "cause": Cause.IMAGE,
        "reason": why,
        "weight": 0,
        "baking_since": None,
        "back": Ask(NOW - 2 * MINUTE, "gate alarm"),
        "shifted_at": NOW - 2 * MINUTE + timedelta(seconds=0.5),
        "ended_at": NOW - MINUTE,
        "events": events,
    }
    return a_rotation(**{**told, **facts})


def a_slot(slot: Slot, version: str, healthy: int, desired: int = 12) -> SlotState:
    """A slot of `desired` instances in service, the first `healthy` of them healthy."""
    instances = tuple(
        Instance(
            f"i-{slot}{number:04d}", "eu-west-1a", Lifecycle.IN_SERVICE, True, version,
            TargetState.HEALTHY if number < healthy else TargetState.UNHEALTHY, lifecycle_words="InService",
        )
        for number in range(desired)
    )  # fmt: skip
    return SlotState(slot, f"web-{slot}", 4, 24, desired, version, instances=instances, target_groups=(f"arn:{slot}",))


def an_observation(*, blue: int = 12, green: int = 12, green_weight: int = 50, desired: int = 12) -> Observation:
    """Healthy instances by slot, and green's weight on two routes."""
    weights = {Slot.BLUE: 100 - green_weight, Slot.GREEN: green_weight}
    slots = {
        Slot.BLUE: a_slot(Slot.BLUE, "57", blue),
        Slot.GREEN: a_slot(Slot.GREEN, "58", green, desired),
    }
    return Observation(NOW, slots, routes=(Route("arn:443", ":443", weights), Route("arn:80", ":80", weights)))


def a_record(rotation: Rotation | None = None, **facts: Any) -> GroupRecord:
    """Generation 41 lives in blue."""
    slots = {Slot.BLUE: "web-blue", Slot.GREEN: "web-green"}
    return replace(GroupRecord("web", version=7, slots=slots, live=OLD, highest_number=42, rotation=rotation), **facts)


def a_report(rotation: Rotation | None = None, **facts: Any) -> Report:
    """In flight unless a rotation is given that is not."""
    rotation = rotation or a_rotation()
    report = Report(
        group="web",
        at=NOW,
        outcome=rotation.outcome,
        sentence="web is at step 2 of 3",
        record=a_record(rotation),
        seen=an_observation(),
        lease=LEASE,
        rollback_ready=RollbackReady(True, "41 has 12 of 12 healthy, weights move first", at_once=True),
        about=ABOUT,
    )
    return replace(report, **facts)


def at_rest_after_rollback(**facts: Any) -> Report:
    """Users are on 41; green is empty; the image is in quarantine."""
    rotation = a_rolled_back_rotation()
    quarantine = (Quarantined(NEW.image, NOW - MINUTE, Cause.IMAGE, rotation.id, "alarm web-5xx"),)
    return a_report(
        rotation,
        record=a_record(rotation, quarantine=quarantine, known=(OLD, NEW), **facts),
        seen=an_observation(green=0, green_weight=0, desired=0),
        lease=None,
        rollback_ready=NOTHING_RETAINED,
        sentence="web is back on generation 41",
    )


def at_rest_after_success() -> Report:
    """42 lives, 41 is retained and hot."""
    rotation = a_rotation(outcome=Outcome.SUCCEEDED, step=3, weight=100, baking_since=None, ended_at=NOW)
    record = a_record(rotation, live=NEW, retained=OLD, hot_until=NOW + 60 * MINUTE)
    return a_report(rotation, record=record, seen=an_observation(green_weight=100), lease=None)


def at_rest_and_cold() -> Report:
    """42 lives, 41 is cold, and its image is gone."""
    report = at_rest_after_success()
    gone = f"{OLD.image} is gone: deregistered, or no longer shared with this account."
    why = f"41 has 0 of 12 healthy and cannot grow: {gone}"
    remedy = f"aws ec2 restore-image-from-recycle-bin --image-id {OLD.image}"
    blue = replace(a_slot(Slot.BLUE, "57", 0, 0), min=0, max=0)
    seen = an_observation(green_weight=100)
    return replace(
        report,
        record=replace(report.record, hot_until=None),
        seen=replace(seen, slots={**seen.slots, Slot.BLUE: blue}),
        rollback_ready=RollbackReady(False, why, remedy=remedy),
    )


def at_rest_and_too_small() -> Report:
    """42 lives with twelve, 41 is hot with six."""
    why = "41 has 6 of 12 healthy: it grows and is proved first, then weights move; --now leaves 50 % until then"
    seen = an_observation(green_weight=100)
    return replace(
        at_rest_after_success(),
        seen=replace(seen, slots={**seen.slots, Slot.BLUE: a_slot(Slot.BLUE, "57", 6, 6)}),
        rollback_ready=RollbackReady(True, why, revival=Revival(OLD, 6, 12, 6)),
    )


def an_image(number: int = 42, **facts: Any) -> Image:
    """An available image; greater numbers are newer."""
    image = Image(f"ami-{number:017d}", f"web-2026.11.{number}", START + number * MINUTE, "123456789012", "x86_64")
    return replace(image, **facts)


LISTENER = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/web/04c5e1c2ca7e1f38/47e73d9af65bbece"
CALLS = (
    PlannedCall(
        "ec2",
        "CreateLaunchTemplateVersion",
        {
            "LaunchTemplateId": "lt-0a1b2c3d4e5f60718",
            "SourceVersion": "57",
            "LaunchTemplateData": {"ImageId": NEW.image},
        },
        START,
    ),
    PlannedCall(
        "autoscaling",
        "UpdateAutoScalingGroup",
        {"AutoScalingGroupName": "web-green", "MinSize": 12, "MaxSize": 24, "DesiredCapacity": 12},
        START,
    ),
    PlannedCall(
        "elbv2",
        "ModifyListener",
        {"ListenerArn": LISTENER, "DefaultActions": [{"Type": "forward", "ForwardConfig": {"TargetGroups": []}}]},
        START + 3 * MINUTE,
    ),
)


def a_plan(**facts: Any) -> Plan:
    """A canary that is due and not blocked."""
    live = Image(OLD.image, OLD.image_name or "", datetime(2026, 11, 11, 2, 10, tzinfo=UTC), "123456789012", "x86_64")
    tags = {"commit": "9f2c1e" + "0" * 34, "built_by": "https://ci.example.com/web/812", "parent": "base-2026.11.11"}
    following = replace(live, id=NEW.image, name=NEW.image_name or "", created_at=START - 27 * MINUTE, tags=tags)
    plan = Plan(
        group="web",
        at=START,
        reasons=("new image (27m old)", "oldest instance 7d 2h, limit 7d"),
        live=OLD,
        next=replace(NEW, template_version=None),
        candidates=(Candidate(following), Candidate(live, f"older than {NEW.image}")),
        steps=STEPS,
        rows=(
            PlannedStep(0, 0, 12, 0, ("preflight",), None, timedelta(0)),
            PlannedStep(1, 12, 12, 5, ("target_health", "http", "alarm"), 10 * MINUTE, 3 * MINUTE),
            PlannedStep(2, 12, 12, 50, ("target_health", "alarm"), 10 * MINUTE, 13 * MINUTE),
            PlannedStep(3, 12, 12, 100, ("target_health", "alarm"), 5 * MINUTE, 23 * MINUTE),
        ),
        blockers=(),
        needed=12,
        worst_case=12,
        peak=24,
        ends_after=28 * MINUTE,
        hot_for=60 * MINUTE,
        calls=CALLS,
        differences=(
            Difference("group", "HealthCheckGracePeriod", "300", "60"),
            Difference("template", "InstanceType", "m7g.large", "m7g.xlarge"),
            Difference("template", "MetadataOptions.HttpTokens", "", "required"),
        ),
        extra_instance_hours=17.6,
        instance_type="m7g.large",
        checks=("the image can be launched", "all targets of blue are healthy"),
        about=ABOUT,
        record=a_record(retained=Generation(40, Slot.GREEN, "ami-00000000000000040", template_version="56")),
    )
    return replace(plan, **facts)


BLOCKERS = (
    Blocker(
        "suspended-process",
        "Auto Scaling group web-green",
        "AddToLoadBalancer is suspended, not by phoenix. Instances launched now are never registered, not even after "
        "it is resumed.",
        "aws autoscaling resume-processes --auto-scaling-group-name web-green",
    ),
    Blocker(
        "window",
        "policies/web.yaml:31",
        "Closed. Opens Thu 2026-11-19 01:00 UTC (02:00 Europe/Berlin), for 4h.",
        ignorable=True,
    ),
    Blocker("not checked", "vCPU quota", "servicequotas:GetServiceQuota is denied; 24 more are needed.", warning=True),
)
