"""A rollback whose store does not answer, or that finds no policy: what it may not wait for, and may not lose."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.config import Config

from phoenix.aws.session import Aws
from phoenix.core.model import Outcome, Slot
from phoenix.core.notice import Notice
from phoenix.core.record import GroupRecord
from phoenix.core.story import Ask
from phoenix.engine.outbox import send
from phoenix.errors import UsageError
from phoenix.ports import Notifier
from phoenix.wiring.from_record import LateNotifiers
from tests.stores.builders import NOON, a_generation, a_record, a_rotation
from tests.test_wiring import SLOTS, TaggedAws, a_policy, wire


@pytest.fixture(autouse=True)
def _a_place_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith(("PHOENIX_", "AWS_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)


class Impatient:
    """A session whose clients wait a moment for an answer of that server, and ask once."""

    region_name = "eu-west-1"

    def __init__(self, server: socket.socket) -> None:
        self._url = f"http://127.0.0.1:{server.getsockname()[1]}"

    def client(self, service: str, config: Config) -> Any:
        hasty = config.merge(Config(read_timeout=0.1, retries={"total_max_attempts": 1}))
        keys: dict[str, Any] = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        core = botocore.session.Session()
        return core.create_client(service, self.region_name, endpoint_url=self._url, config=hasty, **keys)


def connections(server: socket.socket) -> int:
    """How many have been made to it; no program has accepted them, but the system has."""
    server.setblocking(False)
    found = 0
    with suppress(BlockingIOError):
        while True:
            server.accept()[0].close()
            found += 1
    return found


@pytest.mark.parametrize("facts", [{"slots": SLOTS}, {}])
def test_a_rollback_without_policy_keeps_the_news_that_only_a_policy_says_how_to_send(facts: dict[str, Any]) -> None:
    left = Notice("web.held", NOON, "held", "a subject", "a text")
    saved = wire().store().save(a_record(outbox=(left,), **facts))

    group = wire({"api.yaml": a_policy("api")}, TaggedAws("web-a", "web-b")).group_for_rollback("web")

    assert send(group, saved) == saved == group.store.load("web")


def test_a_rollback_asks_a_store_that_does_not_answer_once() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        wiring = wire({"web.yaml": a_policy()}, Aws(session=Impatient(silent)), store="dynamodb://phoenix")

        assert wiring.group_from_record("web") is None
        store = wiring.group_for_rollback("web").store

        assert (store.load("web"), store.location) == (None, "none")
        assert connections(silent) == 1


# --- a policy that names other groups ---------------------------------------------------------------------------------

OTHERS = {Slot.BLUE: "new-blue", Slot.GREEN: "new-green"}
HOT = {"retained": a_generation(41), "hot_until": NOON}
ENDED = {"ended_at": NOON, "outcome": Outcome.SUCCEEDED}


def renamed() -> dict[str, str]:
    return {"web.yaml": a_policy().replace("blue: web-blue, green: web-green", "blue: new-blue, green: new-green")}


def a_record_of_the_old_groups(rotation: Mapping[str, Any], **facts: Any) -> GroupRecord:
    policy = wire({"web.yaml": a_policy()}).group("web").policy
    known: dict[str, Any] = {
        "live": a_generation(42, Slot.GREEN),
        "highest_number": 42,
        "slots": SLOTS,
        "routes": {"arn:1": ":443"},
    }
    return wire().store().save(a_record(rotation=a_rotation(policy=policy, **rotation), **known | facts))


@pytest.mark.parametrize(("rotation", "facts"), [({}, {}), (ENDED, HOT)], ids=["in flight", "hot"])
def test_while_something_is_unfinished_in_the_groups_of_the_record_these_count_and_the_policys_wait(
    rotation: Mapping[str, Any], facts: Mapping[str, Any]
) -> None:
    saved = a_record_of_the_old_groups(rotation, **facts)

    for group in (wire(renamed()).group("web"), wire(renamed()).group_for_rollback("web")):
        assert (group.slots, group.awaited, group.store.load("web")) == (SLOTS, ("new-blue", "new-green"), saved)


def test_a_rotation_without_a_pinned_policy_stays_in_its_own_groups_too() -> None:
    wire().store().save(a_record(rotation=a_rotation(policy=""), slots=SLOTS))

    assert wire(renamed()).group("web").slots == SLOTS


def test_a_record_that_is_finished_with_other_groups_begins_anew_and_its_numbers_go_on() -> None:
    saved = a_record_of_the_old_groups(ENDED, retained=a_generation(41), paused=Ask(NOON, "ada"))

    for group in (wire(renamed()).group("web"), wire(renamed()).group_for_rollback("web")):
        assert (group.slots, group.awaited) == (OTHERS, ())
        assert group.store.load("web") == GroupRecord(
            "web", version=saved.version, highest_number=42, paused=Ask(NOON, "ada")
        )
    assert wire(renamed()).group_from_record("web") is None


def test_names_that_have_traded_places_are_the_groups_that_the_record_means() -> None:
    saved = a_record_of_the_old_groups(ENDED, retained=a_generation(41))
    files = {"web.yaml": a_policy().replace("blue: web-blue, green: web-green", "blue: web-green, green: web-blue")}

    group = wire(files).group("web")

    assert (group.slots, group.awaited, group.store.load("web")) == (SLOTS, (), saved)


def test_notifiers_that_cannot_be_had_are_tried_and_warned_of_once(caplog: pytest.LogCaptureFixture) -> None:
    tries: list[str] = []

    def load() -> Sequence[Notifier]:
        tries.append("once")
        raise UsageError("there is no directory policies")

    late = LateNotifiers("web", load)
    for _ in range(15):
        with pytest.raises(UsageError):
            tuple(late)

    assert tries == ["once"]
    assert [each.message for each in caplog.records] == ["notify.failed"]


def test_a_name_that_neither_a_policy_nor_a_tag_knows_is_said_to_be_unknown_to_both() -> None:
    with pytest.raises(UsageError) as failed:
        wire(None, TaggedAws()).group_for_rollback("nosuch")

    assert "there is no directory policies" in failed.value.message
    assert "no Auto Scaling group here has the tag phoenix:group=nosuch" in failed.value.message
