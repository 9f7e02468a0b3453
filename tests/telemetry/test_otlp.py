"""A whole rotation as a collector sees it: one trace and its measures, over several processes and hours."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from logging.handlers import BufferingHandler
from pathlib import Path
from typing import Any

import pytest

from phoenix.core.model import Outcome
from phoenix.core.rotation import Rotation
from phoenix.engine.group import Group
from phoenix.engine.request import RollbackRequest
from phoenix.engine.rollback import rollback
from phoenix.engine.tick import tick
from phoenix.sandbox import ManualClock, Sandbox
from phoenix.settings import Settings
from phoenix.telemetry.otel import OtelTracer
from phoenix.telemetry.spans import open_tracer
from phoenix.wiring import Overrides, Wiring
from tests.rotation.stage import LEASE_SECONDS, STEADY, Stage, UnhurriedAws, a_policy, write_policy
from tests.telemetry.collector import Collector, attributes, listening

CANARY = {"kind": "canary", "steps": [{"weight": 20, "bake": "2h"}], "bake": "30s"}
VARIABLES = {"AWS_ACCESS_KEY_ID": "SANDBOX", "AWS_SECRET_ACCESS_KEY": "sandbox", "AWS_REGION": "eu-west-1"}


@dataclass
class Processes:
    """Programs that come and go, each with a tracer of its own; none is left when the tests end."""

    stage: Stage
    stack: ExitStack
    started: int = 0

    @contextmanager
    def one(self) -> Iterator[Group]:
        """A program, from its start to its end."""
        self.started += 1
        stage = self.stage
        settings = Settings(
            policies=str(stage.folder), store=f"sqlite:///{stage.folder}/phoenix.db", lease_seconds=LEASE_SECONDS
        )
        driver = f"there/{self.started}"
        wiring = Wiring(settings, Overrides(clock=stage.clock, driver=driver, by="ann"))
        yield wiring.group(stage.name)
        wiring.close()
        tracer = wiring._base.tracer
        assert isinstance(tracer, OtelTracer)
        self.stack.callback(tracer.shut_down)

    def tick_until_it_ends(self) -> Rotation:
        """Cron, seen from afar: programs that tick a few times each, an hour apart."""
        for _ in range(20):
            with self.one() as group:
                for _ in range(12):
                    tick(group)
                    self.stage.clock.advance(20)
                self.stage.clock.advance(3300)
            rotation = self.stage.rotation
            if not rotation.in_flight:
                return rotation
        raise AssertionError("never ended")


@dataclass
class Story:
    """A rotation that succeeded and was rolled back later: its record then and now, and what had been reported."""

    rotation: Rotation
    reported: Collector
    rolled_back: Rotation
    reported_in_all: Collector
    processes: int
    calls: Counter[str]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """One for all tests here, since it takes seconds."""
    with ExitStack() as stack:
        collector = stack.enter_context(listening())
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        for name, value in {**VARIABLES, "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}.items():
            patch.setenv(name, value)
        processes = Processes(a_stage(stack, tmp_path_factory.mktemp("story")), stack)
        rotation = processes.tick_until_it_ends()
        reported = replace(collector, bodies=list(collector.bodies))
        with processes.one() as group:
            rollback(group, RollbackRequest(reason="INC-1"))
        calls = Counter(call.operation for call in processes.stage.box.calls)
        yield Story(rotation, reported, processes.stage.rotation, collector, processes.started, calls)


def a_stage(stack: ExitStack, folder: Path) -> Stage:
    clock = ManualClock()
    box = stack.enter_context(Sandbox(clock=clock, seed_group=False, physics=STEADY))
    box.seed("web", desired=4)
    write_policy(folder, a_policy(strategy=CANARY, timeouts={"rotation": "6h"}))
    return Stage(box, clock, "web", folder, UnhurriedAws(session=box.session))


def of_trace(collector: Collector, rotation: Rotation) -> dict[bytes, Any]:
    """The spans of the rotation's trace by their id; each came once."""
    wanted = bytes.fromhex(rotation.origin.trace.split("-")[1])
    spans = [span for span in collector.spans() if span.trace_id == wanted]
    assert len(spans) == len({span.span_id for span in spans})
    return {span.span_id: span for span in spans}


