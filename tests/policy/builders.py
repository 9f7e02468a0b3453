"""Builders for policy files: each text is valid but for what the test is about."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from phoenix.policy.loader import Library, LoadedPolicy, load_directory
from phoenix.policy.model import Policy

_KEYS: Mapping[str, str] = {
    "group": "web",
    "fleet": "{kind: pair, blue: web-blue, green: web-green}",
    "traffic": "{kind: alb}",
    "image": '{kind: search, owners: [self], name: "web-*"}',
}


def a_policy(**keys: str | None) -> str:
    """A policy's text, one key a line, in this order: group, fleet, traffic, image, then the rest; None leaves out."""
    lines = {**_KEYS, **keys}
    return "".join(f"{key}: {value}\n" for key, value in lines.items() if value is not None)


def a_canary(steps: str, bake: str = "5m") -> str:
    """A policy with these canary steps, in line 5."""
    return a_policy(strategy=f"{{kind: canary, steps: {steps}, bake: {bake}}}")


def a_library(folder: Path, **files: str | bytes) -> Library:
    """What is loaded from a folder with these files; `web="..."` is `web.yaml`."""
    for name, content in files.items():
        folder.joinpath(f"{name}.yaml").write_bytes(content.encode() if isinstance(content, str) else content)
    return load_directory(folder)


def loaded(folder: Path, text: str) -> LoadedPolicy:
    """The policy for the group web that this text is."""
    return a_library(folder, web=text).find("web")


def the_policy(folder: Path, text: str) -> Policy:
    """The same, without the file around it."""
    return loaded(folder, text).policy


def problems(folder: Path, text: str | bytes) -> list[str]:
    """What is wrong with a file, as `line:column: message`, followed by the corrected line where there is one."""
    found = a_library(folder, web=text).all_problems
    return [problem.removeprefix(f"{folder}/web.yaml:") for problem in found]
