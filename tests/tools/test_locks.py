"""Tests of requirements/dev.txt against what its packages say of themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

LOCK = Path("requirements/dev.txt")


def _locked() -> dict[str, Requirement]:
    entries = re.findall(r"^([a-z0-9].*?)\s*\\$", LOCK.read_text(encoding="utf-8"), re.MULTILINE)
    found = [Requirement(entry) for entry in entries]
    return {canonicalize_name(each.name): each for each in found}


def _asked(entry: Requirement) -> Iterator[Requirement]:
    """What an installed package asks of others here, with the extras that the lock takes of it."""
    try:
        declared = [Requirement(each) for each in requires(entry.name) or ()]
    except PackageNotFoundError:
        return  # for another platform
    for each in declared:
        if each.marker is None or any(each.marker.evaluate({"extra": extra}) for extra in ("", *entry.extras)):
            yield each


def test_every_extra_that_a_locked_package_asks_of_another_is_locked_by_name() -> None:
    locked = _locked()

    missing = {
        f"{entry.name} asks for {asked.name}[{extra}]"
        for entry in locked.values()
        for asked in _asked(entry)
        for extra in asked.extras - locked[canonicalize_name(asked.name)].extras
    }

    assert not missing


def test_whatever_a_locked_package_asks_for_is_locked() -> None:
    locked = _locked()

    missing = {str(asked) for entry in locked.values() for asked in _asked(entry)} - {
        str(asked) for entry in locked.values() for asked in _asked(entry) if canonicalize_name(asked.name) in locked
    }

    assert not missing