def ancestry(spans: dict[bytes, Any], span: Any) -> list[str]:
    """Names from the span up to the root."""
    names = [span.name]
    while span.parent_span_id:
        span = spans[span.parent_span_id]
        names.append(span.name)
    return names


def test_a_rotation_is_one_trace_whose_root_has_the_true_start(story: Story) -> None:
    rotation = story.rotation
    spans = of_trace(story.reported, rotation)
    (root,) = (span for span in spans.values() if not span.parent_span_id)
    assert story.processes > 3
    assert (root.name, root.span_id.hex()) == ("rotation", rotation.origin.trace.split("-")[2])
    assert root.start_time_unix_nano // 1000 == int(rotation.started_at.timestamp() * 1_000_000)
    assert (root.end_time_unix_nano - root.start_time_unix_nano) / 1e9 == pytest.approx(lasted(rotation))
    assert lasted(rotation) > 7200
    assert {"phoenix.group": "web", "phoenix.outcome": "succeeded"}.items() <= attributes(root).items()


def test_the_spans_of_every_tick_and_every_call_hang_below_the_root(story: Story) -> None:
    spans = of_trace(story.reported, story.rotation)

    ways = {tuple(ancestry(spans, span)) for span in spans.values()}
    assert {(name, "rotation") for name in ("observe", "decide", "record", "apply")} <= ways
    assert ("autoscaling.DescribeAutoScalingGroups", "observe", "rotation") in ways
    assert ("elbv2.DescribeTargetHealth", "observe", "rotation") in ways  # asked in a thread of its own
    assert ("elbv2.ModifyListener", "apply", "rotation") in ways
    assert {way[-1] for way in ways} == {"rotation"}


def test_a_rotation_is_measured_once_however_many_processes_drove_it(story: Story) -> None:
    rotation, reported = story.rotation, story.reported

    assert reported.points("phoenix.rotations") == [({"group": "web", "outcome": "succeeded"}, 1)]
    assert rotation.candidate.first_healthy_at is not None
    healthy_after = (rotation.candidate.first_healthy_at - rotation.started_at).total_seconds()
    assert reported.points("phoenix.rotation.first_healthy") == [({"group": "web"}, healthy_after)]
    assert reported.total("phoenix.rotation.phase.duration", phase="baking") >= 7200
    assert reported.total("phoenix.rotation.phase.duration") == pytest.approx(lasted(rotation))


def test_a_rollback_after_a_success_is_a_chapter_of_the_same_trace(story: Story) -> None:
    reported = story.reported_in_all
    spans = of_trace(reported, story.rotation)

    (chapter,) = (span for span in spans.values() if span.name == "rollback")
    assert story.rolled_back.outcome is Outcome.ROLLED_BACK
    assert ancestry(spans, chapter) == ["rollback", "rotation"]
    assert (attributes(chapter)["phoenix.cause"], chapter.status.message) == ("operator", "INC-1")
    phases = {has["phase"] for has, _ in reported.points("phoenix.rotation.phase.duration")}
    assert "rolling_back" in phases
    assert "done" not in phases
    assert reported.points("phoenix.rollbacks") == [({"group": "web", "cause": "operator"}, 1)]
    assert sorted(has["outcome"] for has, _ in reported.points("phoenix.rotations")) == ["rolled_back", "succeeded"]


def test_calls_and_ages_are_measured(story: Story) -> None:
    reported = story.reported_in_all

    for operation in ("ModifyListener", "DescribeAutoScalingGroups", "UpdateAutoScalingGroup"):
        assert reported.total("phoenix.aws.calls", operation=operation) == story.calls[operation]
    assert reported.total("phoenix.instances.oldest_age", group="web") > 0


def test_a_collector_that_refuses_costs_one_line_in_the_log_and_nothing_else() -> None:
    heard, logger = BufferingHandler(100), logging.getLogger("phoenix.telemetry.exporters")
    logger.addHandler(heard)
    with listening() as collector:
        collector.status = 400
        tracer = open_tracer({"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url})
        assert isinstance(tracer, OtelTracer)
        with tracer.span("observe"):
            pass
        tracer.close()
        tracer.shut_down()
    logger.removeHandler(heard)

    assert {record.getMessage() for record in heard.buffer} <= {"telemetry.not_sent"}


def lasted(rotation: Rotation) -> float:
    """Seconds from the start to the end."""
    assert rotation.ended_at is not None
    return (rotation.ended_at - rotation.started_at).total_seconds()
