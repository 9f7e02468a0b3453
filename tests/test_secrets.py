"""No secret, no user data and no token is ever said: not in logs, answers, errors, news, traces or the store.

Everything is planted, then a rotation goes wrong in several ways, succeeds and is rolled back, as loudly as it can.
"""

from __future__ import annotations

import base64
import io
import logging
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from phoenix.aws.roles import RoleCredentials
from phoenix.cli import main
from phoenix.cli.session import Options
from phoenix.sandbox import ManualClock, Sandbox, seeding
from phoenix.settings import Log, Settings
from phoenix.telemetry.logs import NEWS
from phoenix.telemetry.otel import OtelTracer
from phoenix.wiring import Overrides, Wiring, open_wiring
from tests.notifiers.fakes import Webhook, a_webhook
from tests.rotation.stage import STEADY, Stage, UnhurriedAws, a_policy, write_policy
from tests.schemas import check_json
from tests.telemetry.collector import Collector, listening

PLANTED: Mapping[str, str] = {
    "user data": "hush-user-data-2f6c",
    "user data, encoded": base64.b64encode(b"export DB_PASSWORD=hush-user-data-2f6c").decode()[:40],
    "webhook": "services/T0/B0/hush",
    "external id": "hush-external-id-77aa",
    "secret key": "hush-secret-key-9b1e",
    "session token": "hush-session-token-41d0",
    "header of the collector": "hush-bearer-c3c3",
}
IN_THE_RECORD = {"external id"}
"""Pinned with the policy: a rollback needs it when there is no policy file. AWS does not treat it as a secret."""
ROLE = "arn:aws:iam::123456789012:role/phoenix"


@dataclass
class Ear:
    """Everything that phoenix has said, where, and what the world around it really knows."""

    said: dict[str, str] = field(default_factory=dict)
    credentials: set[str] = field(default_factory=set)

    def hear(self, where: str, text: str) -> None:
        self.said[where] = self.said.get(where, "") + text

    def places_of(self, secret: str) -> list[str]:
        return [where for where, text in self.said.items() if secret in text]


class Streams:
    """Standard output and standard error, kept."""

    def __init__(self) -> None:
        self.out, self.err = io.StringIO(), io.StringIO()

    def take(self) -> tuple[str, str]:
        """What was written since this was last asked."""
        found = self.out.getvalue(), self.err.getvalue()
        for stream in (self.out, self.err):
            stream.seek(0)
            stream.truncate()
        return found


@dataclass
class Person:
    """A person who types commands, as loudly as it can be."""

    stage: Stage
    ear: Ear
    streams: Streams
    stack: ExitStack

    def type(self, command: str, form: str = "json") -> int:
        def wire(_: Options) -> Wiring:
            folder = self.stage.folder
            store = f"sqlite:///{folder}/phoenix.db"
            settings = Settings(policies=str(folder), store=store, poll_seconds=20, log=Log(form, "debug"))
            wirings.append(open_wiring(settings, Overrides(clock=self.stage.clock, driver="here/1", by="ann")))
            return wirings[0]

        wirings: list[Wiring] = []
        status = main(command.split(), wire)
        for where, text in zip(("answers", "logs and errors"), self.streams.take(), strict=True):
            self.ear.hear(where, text)
            check_json(command.split() if where == "answers" else (), text)
        for wiring in wirings:
            self._remember_credentials(wiring)
        return status

    def _remember_credentials(self, wiring: Wiring) -> None:
        if isinstance(wiring._base.tracer, OtelTracer):
            self.stack.callback(wiring._base.tracer.shut_down)
        for aws in wiring._base._aws.values():
            found = aws._session.get_credentials() if aws._session is not None else None
            if isinstance(found, RoleCredentials):
                given = (getattr(session, "_frozen_credentials", None) for session in found._sessions.values())
                self.ear.credentials |= {key for keys in given if keys for key in (keys.secret_key, keys.token)}


