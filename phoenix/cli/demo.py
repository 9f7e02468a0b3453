"""`demo`: three nights of a web tier in under a minute, on a pretend AWS in this program.

Must never reach the network or a real account, and must leave nothing behind: store and policy are in a folder that is
removed at the end.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from phoenix.cli.options import common
from phoenix.cli.sandbox import needs_sandbox
from phoenix.cli.session import Session
from phoenix.errors import Interrupted

if TYPE_CHECKING:
    from phoenix.engine.group import Group
    from phoenix.engine.report import Report
    from phoenix.ports import Clock
    from phoenix.sandbox import Sandbox

SPEED = 32.0
"""Virtual seconds per real one. At a higher speed, the work of a tick itself would stretch the virtual minutes."""

QUIET_AGAIN = 150.0
"""Virtual seconds until a ringing alarm of the sandbox is OK again; a ringing alarm blocks every start."""

POLICY = """\
version: 1
group: web
description: the public web tier of the demo
fleet: {kind: pair, blue: web-blue, green: web-green}
traffic: {kind: alb, propagation: 20s}
image:
  kind: search
  owners: [self]
  name: "web-*"
  tags: {service: web, channel: stable}
  architecture: x86_64
strategy:
  kind: canary
  steps: [{weight: 5, bake: 100s}, {weight: 50, bake: 1m}]
  bake: 1m
gates:
  - {kind: target_health, healthy_for: 20s}
  - {kind: alarm, alarms: [web-5xx, web-p99]}
timeouts: {launch: 10m, drain: 30s, rotation: 1h}
retain: {hot_for: 30m}
"""


@dataclass(frozen=True, slots=True)
class Stage:
    """The stage of the demo."""

    session: Session
    sandbox: Sandbox
    group: Group

    def heading(self, number: int, title: str, text: str, typed: str) -> None:
        """Announce an act, and the command that a person would type."""
        self.session.write(f"\n{'-' * 79}\n{number}. {title}\n{text}\n\n$ {typed}\n")


@click.command()
@common
@click.option("--speed", type=click.FloatRange(min=0, min_open=True), default=SPEED, show_default=True,
              help="How much faster than real time.")  # fmt: skip
@click.pass_obj
def demo(session: Session, speed: float) -> int:
    """Watch a canary, a bad image caught, and a rollback; without an AWS account, in under a minute."""
    with needs_sandbox():
        from phoenix.sandbox import ScaledClock
    play(session, ScaledClock(speed))
    return 0


def play(session: Session, clock: Clock) -> None:
    """Play all acts, one after the other.

    Raises:
        Interrupted: a signal came.
    """
    try:
        with _stage(session, clock) as stage:
            session.write(_PROLOGUE)
            _canary(stage)
            _bad_image(stage)
            _second_thoughts(stage)
            session.write(_epilogue(stage))
    except Interrupted:
        raise Interrupted("the demo was stopped; it left nothing behind", hint="phoenix demo") from None


_PROLOGUE = """\
Four web servers behind a load balancer, two Auto Scaling groups: blue serves,
green is empty. All of it is pretend, on this machine; time runs fast.
"""


def _canary(stage: Stage) -> None:
    stage.heading(
        1,
        "A new image",
        "A newer image than the live one was baked. It starts beside the old one, gets\n"
        "5 % of the traffic, then 50 %, then all; each step rests, watched by its gates.",
        "phoenix rotate --group web",
    )
    _rotate(stage)


def _bad_image(stage: Stage) -> None:
    from phoenix.sandbox import Behaviour

    stage.sandbox.bake_image("web-2026.11.25-bad000", behaviour=Behaviour.ERRING)
    stage.heading(
        2,
        "A bad image",
        "The next one passes every health check and fails real requests. At 5 % of the\n"
        "traffic an alarm notices; the way back is the same code with another target.",
        "phoenix rotate --group web",
    )
    _rotate(stage)


def _second_thoughts(stage: Stage) -> None:
    stage.session.write("\nA few minutes go by until the alarm is quiet again.\n")
    stage.group.clock.sleep(QUIET_AGAIN)
    _good_image(stage)
    _rollback(stage)


def _good_image(stage: Stage) -> None:
    stage.sandbox.bake_image("web-2026.12.02-600d00")
    stage.heading(
        3,
        "A person knows better",
        "A good image goes out, and every gate passes. Then support calls: the checkout\n"
        "shows old prices. The previous generation is still running, hot.",
        "phoenix rotate --group web",
    )
    _rotate(stage)


def _rollback(stage: Stage) -> None:
    from phoenix.engine.request import RollbackRequest
    from phoenix.engine.rollback import rollback
    from phoenix.views import summary

    stage.session.write('\n$ phoenix rollback --group web --reason "INC-4711 old prices"\n')
    with stage.session.driving(stage.group) as watch:
        report = rollback(stage.group, RollbackRequest(reason="INC-4711 old prices"), watch)
    stage.session.write(summary.rolled_back(report))


def _rotate(stage: Stage) -> Report:
    from phoenix.engine.request import RotateRequest
    from phoenix.engine.rotate import rotate
    from phoenix.views import summary

    with stage.session.driving(stage.group) as watch:
        report = rotate(stage.group, RotateRequest(), watch)
    stage.session.write(summary.rotated(report))
    return report


def _epilogue(stage: Stage) -> str:
    from phoenix.core.explain import counted
    from phoenix.views import history, text

    calls = stage.sandbox.calls
    writes = Counter(f"{call.service}:{call.operation}" for call in calls if call.mutating)
    told = ", ".join(f"{count} {name}" for name, count in writes.most_common())
    reads = counted(len(calls) - writes.total(), "read")
    rule = [f"{'-' * 79}", "What happened, as phoenix history --group web tells it"]
    return "\n" + text.screen(
        rule,
        history.table(stage.group.store.history(stage.group.name)),
        text.paragraph(f"It took {reads} and {counted(writes.total(), 'write')}: {told}."),
        ["Yours: copy a policy from policies/, then phoenix plan --group NAME."],
    )


@contextmanager
def _stage(session: Session, clock: Clock) -> Iterator[Stage]:
    from phoenix.sandbox import Sandbox

    with tempfile.TemporaryDirectory(prefix="phoenix-demo-") as folder, Sandbox(clock=clock) as sandbox:
        (Path(folder) / "web.yaml").write_text(POLICY, encoding="utf-8")
        yield Stage(session, sandbox, _group(folder, sandbox, clock))


def _group(folder: str, sandbox: Sandbox, clock: Clock) -> Group:
    from phoenix.aws.session import Aws
    from phoenix.settings import read_settings
    from phoenix.wiring import Overrides, Wiring

    settings = read_settings(policies=folder, store=f"sqlite:///{folder}/phoenix.db")
    # One call after the other: a sandbox answers one at a time, and threads would wait for each other.
    return Wiring(settings, Overrides(clock=clock, aws=Aws(session=sandbox.session, threads=1), by="you")).group("web")
