"""Settings: five sources in one order, and mistakes told with the place where they were made."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from phoenix.errors import UsageError
from phoenix.settings import Log, Settings, read_settings

Logged = pytest.LogCaptureFixture


@pytest.fixture(autouse=True)
def _a_place_where_nothing_is_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.upper().startswith("PHOENIX_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def say(file: str, text: str) -> None:
    Path(file).parent.mkdir(exist_ok=True)
    Path(file).write_text(text)


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


# --- sources and their order ------------------------------------------------------------------------------------------

EVERY = {
    "policies": ("elsewhere", "elsewhere"),
    "store": ("dynamodb://phoenix", "dynamodb://phoenix"),
    "poll_seconds": ("2.5", 2.5),
    "lease_seconds": ("30", 30),
    "calls_per_second": ("40", 40.0),
    "advance": ("phoenix-advance", "phoenix-advance"),
    "log": ("json,info", Log("json", "info")),
}


def test_every_setting_is_tried_here() -> None:
    assert set(EVERY) == set(Settings.model_fields)


@pytest.mark.parametrize("name", EVERY)
def test_every_setting_has_a_variable_and_a_line_of_the_env_file(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    text, meant = EVERY[name]

    say(".env", f"PHOENIX_{name.upper()}={text}\n")
    assert getattr(read_settings(), name) == meant
    say(".env", "")
    monkeypatch.setenv(f"PHOENIX_{name.upper()}", text)
    assert getattr(read_settings(), name) == meant


@pytest.mark.parametrize("name", sorted(set(EVERY) - {"policies"}))
def test_every_setting_but_the_place_of_the_policies_has_a_key_in_the_common_file(name: str) -> None:
    text, meant = EVERY[name]
    say("policies/phoenix.yaml", f"{name}: {text}\n")

    assert getattr(read_settings(), name) == meant


def test_the_first_source_that_has_a_value_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [read_settings().store]
    say("policies/phoenix.yaml", "store: sqlite:///common\n")
    found.append(read_settings().store)
    say(".env", "PHOENIX_STORE=sqlite:///env_file\n")
    found.append(read_settings().store)
    monkeypatch.setenv("PHOENIX_STORE", "sqlite:///variable")
    found += [read_settings().store, read_settings(store="sqlite:///flag").store]

    assert found == [None, *(f"sqlite:///{name}" for name in ("common", "env_file", "variable", "flag"))]


def test_each_setting_comes_from_its_own_first_source(monkeypatch: pytest.MonkeyPatch) -> None:
    say("policies/phoenix.yaml", "store: sqlite:///common\nlease_seconds: 20\npoll_seconds: 2\n")
    say(".env", "PHOENIX_LEASE_SECONDS=30\nPHOENIX_POLL_SECONDS=3\n")
    monkeypatch.setenv("PHOENIX_POLL_SECONDS", "4")

    found = read_settings()

    assert (found.store, found.lease_seconds, found.poll_seconds) == ("sqlite:///common", 30, 4.0)


def test_the_common_file_is_looked_for_where_the_policies_are(monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("policies", "listed", "named"):
        say(f"{folder}/phoenix.yaml", f"store: sqlite:///{folder}\n")

    say(".env", "PHOENIX_POLICIES=listed\n")
    assert read_settings().store == "sqlite:///listed"
    assert read_settings(policies="named").store == "sqlite:///named"


def test_policies_in_s3_have_their_common_file_there(monkeypatch: pytest.MonkeyPatch) -> None:
    say("policies/phoenix.yaml", "store: sqlite:///here\n")
    monkeypatch.setenv("PHOENIX_LEASE_SECONDS", "30")

    found = read_settings(policies="s3://bucket/policies")
    later = found.with_common({"store": "dynamodb://there", "lease_seconds": 90})

    assert found.store is None
    assert (later.store, later.lease_seconds, later.policies) == ("dynamodb://there", 30, "s3://bucket/policies")


# --- the env file -----------------------------------------------------------------------------------------------------


def test_the_env_file_of_the_working_directory_is_read_and_none_above_it(monkeypatch: pytest.MonkeyPatch) -> None:
    say(".env", "PHOENIX_POLICIES=surprise\n")
    assert read_settings().policies == "surprise"

    Path("below").mkdir()
    monkeypatch.chdir("below")
    assert read_settings().policies == "policies"


OF_OTHERS = """\
# an application's own
DATABASE_URL="postgres://app:hunter2@db/app"
this is no line of any file
NAMES=[1, 2
export PHOENIX_STORE='sqlite:///${NAME}.db'   # ours
NAME=mine
AWS_PROFILE=surprise
"""


def test_an_env_file_that_others_use_is_no_error(monkeypatch: pytest.MonkeyPatch, caplog: Logged) -> None:
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.delenv("NAME", raising=False)
    say(".env", "NAME=theirs\n" + OF_OTHERS)

    assert read_settings().store == "sqlite:///theirs.db"
    assert "AWS_PROFILE" not in os.environ
    assert not caplog.records


def test_an_env_file_in_other_letters_is_no_error() -> None:
    Path(".env").write_bytes(b"\xef\xbb\xbfPHOENIX_LEASE_SECONDS=30\nSTREET=Stra\xdfe\n")

    assert read_settings().lease_seconds == 30


def test_an_env_file_that_is_a_directory_is_none() -> None:
    Path(".env").mkdir()

    assert read_settings().policies == "policies"


def test_a_line_of_the_env_file_that_is_empty_counts_as_not_set() -> None:
    say(".env", "PHOENIX_LEASE_SECONDS=\nPHOENIX_ADVANCE\n")

    assert (read_settings().lease_seconds, read_settings().advance) == (60, None)


def test_a_line_of_ours_that_cannot_be_understood_leaves_the_env_file_unknown() -> None:
    say(".env", "\nPHOENIX_LEASE_SECONDS=30\n\nPHOENIX_STORE 'x' = 3\n")

    found = read_settings()

    assert found.env_flaw == ".env:4: cannot be understood: write PHOENIX_NAME=value"
    assert found.lease_seconds == 60


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_env_file_that_may_not_be_read_says_what_to_do() -> None:
    say(".env", "PHOENIX_LEASE_SECONDS=30\n")
    Path(".env").chmod(0)

    assert (read_settings().env_flaw or "").startswith(".env cannot be read: Permission denied; make it readable")


# --- names that look like ours ----------------------------------------------------------------------------------------


def test_a_misspelt_variable_is_pointed_out_and_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHOENIX_STOER", "sqlite:///x")
    monkeypatch.setenv("PHOENIX_LEASE", "30")
    say(".env", "# first\nPHOENIX_POLICY=elsewhere\n")

    assert sorted(read_settings().slips()) == [
        (".env:2: PHOENIX_POLICY", "PHOENIX_POLICIES"),
        ("PHOENIX_LEASE", "PHOENIX_LEASE_SECONDS"),
        ("PHOENIX_STOER", "PHOENIX_STORE"),
    ]


@pytest.mark.parametrize(
    "name", ["PHOENIX_STORE", "phoenix_store", "PHOENIX_SLACK_WEBHOOK", "PHOENIX_GATE_STEP", "STORE"]
)
def test_names_that_are_meant_are_not_pointed_out(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "sqlite:///x")

    assert not list(read_settings().slips())


def test_a_variable_in_small_letters_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("phoenix_store", "sqlite:///x")

    assert read_settings().store == "sqlite:///x"


# --- values -----------------------------------------------------------------------------------------------------------


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
        ("PHOENIX_LEASE_SECONDS", "1", "at least 2: half of it is for one request to AWS"),
        ("PHOENIX_LOG", "xml", "text or json"),
        ("PHOENIX_LOG", "json,loud", "debug, info, warning or error"),
        ("PHOENIX_LOG", "json,", "debug, info, warning or error"),
        ("PHOENIX_CALLS_PER_SECOND", "10001", "a number above 0 and at most 10,000"),
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


def test_a_wrong_line_of_the_env_file_is_named_with_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHOENIX_LEASE_SECONDS", "x")
    say(".env", "# ours\n\nPHOENIX_POLL_SECONDS=often\nPHOENIX_LEASE_SECONDS=30\n")

    told = (
        r"^\.env:3: PHOENIX_POLL_SECONDS is 'often', but must be a number of seconds above 0; "
        "PHOENIX_LEASE_SECONDS is 'x', but must be a whole number of seconds above 0$"
    )
    with pytest.raises(UsageError, match=told):
        read_settings()


def test_what_is_wrong_with_the_common_file_is_kept_for_those_who_need_it() -> None:
    say("policies/phoenix.yaml", "store: sqlite:///common\nlease_seconds: soon\n")

    found = read_settings()

    assert found.common_flaw == ("policies/phoenix.yaml:2:16: lease_seconds must be a whole number of seconds above 0")
    assert (found.store, found.lease_seconds) == (None, 60)


def test_settings_are_values() -> None:
    with pytest.raises(ValidationError):
        read_settings().store = "sqlite:///x"
    assert read_settings() == read_settings()