@pytest.fixture(scope="module")
def ear(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ear]:
    """A whole story, heard once for all tests here."""
    ear, streams = Ear(), Streams()
    logger = logging.getLogger("phoenix")
    before = tuple(logger.handlers), logger.level, logger.propagate
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setattr("sys.stdout", streams.out)
        patch.setattr("sys.stderr", streams.err)
        webhook, collector = stack.enter_context(a_webhook()), stack.enter_context(listening())
        plant(patch, webhook, collector)
        stage = a_stage(stack, tmp_path_factory.mktemp("secrets"))
        live_through(Person(stage, ear, streams, stack), webhook)
        ear.hear("the store", "".join(p.read_bytes().decode("latin-1") for p in stage.folder.glob("phoenix.db*")))
        ear.hear("traces", "".join(body.decode("latin-1") for _, body in collector.bodies))
        ear.hear("news", "".join(body.decode() for body in webhook.bodies))
        patch.undo()
        yield ear
    logger.handlers[:], logger.level, logger.propagate = before
    logging.getLogger(NEWS).setLevel(logging.NOTSET)


def plant(patch: pytest.MonkeyPatch, webhook: Webhook, collector: Collector) -> None:
    patch.setattr(seeding, "USER_DATA", "export DB_PASSWORD=" + PLANTED["user data"])
    variables = {
        "AWS_ACCESS_KEY_ID": "SANDBOX",
        "AWS_SECRET_ACCESS_KEY": PLANTED["secret key"],
        "AWS_SESSION_TOKEN": PLANTED["session token"],
        "AWS_REGION": "eu-west-1",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_MAX_ATTEMPTS": "1",
        "PHOENIX_SLACK_WEBHOOK": webhook.address,
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "OTEL_EXPORTER_OTLP_HEADERS": "authorization=" + PLANTED["header of the collector"],
    }
    for name, value in variables.items():
        patch.setenv(name, value)


def a_stage(stack: ExitStack, folder: Path) -> Stage:
    clock = ManualClock()
    box = stack.enter_context(Sandbox(clock=clock, seed_group=False, physics=STEADY))
    box.seed("web", desired=2)
    # botocore looks at the real clock to see whether credentials have expired.
    clock.advance(max(0.0, (datetime.now(UTC) - clock.now()).total_seconds()))
    slack = {"kind": "slack"}
    write_policy(folder, a_policy(role_arn=ROLE, external_id=PLANTED["external id"], notify=[slack, {"kind": "log"}]))
    return Stage(box, clock, "web", folder, UnhurriedAws(session=box.session))


def live_through(person: Person, webhook: Webhook) -> None:
    stage = person.stage
    person.type("plan web -o json")
    stage.deny("AssumeRole")
    assert person.type("plan web -o json") == 1
    stage.box.stop_intercepting()
    webhook.status = 500
    stage.deny("CreateLaunchTemplateVersion")
    assert person.type("rotate web -o json") == 1
    stage.box.stop_intercepting()
    person.type("status web -o json")
    person.type("resume web")
    webhook.status = 200
    assert person.type("rotate web -vv", form="text") == 0
    for command in ("status web", "history web -o json", "images web -o json", "tick -o json", "doctor -o json"):
        person.type(command)
    assert person.type("rollback web --reason INC-1 -o json") == 0
    stage.deny("DescribeAutoScalingGroups")
    person.type("status web -o json -vv")
    stage.box.stop_intercepting()


@pytest.mark.parametrize("secret", PLANTED)
def test_what_was_planted_is_said_nowhere(ear: Ear, secret: str) -> None:
    allowed = {"the store"} if secret in IN_THE_RECORD else set()

    assert set(ear.places_of(PLANTED[secret])) <= allowed


def test_the_keys_of_the_assumed_role_are_said_nowhere(ear: Ear) -> None:
    assert len(ear.credentials) >= 2
    assert [place for secret in ear.credentials for place in ear.places_of(secret)] == []


@pytest.mark.parametrize("where", ["answers", "logs and errors", "the store", "traces", "news"])
def test_there_was_something_to_hear(ear: Ear, where: str) -> None:
    assert "web-2-" in ear.said[where]


def test_the_failures_were_told(ear: Ear) -> None:
    told = ear.said["logs and errors"] + ear.said["answers"]

    assert "not authorized to perform AssumeRole" in told
    assert "the webhook in PHOENIX_SLACK_WEBHOOK: HTTP 500" in told
    assert "rolled back to generation 1" in ear.said["news"]
