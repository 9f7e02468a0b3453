"""What an installation brings: the libraries that phoenix is built on, in no version older than the tested one."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parent.parent
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
BUILT_ON = ("boto3", "botocore", "tenacity", "pydantic-settings", "opentelemetry-sdk")
PINNED = re.compile(r"^(?P<name>[a-z0-9-]+)(?:\[.*\])?==(?P<version>\S+)", re.MULTILINE)


def asked_for(lines: list[str]) -> dict[str, Requirement]:
    return {found.name: found for found in map(Requirement, lines)}


def locked(lock: str) -> dict[str, Version]:
    text = (ROOT / "requirements" / lock).read_text(encoding="utf-8")
    return {found["name"]: Version(found["version"]) for found in PINNED.finditer(text)}


def floor(requirement: Requirement) -> Version:
    return next(Version(each.version) for each in requirement.specifier if each.operator == ">=")


@pytest.mark.parametrize("name", BUILT_ON)
def test_an_installation_has_the_library_in_no_version_older_than_the_tested_one(name: str) -> None:
    assert floor(asked_for(PROJECT["dependencies"])[name]) == locked("dev.txt")[name]


def test_the_sandbox_has_moto_in_no_version_older_than_the_tested_one() -> None:
    assert floor(asked_for(PROJECT["optional-dependencies"]["sandbox"])["moto"]) == locked("dev.txt")["moto"]


@pytest.mark.parametrize("name", BUILT_ON)
def test_a_function_runs_on_the_versions_that_were_tested(name: str) -> None:
    assert locked("lambda.txt")[name] == locked("dev.txt")[name]
