"""The package for Lambda: the same bytes from every build, and nothing in it that no function needs."""

from __future__ import annotations

import ast
import os
import zipfile
from pathlib import Path

import pytest

from tools.package import EARLIEST, SERVICES, belongs, write_zip

PHOENIX = Path(__file__).parents[2] / "phoenix"
ASKING = frozenset({"call", "client", "pages"})
"""Methods of `Aws` whose first argument is a service."""


def a_tree(folder: Path, *, reversed_order: bool = False) -> Path:
    files = {"phoenix/handler.py": "sweep = 1\n", "botocore/data/ec2/service.json": "{}\n", "six.py": "\n"}
    for name in sorted(files, reverse=reversed_order):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(files[name], encoding="utf-8")
    return folder


def test_two_builds_of_the_same_files_are_the_same_bytes(tmp_path: Path) -> None:
    first, second = a_tree(tmp_path / "one"), a_tree(tmp_path / "two", reversed_order=True)
    os.utime(second / "six.py", (0, 0))
    (second / "six.py").chmod(0o700)

    write_zip(first, tmp_path / "first.zip", EARLIEST)
    write_zip(second, tmp_path / "second.zip", EARLIEST)

    assert (tmp_path / "first.zip").read_bytes() == (tmp_path / "second.zip").read_bytes()


def test_entries_are_in_order_and_as_old_as_they_are_said_to_be(tmp_path: Path) -> None:
    write_zip(a_tree(tmp_path / "tree"), tmp_path / "it.zip", 1_700_000_000)

    with zipfile.ZipFile(tmp_path / "it.zip") as packed:
        entries = packed.infolist()
    assert [entry.filename for entry in entries] == sorted(entry.filename for entry in entries)
    assert {entry.date_time for entry in entries} == {(2023, 11, 14, 22, 13, 20)}


@pytest.mark.parametrize(
    "name",
    [
        "phoenix/cli/__init__.py",
        "phoenix/sandbox/box.py",
        "phoenix/__pycache__/keys.cpython-313.pyc",
        "phoenix/core/ruff.toml",
        "bin/jp.py",
        "botocore/data/eks/2017-11-01/service-2.json.gz",
        "boto3/data/ec2/2016-11-15/resources-1.json",
        "boto3/examples/ec2.rst",
        "six-1.17.0.dist-info/RECORD",
        "msgspec/__init__.pyi",
    ],
)
def test_what_no_function_needs_is_left_out(name: str) -> None:
    assert not belongs(name)


@pytest.mark.parametrize(
    "name",
    [
        "phoenix/handler.py",
        "boto3/session.py",
        "botocore/data/endpoints.json",
        "botocore/data/autoscaling/2011-01-01/service-2.json.gz",
        "opentelemetry_api-1.45.2.dist-info/entry_points.txt",
        "policies/web.yaml",
    ],
)
def test_what_a_function_needs_is_in_it(name: str) -> None:
    assert belongs(name)


def test_every_service_that_is_called_is_described_in_the_package() -> None:
    sources = [path for path in PHOENIX.rglob("*.py") if "sandbox" not in path.parts]
    called = {service for path in sources for service in services_in(path.read_text(encoding="utf-8"))}

    assert "autoscaling" in called
    assert called <= SERVICES


def services_in(source: str) -> set[str]:
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call) and node.args]
    asked = [node.args[0] for node in calls if isinstance(node.func, ast.Attribute) and node.func.attr in ASKING]
    return {first.value for first in asked if isinstance(first, ast.Constant) and isinstance(first.value, str)}
