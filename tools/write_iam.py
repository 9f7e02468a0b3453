"""Write infra/iam from what the adapters declare: `python -m tools.write_iam`, or `make iam`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from phoenix.aws.iam import never_follow
from phoenix.aws.rights import Role
from phoenix.wiring.rights import crash_document, every_document

FOLDER = Path(__file__).parents[1] / "infra" / "iam"


def text_of(role: Role) -> str:
    """The document of a role as the file has it."""
    return _spelled(every_document(role))


def texts() -> Mapping[str, str]:
    """All files by name: a document for each role, and those that stand apart."""
    apart = {"never-follow.json": never_follow(), "crash.json": crash_document()}
    return {f"{role}.json": text_of(role) for role in Role} | {name: _spelled(each) for name, each in apart.items()}


def _spelled(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=2) + "\n"


def main() -> int:
    """Write them."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in texts().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
