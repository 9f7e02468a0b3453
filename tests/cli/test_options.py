from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.shell_completion import ShellComplete

from phoenix.cli import main, root
from phoenix.cli.completion import known_groups
from phoenix.cli.options import asks_for_json
from phoenix.cli.session import Options, Session
from phoenix.engine.request import IGNORABLE
from phoenix.errors import Blocked
from phoenix.sandbox import SCENARIOS
from tests.cli.conftest import Terminal


def options_of(words: list[str]) -> Options:
    """What reaches the composition root."""
    seen: list[Options] = []

    def wire(options: Options) -> Any:
        seen.append(options)
        raise Blocked("far enough")

    main(words, wire)
    return seen[0]


@pytest.mark.parametrize(
    "words", [["status", "web"], ["status", "-g", "web"], ["status", "--group", "web"], ["-o", "text", "status", "web"]]
)
def test_a_group_is_named_by_option_or_by_position(words: list[str]) -> None:
    assert options_of(words).group == "web"


@pytest.mark.parametrize("command", ["status", "rotate", "rollback", "plan", "pause", "history", "images", "abort"])
def test_common_options_are_accepted_before_and_after_the_command(command: str) -> None:
    words = ["--region", "eu-west-1", "--profile", "prod", "--policies", "p", "--store", "s", "--reason", "r"]

    before, after = options_of([*words, command, "web"]), options_of([command, "web", *words])

    assert before == after
    assert (after.region, after.profile, after.policies) == ("eu-west-1", "prod", "p")
    assert (after.store, after.reason) == ("s", "r")


def test_flags_are_accepted_everywhere() -> None:
    options = options_of(["rollback", "web", "--yes", "--no-input", "--no-color", "-q", "-vv"])

    assert all((options.yes, options.no_input, options.no_color, options.quiet))
    assert options.verbose == 2


@pytest.mark.parametrize("words", ["-o json", "status --output json", "status --output=json", "status -ojson"])
def test_json_is_recognised_before_anything_is_parsed(words: str) -> None:
    assert asks_for_json(words.split())


@pytest.mark.parametrize("words", ["-o text", "status json", "-o"])
def test_other_words_are_not_a_wish_for_json(words: str) -> None:
    assert not asks_for_json(words.split())


def test_group_names_complete_from_the_policy_files(tmp_path: Path) -> None:
    (tmp_path / "web.yaml").write_text("version: 1\ngroup: web\n")
    (tmp_path / "api.yml").write_text('group: "api"  # the public one\n')
    (tmp_path / "phoenix.yaml").write_text("group: reserved\n")
    (tmp_path / "broken.yaml").write_text("{{{{\n")

    assert known_groups(str(tmp_path)) == ["api", "web"]


def test_group_names_complete_from_where_the_env_file_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("PHOENIX_POLICIES", raising=False)
    monkeypatch.chdir(tmp_path)
    Path("ours").mkdir()
    Path("ours", "web.yaml").write_text("group: web\n")
    Path(".env").write_text("PHOENIX_POLICIES=ours\n")

    assert known_groups(None) == ["web"]


def test_a_missing_policy_directory_completes_to_nothing() -> None:
    assert known_groups("s3://bucket/policies") == []


def completed(line: str) -> list[str]:
    """What a Tab at the end of the line offers; its last word has been begun."""
    *words, begun = line.split(" ")
    found = ShellComplete(root, {"obj": Session()}, "phoenix", "").get_completions(words, begun)
    return [each.value for each in found]


@pytest.fixture
def in_web(phoenix: Terminal, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """The policy and the store that a Tab finds."""
    monkeypatch.setenv("PHOENIX_POLICIES", str(phoenix.folder))
    monkeypatch.setenv("PHOENIX_STORE", f"sqlite:///{phoenix.folder}/phoenix.db")
    return phoenix


def test_every_scenario_of_the_sandbox_completes() -> None:
    assert completed("sandbox --scenario ") == list(SCENARIOS)
    assert completed("sandbox --scenario sl") == ["slow-boot"]


def test_what_may_be_ignored_completes_with_the_alarms_of_the_policy(in_web: Terminal) -> None:
    known = [*sorted(IGNORABLE), "alarm:web-5xx"]

    assert completed("rotate web --ignore ") == known
    assert completed("rotate web --ignore window,al") == ["window,alarm:web-5xx"]


def test_images_that_the_record_knows_complete(in_web: Terminal) -> None:
    in_web("rotate web")
    in_web("rollback web")
    (quarantined,) = [entry["image"] for entry in in_web("images web -o json").document["quarantine"]]

    assert completed("images web release ")[0] == quarantined
    assert quarantined in completed("rotate web --image ami-")
    assert completed("images ") == ["web", "release"]


@pytest.mark.parametrize("line", ["rotate web --image ", "images web release ", "rotate --image "])
def test_a_tab_without_a_store_offers_nothing_and_says_nothing(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PHOENIX_STORE", f"sqlite:///{tmp_path}/none/phoenix.db")

    assert completed(line) == []
    assert capsys.readouterr() == ("", "")
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_gets_its_completion_script(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    assert "_PHOENIX_COMPLETE" in capsys.readouterr().out
