"""Hold the locks against the oldest pip that a supported Python brings, while newer releases of everything are out.

Must never depend on what an index has today: the newer releases are made here, each a package with nothing in it, and
where pip is to resolve a lock, so are the locked ones.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement

LOCK: Final = Path("requirements/dev.txt")
PIP_LOCK: Final = Path("requirements/pip.txt")
OLD: Final = (3, 11)
"""Whose first release brought that pip; it does not run on later ones."""
NEWER: Final = "99999"
ENTRY: Final = re.compile(r"^([a-z0-9][^\\\n]*?) \\\n(?:    --hash=\S+(?: \\)?\n)+", re.MULTILINE)
SHIM: Final = """\
#!/bin/sh
# A Python as old as a supported one can be: the environments that it makes have the oldest pip.
"{python}" "$@" || exit
[ "$1 $2" = "-m venv" ] || exit 0
for made; do :; done
"$made/bin/python" -m pip -qq --disable-pip-version-check install --require-hashes -r "{lock}"
"""
NO_UV: Final = "uv==0.0.0 --hash=sha256:" + "0" * 64 + "\n"


def main(arguments: Sequence[str]) -> int:
    """Run the checks, or the one that is named; return the exit status."""
    parser = argparse.ArgumentParser(prog="make install-check")
    parser.add_argument("--lock", type=Path, default=LOCK, help="the lock that pip is to resolve")
    parser.add_argument("--only", choices=["resolve", "uv", "pip"])
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="phoenix-install-") as folder:
        place = Path(folder)
        python = _old_python(place)
        pinned = make_releases(chosen.lock.read_text(encoding="utf-8"), place / "locked", place / "newer")
        checks: dict[str, Callable[[], None]] = {
            "resolve": lambda: resolve(place, python, pinned),
            "uv": lambda: install(place, python, "uv"),
            "pip": lambda: install(place, python, "pip"),
        }
        wanted = [name for name in checks if chosen.only in (None, name)]
        return max(_told(name, checks[name]) for name in wanted)


def make_releases(lock: str, locked: Path, newer: Path) -> str:
    """Make every locked package, and a newer release of it; return the lock with the hashes of what was made."""
    lines: list[str] = []
    for entry in ENTRY.findall(lock):
        wanted = Requirement(entry)
        version = next(iter(wanted.specifier)).version
        made = make_wheel(locked, wanted.name, version)
        make_wheel(newer, wanted.name, NEWER)
        lines.append(f"{entry} --hash=sha256:{hashlib.sha256(made.read_bytes()).hexdigest()}")
    return "\n".join(lines) + "\n"


def make_wheel(folder: Path, name: str, version: str) -> Path:
    """A package with nothing in it that asks for what the installed one of that name asks for."""
    folder.mkdir(exist_ok=True)
    stem = f"{re.sub(r'[-_.]+', '_', name)}-{version}"
    files = {
        f"{stem}.dist-info/METADATA": "".join(f"{line}\n" for line in _metadata(name, version)),
        f"{stem}.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: phoenix\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = [f"{path},sha256={_digest(text)},{len(text)}" for path, text in files.items()]
    files[f"{stem}.dist-info/RECORD"] = "\n".join([*rows, f"{stem}.dist-info/RECORD,,", ""])
    target = folder / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(target, "w") as packed:
        for path, text in files.items():
            packed.writestr(path, text)
    return target


def _metadata(name: str, version: str) -> Iterator[str]:
    yield from ("Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}")
    try:
        told = distribution(name).metadata
    except PackageNotFoundError:
        return  # for another platform; what it asks for cannot be known here, and is not asked for here
    for key in ("Provides-Extra", "Requires-Dist"):
        yield from (f"{key}: {value}" for value in told.get_all(key) or ())


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def _old_python(place: Path) -> Path:
    if sys.version_info[:2] != OLD:
        print(f"install-check: the oldest pip needs Python {OLD[0]}.{OLD[1]}; going on with the pip of this one")
        return Path(sys.base_prefix) / "bin/python3"
    shim = place / "python3"
    python = Path(sys.base_prefix) / f"bin/python{OLD[0]}.{OLD[1]}"
    shim.write_text(SHIM.format(python=python, lock=PIP_LOCK.resolve()), encoding="utf-8")
    shim.chmod(0o755)
    return shim


def resolve(place: Path, python: Path, lock: str) -> None:
    """Let pip resolve the lock by itself, as anybody may: `pip install --require-hashes -r requirements/dev.txt`."""
    (place / "lock.txt").write_text(lock, encoding="utf-8")
    _run([str(python), "-m", "venv", str(place / "resolving")], place)
    pip = [str(place / "resolving/bin/python"), "-m", "pip", "-q", "--isolated", "--disable-pip-version-check"]
    links = [word for which in ("locked", "newer") for word in ("-f", str(place / which))]
    _run([*pip, "install", "--no-index", *links, "--require-hashes", "-r", str(place / "lock.txt")], place)


def install(place: Path, python: Path, way: str) -> None:
    """Make the environment in a copy of what git has, with or without uv, and use what the demo is made of."""
    copy = place / f"by-{way}"
    listed = subprocess.run(["git", "ls-files", "-z"], check=True, capture_output=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(name, copy / name)
    if way == "pip":
        (copy / "requirements/uv.txt").write_text(NO_UV, encoding="utf-8")
    links = " ".join(filter(None, (os.environ.get("PIP_FIND_LINKS"), str(place / "newer"))))
    environment = {
        name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")
    }
    _run(["make", ".venv/.ready", f"PYTHON={python}"], copy, environment | {"PIP_FIND_LINKS": links})
    for words in (("-m", "pip", "check"), ("-m", "phoenix", "policy", "validate"), ("-c", "import phoenix.sandbox")):
        _run([str(copy / ".venv/bin/python"), *words], copy)
    if (copy / ".venv/bin/uv").exists() != (way == "uv"):
        raise subprocess.SubprocessError(f"it was not installed by {way}")


def _run(command: Sequence[str], folder: Path, environment: dict[str, str] | None = None) -> None:
    done = subprocess.run(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode:
        raise subprocess.SubprocessError(f"{' '.join(command)}\n{done.stdout[-3000:]}")


def _told(name: str, check: Callable[[], None]) -> int:
    began = time.monotonic()
    try:
        check()
    except subprocess.SubprocessError as error:
        print(f"install-check: {name}: failed\n{error}")
        return 1
    print(f"install-check: {name}: {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
