"""`demo`: nights of one plain group and of a pair in about a minute, on a pretend AWS in this program.

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

from phoenix.cli.help import command
from phoenix.cli.options import common
from phoenix.cli.sandbox import needs_sandbox
from phoenix.cli.session import Session
from phoenix.errors import Interrupted

if TYPE_CHECKING:
    from phoenix.engine.group import Group
    from phoenix.engine.report import Report
    from phoenix.ports import Clock
    from phoenix.sandbox import Sandbox
    from phoenix.wiring import Wiring

SPEED = 32.0
"""Virtual seconds per real one. At a higher speed, the work of a tick itself would stretch the virtual minutes."""

ONE_GROUP = """\
version: 1
group: api
description: the one Auto Scaling group of the demo
fleet: {kind: in_place, auto_scaling_group: api, hooks: harmless}
traffic: attached
image:
  kind: search
  owners: [self]
  name: "api-*"
  tags: {service: api, channel: stable}
  architecture: x86_64
gates:
  - {kind: target_health, healthy_for: 20s}
timeouts: {launch: 2m, drain: 30s, rotation: 1h}
retain: {hot_for: 30m}
"""

PAIR = """\
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
    one: Group
    """A plain Auto Scaling group."""
    pair: Group

    def heading(self, number: int, title: str, text: str, typed: str) -> None:
        """Announce an act, and the command that a person would type."""
        self.session.write(f"\n{'-' * 79}\n{number}. {title}\n{text}\n\n$ {typed}\n")


@command(
    ("phoenix demo", "needs no account"),
    ("phoenix demo --speed 8", "to read along"),
)
@common
@click.option("--speed", type=click.FloatRange(min=0, min_open=True), default=SPEED, show_default=True,
              help="How much faster than real time.")  # fmt: skip
@click.pass_obj
def demo(session: Session, speed: float) -> int:
    """Watch one group rotated in place, a bad image caught, a rollback and a canary; without an AWS account, in about
    a minute."""
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
            _bad_image(stage)
            _in_place(stage)
            _second_thoughts(stage)
            _canary(stage)
            _bad_canary(stage)
            session.write(_epilogue(stage))
    except Interrupted:
        raise Interrupted("the demo was stopped; it left nothing behind", hint="phoenix demo") from None


_OF_API = {"service": "api", "channel": "stable"}

_PROLOGUE = """\
Four servers in one Auto Scaling group behind a load balancer. All of it is
pretend, on this machine; time runs fast.
"""


def _bad_image(stage: Stage) -> None:
    from phoenix.sandbox import Behaviour

    stage.sandbox.bake_image("api-2026.11.25-bad000", behaviour=Behaviour.BAD, tags=_OF_API)
    stage.heading(
        1,
        "A bad image, in one plain Auto Scaling group",
        "A newer image than the live one was baked. Its instances start beside the old\n"
        "ones and never become healthy: no old one leaves service, and all is undone.",
        "phoenix rotate --group api",
    )
    _rotate(stage, stage.one)


def _in_place(stage: Stage) -> None:
    stage.sandbox.bake_image("api-2026.11.26-600d00", tags=_OF_API)
    stage.heading(
        2,
        "A good image",
        "Its instances become healthy, and the old ones leave service into Standby: the\n"
        "load balancer lets them finish, and they are kept there, ready to come back.",
        "phoenix rotate --group api",
    )
    _rotate(stage, stage.one)


def _second_thoughts(stage: Stage) -> None:
    from phoenix.engine.request import RollbackRequest
    from phoenix.engine.rollback import rollback
    from phoenix.views import summary

    stage.heading(
        3,
        "A person knows better",
        "Every gate has passed. Then support calls: the checkout shows old prices. The\n"
        "previous generation comes back out of Standby.",
        'phoenix rollback --group api --reason "INC-4711 old prices"',
    )
    with stage.session.driving(stage.one) as watch:
        report = rollback(stage.one, RollbackRequest(reason="INC-4711 old prices"), watch)
    stage.session.write(summary.rolled_back(report))


def _canary(stage: Stage) -> None:
    stage.heading(
        4,
        "A pair, with weights",
        "Two Auto Scaling groups: blue serves, green is empty. The new generation gets\n"
        "5 % of the traffic, then 50 %, then all; each step rests, watched by its gates.",
        "phoenix rotate --group web",
    )
    _rotate(stage, stage.pair)


def _bad_canary(stage: Stage) -> None:
    from phoenix.sandbox import Behaviour

    stage.sandbox.bake_image("web-2026.11.25-bad000", behaviour=Behaviour.ERRING)
    stage.heading(
        5,
        "A bad image that looks well",
        "The next one passes every health check and fails real requests. At 5 % of the\n"
        "traffic an alarm notices; the way back is the same code with another target.",
        "phoenix rotate --group web",
    )
    _rotate(stage, stage.pair)


def _rotate(stage: Stage, group: Group) -> Report:
    from phoenix.engine.request import RotateRequest
    from phoenix.engine.rotate import rotate
    from phoenix.views import summary

    with stage.session.driving(group) as watch:
        report = rotate(group, RotateRequest(), watch)
    stage.session.write(summary.rotated(report))
    return report


def _epilogue(stage: Stage) -> str:
    from phoenix.core.explain import counted
    from phoenix.views import history, text

    calls = stage.sandbox.calls
    writes = Counter(f"{call.service}:{call.operation}" for call in calls if call.mutating)
    told = ", ".join(f"{count} {name}" for name, count in writes.most_common())
    reads = counted(len(calls) - writes.total(), "read")
    rule = [f"{'-' * 79}", "What happened, as phoenix history tells it"]
    return "\n" + text.screen(
        rule,
        *([f"{group.name}:", *history.table(group.store.history(group.name))] for group in (stage.one, stage.pair)),
        text.paragraph(f"It took {reads} and {counted(writes.total(), 'write')}: {told}."),
        ["Yours: phoenix init writes a policy for each of your groups; then phoenix plan --group NAME."],
    )


@contextmanager
def _stage(session: Session, clock: Clock) -> Iterator[Stage]:
    from phoenix.sandbox import Sandbox

    with tempfile.TemporaryDirectory(prefix="phoenix-demo-") as folder, Sandbox(clock=clock) as sandbox:
        (Path(folder) / "api.yaml").write_text(ONE_GROUP, encoding="utf-8")
        (Path(folder) / "web.yaml").write_text(PAIR, encoding="utf-8")
        sandbox.seed("api")
        wiring = _wiring(folder, sandbox, clock)
        yield Stage(session, sandbox, wiring.group("api"), wiring.group("web"))


def _wiring(folder: str, sandbox: Sandbox, clock: Clock) -> Wiring:
    from phoenix.aws.session import Aws
    from phoenix.settings import read_settings
    from phoenix.wiring import Overrides, Wiring

    settings = read_settings(policies=folder, store=f"sqlite:///{folder}/phoenix.db")
    # One call after the other: a sandbox answers one at a time, and threads would wait for each other.
    return Wiring(settings, Overrides(clock=clock, aws=Aws(session=sandbox.session, threads=1), by="you"))
