"""A mistake in a policy file stops what has not started; what is in flight goes on with the policy it has pinned."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from phoenix.engine.many.sweep import Estate
from phoenix.errors import InvalidPolicy
from phoenix.wiring import Wiring
from tests.stores.builders import NOON, a_record, a_rotation
from tests.test_wiring import TaggedAws, a_policy, wire

NO_YAML = "freezes: [\n"
BROKEN_FILES = [{"phoenix.yaml": NO_YAML}, {"web.yaml": "group: web\nfleet: nonsense\n"}]
STORE = "sqlite:///given.db"


@pytest.fixture(autouse=True)
def _a_place_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith(("PHOENIX_", "AWS_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)


def a_rotation_under(policy: str, store: str | None = STORE, **facts: Any) -> str:
    """Save a record of web whose rotation has pinned that policy; what it has pinned."""
    files = {"web.yaml": policy, "api.yaml": a_policy("api")}
    wiring = wire(files, store=store) if store is not None else wire(files)
    pinned = str(wiring.group("web").policy)
    wiring.store().save(a_record(rotation=a_rotation(policy=pinned, **facts)))
    return pinned


def the_estate(wiring: Wiring) -> Estate:
    return wiring.estate(lambda _name, _poll: None, here=True)


@pytest.mark.parametrize("files", BROKEN_FILES)
def test_what_is_in_flight_goes_on_whatever_the_files_say(
    files: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    pinned = a_rotation_under(a_policy())

    group = wire(files, store=STORE).group("web", by="schedule")

    assert (group.policy, group.by) == (pinned, "schedule")
    assert [gate.name for gate in group.gates] == ["target_health", "alarm"]
    assert [each.message for each in caplog.records] == ["policy.left_out"]


@pytest.mark.parametrize("files", BROKEN_FILES)
def test_a_group_that_goes_on_without_its_file_starts_nothing_when_it_has_ended(files: dict[str, str]) -> None:
    a_rotation_under(a_policy())

    wiring = wire(files, store=STORE)

    calendar = wiring.group("web").calendar
    assert (calendar.opening_at(NOON), calendar.next_opening(NOON)) == (None, None)
    assert the_estate(wiring).members["web"].calendar == calendar


@pytest.mark.parametrize("files", BROKEN_FILES)
def test_a_group_at_rest_stops_at_a_broken_file(files: dict[str, str]) -> None:
    a_rotation_under(a_policy(), ended_at=NOON)

    wiring = wire(files, store=STORE)

    assert "web" not in the_estate(wiring).members
    with pytest.raises(InvalidPolicy):
        wiring.group("web")


def test_a_broken_file_for_all_groups_leaves_in_a_sweep_those_in_flight() -> None:
    a_rotation_under(a_policy())

    wiring = wire({"phoenix.yaml": NO_YAML}, store=STORE)

    assert [*the_estate(wiring).members] == ["web"]
    assert [group.name for group in wiring.groups()[0]] == ["web"]
    assert wiring.groups()[1][0].startswith("policies/phoenix.yaml:")


def test_the_default_store_is_not_believed_when_the_file_that_may_name_another_is_broken() -> None:
    a_rotation_under(a_policy(), store=None)

    wiring = wire({"phoenix.yaml": NO_YAML})

    assert not the_estate(wiring).members
    with pytest.raises(InvalidPolicy):
        wiring.group("web")


def test_without_a_file_for_all_groups_the_default_store_is_believed() -> None:
    pinned = a_rotation_under(a_policy(), store=None)

    assert wire({"web.yaml": "group: web\n"}).group("web").policy == pinned


def test_an_unreadable_pinned_policy_leaves_the_broken_file_to_complain_about() -> None:
    wire(store=STORE).store().save(a_record(rotation=a_rotation(policy="{")))

    with pytest.raises(InvalidPolicy, match=r"web\.yaml"):
        wire({"web.yaml": "group: web\n"}, TaggedAws(), store=STORE).group("web")


def test_a_store_that_cannot_be_read_leaves_the_broken_file_to_complain_about() -> None:
    Path("given.db").write_text("no database" * 100)
    wiring = wire({"web.yaml": "group: web\n"}, store=STORE)

    with pytest.raises(InvalidPolicy, match=r"web\.yaml"):
        wiring.group("web")
    assert not the_estate(wiring).members


def test_a_freeze_says_which_file_it_is_in() -> None:
    freeze = "freezes: [{from: 2026-12-20, until: 2026-12-31, reason: peak}]\n"

    group = wire({"web.yaml": a_policy() + freeze, "phoenix.yaml": freeze}).group("web")

    assert [each.file for each in group.calendar.freezes] == ["policies/phoenix.yaml", None]
