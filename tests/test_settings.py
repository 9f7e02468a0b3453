from __future__ import annotations

import os
from pathlib import Path

import pytest

from phoenix.errors import UsageError
from phoenix.settings import Log, read_settings


@pytest.fixture(autouse=True)
def _nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("PHOENIX_")]:
        monkeypatch.delenv(name)


def test_every_setting_has_a_default() -> None:
    found = read_settings()

    assert (found.policies, found.store, found.poll_seconds, found.lease_seconds) == ("policies", None, 5.0, 60)
    assert found.log == Log("text", "warning")


def test_a_flag_comes_before_a_variable_before_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHOENIX_POLICIES", "variable")
    monkeypatch.setenv("PHOENIX_STORE", "sqlite:///variable")
    monkeypatch.setenv("PHOENIX_LEASE_SECONDS", "30")

    found = read_settings(policies="flag", store=None)

    assert (found.policies, found.store) == ("flag", "sqlite:///variable")
    assert (found.lease_seconds, found.poll_seconds) == (30, 5.0)


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHOENIX_POLL_SECONDS", "")

    assert read_settings().poll_seconds == 5.0


def test_a_dotenv_file_that_lies_around_is_not_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PHOENIX_POLICIES=surprise\n")
    monkeypatch.chdir(tmp_path)

    assert read_settings().policies == "policies"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("text", Log("text", "warning")),
        ("json", Log("json", "warning")),
        ("json,info", Log("json", "info")),
        (" TEXT , Debug ", Log("text", "debug")),
    ],
)
def test_logs_are_a_form_and_a_level(monkeypatch: pytest.MonkeyPatch, written: str, meant: Log) -> None:
    monkeypatch.setenv("PHOENIX_LOG", written)

    assert read_settings().log == meant


@pytest.mark.parametrize(
    ("variable", "value", "allowed"),
    [
        ("PHOENIX_POLL_SECONDS", "0", "a number of seconds above 0"),
        ("PHOENIX_POLL_SECONDS", "often", "a number of seconds above 0"),
        ("PHOENIX_POLL_SECONDS", "inf", "a number of seconds above 0"),
        ("PHOENIX_LEASE_SECONDS", "1.5", "a whole number of seconds above 0"),
        ("PHOENIX_LEASE_SECONDS", "-1", "a whole number of seconds above 0"),
        ("PHOENIX_LOG", "xml", "text or json"),
        ("PHOENIX_LOG", "json,loud", "debug, info, warning or error"),
        ("PHOENIX_LOG", "json,", "debug, info, warning or error"),
    ],
)
def test_a_wrong_variable_is_named_with_what_it_may_say(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, allowed: str
) -> None:
    monkeypatch.setenv(variable, value)

    with pytest.raises(UsageError, match=rf"^{variable} is '{value}', but must be .*{allowed}"):
        read_settings()


def test_all_wrong_variables_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHOENIX_POLL_SECONDS", "x")
    monkeypatch.setenv("PHOENIX_LEASE_SECONDS", "y")

    with pytest.raises(UsageError, match="PHOENIX_POLL_SECONDS.*; PHOENIX_LEASE_SECONDS"):
        read_settings()


def test_a_wrong_flag_is_named_as_a_flag() -> None:
    with pytest.raises(UsageError, match="^--policies is '', but must be a directory"):
        read_settings(policies="")
