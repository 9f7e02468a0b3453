"""Files into policies: all mistakes at once, and each file by itself."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from phoenix.errors import AccessDenied, InvalidPolicy, UnknownGroup, Unreachable, UsageError
from phoenix.policy.loader import Judged, load, load_directory, load_files
from phoenix.policy.model import AllGroups
from phoenix.policy.source import Directory
from tests.policy.builders import a_canary, a_library, a_policy, loaded, problems


def test_mistakes_of_every_sort_are_reported_at_once(tmp_path: Path) -> None:
    text = a_canary("[{weight: 50, bake: 10}, {weight: 5%, bake: 1m}]") + "retian: {hot_for: 1h}\ngroup: again\n"

    found = [problem.partition(": ")[0] for problem in problems(tmp_path, text)]

    assert found == ["5:53", "5:67", "5:67", "6:1", "7:1"]


def test_weights_are_compared_even_though_something_required_is_missing(tmp_path: Path) -> None:
    text = a_canary("[{weight: 50, bake: 1m}, {weight: 5, bake: 1m}]").replace("fleet:", "ships:")

    assert [problem.split(":")[0] for problem in problems(tmp_path, text)] == ["1", "2", "5"]


def test_no_complaint_rests_on_a_value_that_is_itself_wrong(tmp_path: Path) -> None:
    text = a_policy(strategy="{bake: 100m}", timeouts="{rotation: 3}")

    (found,) = problems(tmp_path, text)

    assert found.startswith("6:22: rotation: ")


def test_all_corrections_of_a_line_are_shown_together(tmp_path: Path) -> None:
    first, second = problems(tmp_path, a_policy(timeouts="{launch: 10, drain: 5}"))

    assert first.endswith("timeouts: {launch: 10m, drain: 5m}")
    assert second.endswith("timeouts: {launch: 10m, drain: 5m}")


def test_a_broken_policy_stops_only_its_own_group(tmp_path: Path) -> None:
    other = a_policy(group="api", fleet="{kind: pair, blue: api-blue, green: api-green}")

    library = a_library(tmp_path, web=a_policy(windows="1"), api=other)

    assert library.find("api").policy.group == "api"
    with pytest.raises(InvalidPolicy, match=r"web\.yaml:5:10"):
        library.find("web")


@pytest.mark.parametrize("text", ["group: web\n\tx: 1\n", "group: 'web' # the web\nfoo: [\n"])
def test_the_group_of_a_file_that_is_no_yaml_is_still_known(tmp_path: Path, text: str) -> None:
    library = a_library(tmp_path, other=text)

    assert library.groups == ("web",)


def test_a_file_that_says_no_group_stops_the_group_of_its_name(tmp_path: Path) -> None:
    library = a_library(tmp_path, web="")

    with pytest.raises(InvalidPolicy, match="the file is empty"):
        library.find("web")


def test_an_unknown_group_brings_the_nearest_names(tmp_path: Path) -> None:
    library = a_library(tmp_path, web=a_policy())

    with pytest.raises(UnknownGroup) as caught:
        library.find("wep")

    assert caught.value.suggestions == ("web",)


def test_two_files_for_one_group_stop_each_other_and_no_other_group(tmp_path: Path) -> None:
    api = a_policy(group="api", fleet="{kind: pair, blue: api-blue, green: api-green}")
    old = a_policy(fleet="{kind: pair, blue: old-blue, green: old-green}")

    library = a_library(tmp_path, web=a_policy(), old=old, api=api)

    with pytest.raises(InvalidPolicy) as caught:
        library.find("web")
    assert f"{tmp_path}/old.yaml:1:8: group web has another policy in {tmp_path}/web.yaml:1" in caught.value.problems
    assert f"{tmp_path}/web.yaml:1:8: group web has another policy in {tmp_path}/old.yaml:1" in caught.value.problems
    assert list(library.policies) == ["api"]


def test_one_auto_scaling_group_belongs_to_one_policy(tmp_path: Path) -> None:
    library = a_library(tmp_path, web=a_policy(), api=a_policy(group="api"))

    assert not library.policies
    assert any("blue: web-blue belongs to another group already" in problem for problem in library.all_problems)


def test_the_same_names_in_two_accounts_are_different_groups(tmp_path: Path) -> None:
    here, there = '"123456789012"', '"210987654321"'

    library = a_library(tmp_path, web=a_policy(account=here), api=a_policy(group="api", account=there))

    assert not library.problems


def test_a_directory_that_does_not_exist_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no directory"):
        load_directory(tmp_path / "nowhere")


def test_a_file_is_no_directory(tmp_path: Path) -> None:
    tmp_path.joinpath("web.yaml").touch()

    with pytest.raises(UsageError, match="not a directory of policies"):
        load_directory(tmp_path / "web.yaml")


def test_only_yaml_files_are_read(tmp_path: Path) -> None:
    for name in ("README.md", ".web.yaml", "#web.yaml", "web.yaml~"):
        tmp_path.joinpath(name).write_text("nonsense")
    tmp_path.joinpath("folder.yaml").mkdir()
    os.mkfifo(tmp_path / "pipe.yaml")
    tmp_path.joinpath("web.yml").write_text(a_policy())

    library = load_directory(tmp_path)

    assert (list(library.policies), dict(library.problems)) == (["web"], {})


def test_a_link_to_nowhere_is_a_problem_of_that_file(tmp_path: Path) -> None:
    tmp_path.joinpath("web.yaml").symlink_to(tmp_path / "gone")

    library = load_directory(tmp_path)

    assert library.all_problems == (f"{tmp_path}/web.yaml:1:1: cannot be read: No such file or directory",)


def test_single_files_are_loaded_by_their_paths(tmp_path: Path) -> None:
    path = tmp_path / "web.yaml"
    path.write_text(a_policy())

    library = load_files([path, path, tmp_path / "gone.yaml"])

    assert list(library.policies) == ["web"]
    assert list(library.problems) == [f"{tmp_path}/gone.yaml"]


def test_freezes_of_all_groups_come_with_each_policy(tmp_path: Path) -> None:
    library = a_library(tmp_path, phoenix="freezes: [{from: 2026-12-20, until: 2027-01-03}]", web=a_policy())

    assert len(library.find("web").all_groups.freezes) == 1


@pytest.mark.parametrize("text", ["stoer: x", "store: mysql://x", "freezes: [{from: 2026-12-20, until: 2026-12-19}]"])
def test_a_broken_file_for_all_groups_stops_all_of_them(tmp_path: Path, text: str) -> None:
    library = a_library(tmp_path, phoenix=text, web=a_policy())

    with pytest.raises(InvalidPolicy, match=r"phoenix\.yaml:1:"):
        library.find("web")


@pytest.mark.parametrize("text", ["", "# nothing yet\n"])
def test_an_empty_file_for_all_groups_says_nothing_and_is_no_mistake(tmp_path: Path, text: str) -> None:
    library = a_library(tmp_path, web=a_policy(), phoenix=text)

    assert (library.all_problems, library.all_groups) == ((), AllGroups())


def test_two_files_for_all_groups_are_one_too_many(tmp_path: Path) -> None:
    tmp_path.joinpath("phoenix.yml").write_text("store: dynamodb://phoenix")

    library = a_library(tmp_path, phoenix="store: dynamodb://other", web=a_policy())

    assert "is there already" in library.all_problems[0]


def test_a_policy_knows_the_line_of_its_keys(tmp_path: Path) -> None:
    found = loaded(tmp_path, a_policy(windows='[{schedule: "0 2 * * *", duration: 4h}]'))

    assert found.where("windows") == f"{tmp_path}/web.yaml:5"


@dataclass(frozen=True, slots=True)
class Bucket:
    """A source in memory; `error` is raised for the file `web.yaml`."""

    error: Exception
    location: str = "s3://bucket/policies"

    def names(self) -> Sequence[str]:
        return ["api.yaml", "web.yaml"]

    def stamp(self, name: str) -> str:
        return ""

    def fetch(self, names: Sequence[str]) -> None:
        pass

    def read(self, name: str) -> bytes:
        if name == "web.yaml":
            raise self.error
        return a_policy(group="api").encode()


def test_a_file_that_may_not_be_read_stops_only_its_group() -> None:
    library = load(Bucket(AccessDenied("not yours")))

    assert library.all_problems == ("s3://bucket/policies/web.yaml:1:1: cannot be read: not yours",)
    assert list(library.policies) == ["api"]


def test_nothing_is_loaded_while_the_source_cannot_be_reached() -> None:
    with pytest.raises(Unreachable):
        load(Bucket(Unreachable("no answer")))


class Watched:
    """A directory that remembers what was read."""

    def __init__(self, folder: Path) -> None:
        self._inner = Directory(str(folder))
        self.location = str(folder)
        self.reads: list[str] = []

    def names(self) -> Sequence[str]:
        return self._inner.names()

    def stamp(self, name: str) -> str:
        return self._inner.stamp(name)

    def fetch(self, names: Sequence[str]) -> None:
        self._inner.fetch(names)

    def read(self, name: str) -> bytes:
        self.reads.append(name)
        return self._inner.read(name)


def test_only_files_that_have_changed_are_read_again(tmp_path: Path) -> None:
    for group in ("api", "web"):
        (tmp_path / f"{group}.yaml").write_text(other_policy(group))
    source, judged = Watched(tmp_path), Judged()
    first = load(source, judged)
    source.reads.clear()

    (tmp_path / "web.yaml").write_text(other_policy("web", description="changed"))
    (tmp_path / "api.yaml").rename(tmp_path / "api2.yaml")
    second = load(source, judged)

    assert (source.reads, list(second.policies)) == (["api2.yaml", "web.yaml"], list(first.policies))
    assert second.find("web").policy.description == "changed"


def test_what_files_say_against_each_other_is_found_out_anew(tmp_path: Path) -> None:
    (tmp_path / "web.yaml").write_text(other_policy("web"))
    judged = Judged()
    twin = tmp_path / "twin.yaml"
    twin.write_text(other_policy("web"))
    assert len(load(Directory(str(tmp_path)), judged).all_problems) > 0

    twin.unlink()

    assert load(Directory(str(tmp_path)), judged).all_problems == ()


def other_policy(group: str, **keys: str) -> str:
    return a_policy(group=group, fleet=f"{{kind: pair, blue: {group}-blue, green: {group}-green}}", **keys)
