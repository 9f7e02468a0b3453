"""Which store a URL opens, and who it is asked as."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from phoenix.aws.session import Access, Aws
from phoenix.errors import UsageError
from phoenix.settings import read_settings
from phoenix.stores import open_store
from phoenix.wiring import Overrides, Wiring


def test_it_is_opened_by_url_in_its_own_region() -> None:
    asked: list[str | None] = []

    def aws_in(region: str | None) -> Aws:
        asked.append(region)
        return Aws()

    open_store("dynamodb://phoenix", {}, aws_in)
    open_store("dynamodb://phoenix?region=us-east-1", {}, aws_in)

    assert asked == [None, "us-east-1"]


@pytest.mark.parametrize("url", ["dynamodb://", "dynamodb://T", "dynamodb://a/b", "dynamodb://phoenix?zone=a"])
def test_a_url_without_a_table_says_how_to_write_one(url: str) -> None:
    with pytest.raises(UsageError, match="names no table: write dynamodb://TABLE or"):
        open_store(url, {})


def test_a_store_in_dynamodb_is_asked_as_ourselves_and_in_the_region_that_its_url_names() -> None:
    wiring = Wiring(
        read_settings(store="dynamodb://phoenix?region=eu-north-1"), Overrides(profile="ops", region="us-east-1")
    )

    wiring.store()

    assert list(wiring._base._aws) == [Access("eu-north-1", "ops")]


def test_a_store_in_dynamodb_that_names_no_region_is_where_everything_else_is() -> None:
    wiring = Wiring(read_settings(store="dynamodb://phoenix"), Overrides(region="us-east-1"))

    wiring.store()

    assert list(wiring._base._aws) == [Access("us-east-1")]


def test_a_store_in_a_file_does_not_load_the_one_in_dynamodb() -> None:
    code = "import sys; from phoenix.stores import open_store; open_store(None); print('dynamodb' in str(sys.modules))"
    root = str(Path(__file__).parents[2])

    said = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": root}, capture_output=True, text=True, check=True
    )

    assert said.stdout == "False\n"
