"""Tests of tools/install_check.py: the releases that it makes; `make install-check` is the whole."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

from tools.install_check import NEWER, make_releases

LOCK = """\
coverage[toml]==7.0.1 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
    # via pytest-cov
pytest-cov==6.0 ; sys_platform == 'linux' \\
    --hash=sha256:cc
    # via phoenix-rotate (pyproject.toml)
"""


def test_every_entry_is_made_in_its_locked_release_and_in_a_newer_one(tmp_path: Path) -> None:
    pinned = make_releases(LOCK, tmp_path / "locked", tmp_path / "newer")

    entries = [line.split(" --hash=sha256:") for line in pinned.splitlines()]
    assert [entry for entry, _ in entries] == ["coverage[toml]==7.0.1", "pytest-cov==6.0 ; sys_platform == 'linux'"]
    made = {hashlib.sha256(each.read_bytes()).hexdigest() for each in (tmp_path / "locked").iterdir()}
    assert {hash_ for _, hash_ in entries} == made
    assert [each.name for each in sorted((tmp_path / "newer").iterdir())] == [
        f"coverage-{NEWER}-py3-none-any.whl",
        f"pytest_cov-{NEWER}-py3-none-any.whl",
    ]


def test_what_is_made_asks_for_what_the_real_package_asks_for(tmp_path: Path) -> None:
    make_releases(LOCK, tmp_path / "locked", tmp_path / "newer")

    with zipfile.ZipFile(tmp_path / "locked/pytest_cov-6.0-py3-none-any.whl") as wheel:
        told = wheel.read("pytest_cov-6.0.dist-info/METADATA").decode()

    assert "Requires-Dist: coverage[toml]" in told
