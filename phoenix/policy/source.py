"""Where policy files come from.

A source lists and reads; it must never understand what it reads.
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
    """A place that policy files are in."""

    @property
    def location(self) -> str:
        """How people call the place: a directory, or `s3://bucket/prefix`; empty if the names say it all."""
        ...

    def names(self) -> Sequence[str]:
        """Names of all files that could be policies, sorted; without the location.

        Raises:
            UsageError: there is no such place.
        """
        ...

    def stamp(self, name: str) -> str:
        """A word that changes whenever the file does, as the last `names` found it; empty where nobody can tell."""
        ...

    def fetch(self, names: Sequence[str]) -> None:
        """These are about to be read: whoever is far away gets them side by side."""
        ...

    def read(self, name: str) -> bytes:
        """The content of one file as it is; the loader decodes it.

        Raises:
            OSError, PermanentError: this file cannot be read; only its own group suffers.
            TransientError: nothing can be read at the moment; loading stops.
        """
        ...


def is_policy_name(name: str) -> bool:
    """True for `*.yaml` and `*.yml`, less what editors leave lying about."""
    return name.endswith(SUFFIXES) and not name.startswith((".", "#"))


@dataclass(frozen=True, slots=True)
class Directory:
    """A directory on this machine, not those below it."""

    location: str

    def names(self) -> Sequence[str]:
        """Regular files only: reading a pipe would wait for ever."""
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
        """Its size, and when it was last written."""
        try:
            found = os.stat(Path(self.location, name))
        except OSError:
            return ""
        return f"{found.st_mtime_ns} {found.st_size}"

    def fetch(self, names: Sequence[str]) -> None:
        """They are here."""

    def read(self, name: str) -> bytes:
        """Just more than may be read is read, so that the loader can tell a file that is too big."""
        return _read(Path(self.location, name))


@dataclass(frozen=True, slots=True)
class Files:
    """Single files, each by its own path."""

    paths: tuple[str, ...]
    location: str = ""

    @classmethod
    def of(cls, paths: Iterable[str | Path]) -> Files:
        """These files, in this order, each once."""
        return cls(tuple(dict.fromkeys(str(path) for path in paths)))

    def names(self) -> Sequence[str]:
        """The paths."""
        return self.paths

    def stamp(self, name: str) -> str:
        """Nobody asks twice."""
        return ""

    def fetch(self, names: Sequence[str]) -> None:
        """They are here."""

    def read(self, name: str) -> bytes:
        """Any kind of file that was asked for by name, a pipe included."""
        return _read(Path(name))


def _is_special(entry: os.DirEntry[str]) -> bool:
    """True for directories, pipes and devices; a broken link counts as a file, so that reading it says so."""
    return entry.is_dir() or not (entry.is_file() or entry.is_symlink())


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MOST_BYTES + 1)
