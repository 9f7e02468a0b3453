"""Install a lock into the environment of the Python that runs this: with uv, or with pip where uv cannot be had.

Must never import a library: it runs before there is one. Must never resolve: a lock is whole, and whatever it does not
name is not installed, whichever newer releases exist and whichever pip the Python came with.
"""

from __future__ import annotations

import argparse
import ast
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
UV_LOCK: Final = ROOT / "requirements/uv.txt"
LOCKED: Final = ("--no-deps", "--require-hashes", "--requirement")
EDITABLE: Final = ("--no-deps", "--no-build-isolation", "--editable", str(ROOT))
PIP: Final = (sys.executable, "-m", "pip", "-qq", "--disable-pip-version-check")
SETTINGS: Final = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "no-index": "UV_NO_INDEX",
    "cert": "SSL_CERT_FILE",
}
"""pip's names and uv's: a machine that gets its packages from elsewhere has told pip so, and uv does not ask pip."""


def main(arguments: Sequence[str]) -> int:
    """Install what was asked for; return the exit status."""
    chosen = _parse(arguments)
    asked = [(*LOCKED, str(chosen.lock)), *([EDITABLE] if chosen.editable else [])]
    if chosen.installer == "uv" and _with_uv(asked):
        return 0
    return next((status for each in asked if (status := _run((*PIP, "install", *each)))), 0)


def uv_settings(told: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    """Return what pip was told, in uv's words; uv's own settings stay as they are."""
    spoken = {
        SETTINGS[key]: ("," if key == "find-links" else " ").join(value.split())
        for key, value in told.items()
        if key in SETTINGS
    }
    return {key: value for key, value in spoken.items() if key not in environment}


def pip_settings(lines: str) -> dict[str, str]:
    """Read `pip config list`: the environment over the command's section over the global one."""
    found: dict[str, str] = {}
    for section in ("global.", "install.", ":env:."):
        for line in lines.splitlines():
            key, _, value = line.partition("=")
            if key.startswith(section):
                found[key.removeprefix(section)] = str(ast.literal_eval(value))
    return found


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="install")
    parser.add_argument("lock", type=Path)
    parser.add_argument("--editable", action="store_true", help="and phoenix itself, as it stands here")
    parser.add_argument("--installer", choices=["uv", "pip"], default="uv")
    return parser.parse_args(arguments)


def _with_uv(asked: Sequence[Sequence[str]]) -> bool:
    if _run((*PIP, "install", "--only-binary", ":all:", *LOCKED, str(UV_LOCK))):
        print("install: uv cannot be had here, so pip installs; it takes longer", file=sys.stderr)
        return False
    uv = (str(Path(sys.executable).with_name("uv")), "pip", "install", "--quiet", "--python", sys.executable)
    told = subprocess.run((*PIP, "config", "list"), capture_output=True, text=True, check=False).stdout
    settings = os.environ | uv_settings(pip_settings(told), os.environ)
    # A hash says what is right, so it does not matter which of several indexes has it.
    settings.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")
    if any(_run((*uv, *each), settings) for each in asked):
        print("install: uv did not succeed, so pip installs; it takes longer", file=sys.stderr)
        return False
    return True


def _run(command: Sequence[str], environment: Mapping[str, str] | None = None) -> int:
    try:
        return subprocess.run(command, env=environment, check=False).returncode
    except OSError as error:
        print(f"install: {command[0]}: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
