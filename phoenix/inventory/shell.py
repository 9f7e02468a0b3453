"""Commands of the AWS CLI as a shell script. Pure.

Must never let a value end a quotation: names come from the account. Variables are the script's own.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

from phoenix.aws.comparison import json_of
from phoenix.inventory.half_facts import Original
from phoenix.inventory.second_half import Command, left_behind, twin_of

_VARIABLE = re.compile(r"\$\{(?:TARGET_GROUP|SCALING_POLICY)_\d+(?:##\*:)?\}")


def script(original: Original, commands: Sequence[Command]) -> str:
    """A script that makes the second half, and says what it leaves behind."""
    names = f"{_comment(twin_of(original.name))}, the second half of a pair with {_comment(original.name)}"
    lines = [
        "#!/usr/bin/env bash",
        f"# Makes {names}. Read it first.",
        "# It launches nothing: the new group is empty, and its target groups have weight 0.",
        "# Not carried over:",
        *(f"# - {_comment(told)}" for told in left_behind(original)),
        "set -euo pipefail",
        "",
    ]
    return "\n".join([*lines, *map(_line, commands)]) + "\n"


def _line(command: Command) -> str:
    given = _VARIABLE.sub(lambda found: f"'\"{found[0]}\"'", shlex.quote(json_of(command.parameters)))
    asked = f"aws {command.service} {command.operation} --cli-input-json \\\n    {given}"
    if command.sets is None:
        return asked
    return f"{command.sets}=$({asked} \\\n    --query {shlex.quote(str(command.query))} --output text)"


def _comment(told: str) -> str:
    return re.sub(r"[\x00-\x1f\x7f]", "?", told)
