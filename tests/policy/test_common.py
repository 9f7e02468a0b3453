"""What of `phoenix.yaml` is a setting is read alone, and doubted as soon as anything about the file is doubtful."""

from __future__ import annotations

from pathlib import Path

import pytest

from phoenix.policy.common import OTHERS, SETTINGS, read_common_file
from phoenix.policy.loader import load_directory
from phoenix.policy.model import AllGroups
from phoenix.settings import Log, Settings


def a_folder(tmp_path: Path, text: str, name: str = "phoenix.yaml") -> Path:
    (tmp_path / name).write_bytes(text.encode())
    return tmp_path


def test_its_keys_are_those_that_the_policies_know() -> None:
    assert {*SETTINGS, *OTHERS} == set(AllGroups.model_fields)
    assert {*SETTINGS, "policies"} == set(Settings.model_fields)


@pytest.mark.parametrize("name", ["phoenix.yaml", "phoenix.yml"])
def test_settings_are_read_whatever_else_the_file_says(tmp_path: Path, name: str) -> None:
    folder = a_folder(
        tmp_path, "store: dynamodb://phoenix\nlog: json\nfreezes: nonsense\nlimits: {in_flight: 2}\n", name
    )

    found = read_common_file(folder)

    assert found.values == {"store": "dynamodb://phoenix", "log": Log("json")}
    assert found.places["log"] == f"{folder}/{name}:2:6: log"


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "store:\n", "store: null\n"])
def test_a_file_may_say_nothing(tmp_path: Path, text: str) -> None:
    found = read_common_file(a_folder(tmp_path, text))

    assert (dict(found.values), found.flaw) == ({}, None)


@pytest.mark.parametrize(
    ("text", "flaw"),
    [
        ("store: [\n", ":2:1: not YAML"),
        ("- store\n", ":1:1: must be a mapping of keys"),
        ("sotre: dynamodb://phoenix\n", ":1:1: unknown key sotre"),
        ("store: dynamodb://a\nstore: dynamodb://b\n", ":2:1: store is given twice"),
        ("store: postgres://x\n", ":1:8: store must be sqlite:///PATH or dynamodb://TABLE"),
        ("poll_seconds: true\n", ":1:15: poll_seconds must be a number of seconds above 0"),
        ("log: loud\n", ":1:6: log must be text or json"),
    ],
)
def test_what_is_doubtful_is_told_with_its_place_and_nothing_is_believed(tmp_path: Path, text: str, flaw: str) -> None:
    folder = a_folder(tmp_path, text)

    found = read_common_file(folder)

    assert (found.flaw or "").startswith(f"{folder}/phoenix.yaml{flaw}")
    assert not found.values


def test_two_files_are_one_too_many(tmp_path: Path) -> None:
    a_folder(a_folder(tmp_path, "store: dynamodb://a\n"), "store: dynamodb://b\n", "phoenix.yml")

    assert "only one of the two can hold" in (read_common_file(tmp_path).flaw or "")


def test_what_is_no_file_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "phoenix.yaml").mkdir()

    assert "cannot be read: Is a directory" in (read_common_file(tmp_path).flaw or "")


@pytest.mark.parametrize(
    "text", ["lease_seconds: soon\n", "log: loud\n", "advance: 3\n", "calls_per_second: 0\n", "poll_seconds: .nan\n"]
)
def test_policies_complain_of_the_same_settings(tmp_path: Path, text: str) -> None:
    folder = a_folder(tmp_path, text)

    (problem,) = load_directory(folder).all_problems

    assert problem.startswith(f"{(read_common_file(folder).flaw or '').partition(': ')[0]}: ")


def test_policies_know_the_settings_as_they_are(tmp_path: Path) -> None:
    folder = a_folder(tmp_path, "lease_seconds: 30\npoll_seconds: 2\nlog: json,info\n")

    assert load_directory(folder).all_groups.settings == dict(read_common_file(folder).values)
