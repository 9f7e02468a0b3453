"""`phoenix report`: what was recorded, as a file."""

from __future__ import annotations

from pathlib import Path
from xml.dom import minidom

import pytest

from phoenix.sandbox import Behaviour
from tests.cli.conftest import Terminal


@pytest.fixture
def rotated(phoenix: Terminal) -> Terminal:
    assert phoenix("rotate web").status == 0
    return phoenix


def test_the_last_rotation_becomes_a_page(rotated: Terminal) -> None:
    place = rotated.folder / "report.html"

    answer = rotated(f"report web --write {place}")

    page = place.read_text()
    assert answer.status == 0
    assert "bake at 10 %" in page
    assert "elbv2:ModifyRule" in page
    assert rotated.writes == []
    assert [file.name for file in rotated.folder.iterdir() if file.name.startswith(".")] == []


def test_without_a_name_the_file_is_named_for_the_rotation(
    rotated: Terminal, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)

    told = rotated("report web").out
    rotated("report web --svg")

    name = told.partition(":")[0]
    assert (tmp_path / name).read_text().startswith("<!doctype html>")
    minidom.parseString((tmp_path / name).with_suffix(".svg").read_text())


def test_a_bad_image_shows_its_console_without_the_secrets_in_it(phoenix: Terminal) -> None:
    phoenix.sandbox.bake_image("web-2026.11.27-bad", behaviour=Behaviour.BAD)
    assert phoenix("rotate web").status == 3

    page = phoenix("report web --write -").out

    assert "No module named &#39;orjson&#39;" in page
    assert "hunter2" not in page
    assert "Instances that were not ready" in page


def test_json_has_all_that_was_recorded(rotated: Terminal) -> None:
    document = rotated("report web -o json").document

    assert document["group"] == "web"
    assert document["chronicle"]["samples"][-1]["weight"] == 100
    assert {"at", "why", "actions"} == {*document["chronicle"]["decisions"][0]}
    assert document["chronicle"]["reads"]["autoscaling:DescribeAutoScalingGroups"] > 1


def test_an_earlier_rotation_is_found_by_its_id(rotated: Terminal) -> None:
    first = rotated("report web -o json").document["id"]
    rotated.sandbox.bake_image("web-2026.11.28-next")
    assert rotated("rotate web").status == 0

    assert rotated(f"report web --rotation {first} -o json").document["id"] == first


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("report web", "never been rotated"),
        ("report web --rotation nope", "no rotation 'nope'"),
        ("report", "which group?"),
    ],
)
def test_what_is_not_there_is_said(phoenix: Terminal, words: str, told: str) -> None:
    answer = phoenix(words)

    assert answer.status == 2
    assert told in answer.err


def test_a_place_that_cannot_be_written_is_named(rotated: Terminal) -> None:
    answer = rotated(f"report web --write {rotated.folder}/nowhere/x.html")

    assert answer.status == 2
    assert "nowhere/x.html cannot be written" in answer.err
