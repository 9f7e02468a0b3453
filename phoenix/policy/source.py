"""Sources of policy files.

A source lists and reads; it must never parse a file.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from phoenix.errors import UsageError
from phoenix.policy.document import MOST_BYTES

SUFFIXES = (".yaml", ".yml")


class Source(Protocol):
    """A place with policy files."""

    @property
    def location(self) -> str:
        """The place in words: a directory, or `s3://bucket/prefix`; empty if the names are complete."""
        ...

    def names(self) -> Sequence[str]:
        """Return the sorted names of all files that could be policies, without the location.

        Raises:
            UsageError: there is no such place.
        """
        ...

    def stamp(self, name: str) -> str:
        """Return a word that changes with the file, as of the last `names`; empty if changes cannot be told."""
        ...

    def fetch(self, names: Sequence[str]) -> None:
        """Prepare to read these files: a remote source gets them side by side."""
        ...

    def read(self, name: str) -> bytes:
        """Return the content of one file; the loader decodes it.

        Raises:
            OSError, PermanentError: this file cannot be read; only its own group is stopped.
            TransientError: nothing can be read at the moment; loading stops.
        """
        ...


def is_policy_name(name: str) -> bool:
    """True for `*.yaml` and `*.yml`, except files that editors leave behind."""
    return name.endswith(SUFFIXES) and not name.startswith((".", "#"))


@dataclass(frozen=True, slots=True)
class Directory:
    """A directory on this machine, without those below it."""

    location: str

    def names(self) -> Sequence[str]:
        """Return regular files only: a read from a pipe would wait for ever."""
        try:
            with os.scandir(self.location) as entries:
                return sorted(e.name for e in entries if is_policy_name(e.name) and not _is_special(e))
        except FileNotFoundError:
            raise UsageError(
                f"there is no directory {self.location}", hint="name it with --policies or PHOENIX_POLICIES"
            ) from None
        except NotADirectoryError:
            raise UsageError(
                f"{self.location} is a file, not a directory of policies", hint="phoenix policy validate FILE"
            ) from None
        except OSError as error:
            raise UsageError(f"{self.location} cannot be read: {error.strerror}") from None

    def stamp(self, name: str) -> str:
        """Return the file's time of change and its size."""
        try:
            found = os.stat(Path(self.location, name))
        except OSError:
            return ""
        return f"{found.st_mtime_ns} {found.st_size}"

    def fetch(self, names: Sequence[str]) -> None:
        """They are here."""

    def read(self, name: str) -> bytes:
        """Read one byte more than allowed, so that the loader can tell a file that is too big."""
        return _read(Path(self.location, name))


@dataclass(frozen=True, slots=True)
class Files:
    """Single files, each by its own path."""

    paths: tuple[str, ...]
    location: str = ""

    @classmethod
    def of(cls, paths: Iterable[str | Path]) -> Files:
        """Return these files, in this order, each once."""
        return cls(tuple(dict.fromkeys(str(path) for path in paths)))

    def names(self) -> Sequence[str]:
        """The paths."""
        return self.paths

    def stamp(self, name: str) -> str:
        """Return an empty stamp: single files are read once."""
        return ""

    def fetch(self, names: Sequence[str]) -> None:
        """They are here."""

    def read(self, name: str) -> bytes:
        """Read any kind of file, a pipe included: it was asked for by name."""
        return _read(Path(name))


def _is_special(entry: os.DirEntry[str]) -> bool:
    """True for directories, pipes and devices; a broken link counts as a file, so that its read reports it."""
    return entry.is_dir() or not (entry.is_file() or entry.is_symlink())


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MOST_BYTES + 1)
