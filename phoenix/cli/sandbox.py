"""`sandbox`: a pretend AWS on a port of this machine, to rehearse a policy.

Must never listen on any but the loopback address: it accepts all credentials.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from phoenix.cli.completion import complete_scenario
from phoenix.cli.help import command
from phoenix.cli.options import common
from phoenix.cli.session import Session
from phoenix.errors import PhoenixError, UsageError

INSTALL = "pip install 'phoenix-rotate[sandbox]'"


@command(
    ("phoenix sandbox --scenario bad-image", "prints what to paste elsewhere"),
    ("phoenix sandbox --list", "the scenarios"),
)
@common
@click.option(
    "--scenario",
    metavar="NAME",
    default="healthy",
    show_default=True,
    help="How the day goes; see --list.",
    shell_complete=complete_scenario,
)
@click.option("--speed", type=click.FloatRange(min=0, min_open=True), default=10.0, show_default=True,
              help="How much faster than real time.")  # fmt: skip
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="0, the default, takes a free one.")
@click.option("--list", "listing", is_flag=True, help="Name the scenarios and end.")
@click.pass_obj
def sandbox(session: Session, scenario: str, speed: float, port: int, listing: bool) -> int:
    """Serve a pretend AWS until Ctrl-C; prints the environment that points phoenix, boto3 and the AWS CLI at it."""
    with needs_sandbox():
        from phoenix import sandbox as pretend
    if listing:
        return _list(session)
    if scenario not in pretend.SCENARIOS:
        raise UsageError(f"no scenario {scenario!r}; there are {', '.join(pretend.SCENARIOS)}")
    _refuse_taken(port)
    with TemporaryDirectory(prefix="phoenix-sandbox-") as folder:
        physics = pretend.for_rehearsal(speed)
        server = pretend.serve(clock=pretend.ScaledClock(speed), scenario=scenario, port=port, physics=physics)
        try:
            _announce(session, pretend.environment(server.url) | _own(session, folder), scenario, speed)
            _wait_for_signal()
        finally:
            server.stop()
    return 0


def _own(session: Session, folder: str) -> dict[str, str]:
    """Return the variables for the other terminal: a store that ends with the sandbox, so that a rehearsal leaves
    nothing in the real one; and the policies, whatever its folder."""
    found = {"PHOENIX_STORE": f"sqlite:///{folder}/phoenix.db"}
    policies = session.wiring.settings.policies
    if Path(policies).is_dir():
        found["PHOENIX_POLICIES"] = str(Path(policies).resolve())
    return found


def _refuse_taken(port: int) -> None:
    """Try the port first: the server's library would print its own advice and end the program.

    Raises:
        PhoenixError: the port cannot be used.
    """
    import socket

    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server does, for a port just closed
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            raise PhoenixError(f"port {port} of 127.0.0.1: {why}", hint="without --port a free one is taken") from error


@contextmanager
def needs_sandbox() -> Iterator[None]:
    """Name the command that installs the sandbox's libraries, if one is missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise UsageError(f"the sandbox needs {error.name}, which is not installed", hint=INSTALL) from error


def _list(session: Session) -> int:
    from phoenix.sandbox import SCENARIOS
    from phoenix.views import text

    told = text.facts((scenario.name, scenario.description) for scenario in SCENARIOS.values())
    documents = [{"name": scenario.name, "description": scenario.description} for scenario in SCENARIOS.values()]
    session.answer(text.screen(told), documents)
    return 0


def _announce(session: Session, variables: Mapping[str, str], scenario: str, speed: float) -> None:
    from phoenix.views import json

    if session.options.json:
        url = variables["AWS_ENDPOINT_URL"]
        print(json.dump({"url": url, "scenario": scenario, "environment": dict(variables)}, one_line=True), flush=True)
        return
    # Standard output has only lines for a shell, flushed at once: scripts wait for them.
    print("\n".join(f"export {name}={shlex.quote(value)}" for name, value in variables.items()), flush=True)
    session.note(f"\nA pretend AWS, {scenario}, at {speed:g} times real time. Elsewhere paste the lines above, then:")
    session.note("  phoenix plan --group web")
    session.note("Bakes and time-outs last as long as the policy says, at any speed; phoenix promote skips a bake.")
    session.note("Ctrl-C ends it, and everything in it, the store included.")


def _wait_for_signal() -> None:
    import threading

    from phoenix.cli.signals import stopping_on_signals
    from phoenix.engine.clock import WallClock

    clock = WallClock()
    with stopping_on_signals(clock):
        while not clock.stopping:
            clock.sleep(threading.TIMEOUT_MAX / 2)
    print(file=sys.stderr)
