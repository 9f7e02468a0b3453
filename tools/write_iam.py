"""Write infra/iam from what the adapters declare: `python -m tools.write_iam`, or `make iam`."""

from __future__ import annotations

import json
from pathlib import Path

from phoenix.aws.rights import Role
from phoenix.wiring.rights import every_document

FOLDER = Path(__file__).parents[1] / "infra" / "iam"


def text_of(role: Role) -> str:
    """The document of a role as the file has it."""
    return json.dumps(every_document(role), indent=2) + "\n"


def main() -> int:
    """Write a file for each role."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for role in Role:
        (FOLDER / f"{role}.json").write_text(text_of(role), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
