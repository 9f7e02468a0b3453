"""Each command that phoenix prints, found in its own source: AWS's CLI and the sandbox know it, and phoenix knows its
own. Tests of single blockers run the whole remedy; this one holds that none was forgotten.
"""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError

import phoenix
from phoenix.sandbox import ManualClock, Sandbox
from tests.command_lines import understand
from tests.remedies import commands_of

SOURCE = Path(phoenix.__file__).parent
FIELD = "x-field"
NONE = re.compile(rf"phoenix members |aws configure |aws {FIELD}|aws \S+ {FIELD}")
"""A user agent, what has no API, and commands whose very name is filled in: other tests run those."""
OF_EVERY_COMMAND = {"region", "query", "output", "profile", "cli-input-json"}
WITHOUT_CAUSE = {"restore-image-from-recycle-bin"}
"""Remedies of what cannot happen in the sandbox."""


def texts() -> Iterator[tuple[str, str]]:
    """Each string in the source, with each part that is filled in later as one word; and its place."""
    for file in sorted(SOURCE.rglob("*.py")):
        if "sandbox" in file.parts:
            continue
        tree = ast.parse(file.read_text(encoding="utf-8"))
        parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
        for node in (node for node in ast.walk(tree) if id(node) not in parts):
            if isinstance(node, ast.JoinedStr):
                told = [part.value if isinstance(part, ast.Constant) else FIELD for part in node.values]
                yield "".join(map(str, told)), f"{file.relative_to(SOURCE)}:{node.lineno}"
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value, f"{file.relative_to(SOURCE)}:{node.lineno}"


WORD = r"""(-\S+|x-field\S*|"[^"]*"|'[^']*'|[A-Z]+|\S*\d\S*)"""
WHOLE = {
    "aws": re.compile(r"aws [a-z0-9-]+ [a-z-]+(\s[^`]*)?", re.DOTALL),
    "phoenix": re.compile(rf"phoenix [a-z]+( {WORD})+"),
}


def commands(program: str) -> list[Any]:
    """Each command line of the program that is a whole string of its own, and no prose."""
    found = {place: told for told, place in texts() if WHOLE[program].fullmatch(told) and not NONE.match(told)}
    assert found
    return [pytest.param(told, id=place) for place, told in found.items()]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(clock=ManualClock()) as opened:
        yield opened


def is_answered(call: Callable[[], object]) -> bool:
    """False if the sandbox does not know the operation. It may object to the parameters, which are left out here:
    tests of single blockers run the whole command."""
    try:
        call()
    except NotImplementedError:
        return False
    except (ClientError, AttributeError, KeyError, TypeError, ValueError):
        return True
    return True


@pytest.mark.parametrize("command", commands("aws"))
def test_a_command_of_the_aws_cli_is_spelt_right_and_the_sandbox_answers_it(command: str, sandbox: Sandbox) -> None:
    session: Any = sandbox.session
    for _, service, operation, *words in commands_of(command):
        client = session.client(service, config=Config(parameter_validation=False))
        names = {xform_name(name, "-"): name for name in client.meta.service_model.operation_names}
        shape = client.meta.service_model.operation_model(names[operation]).input_shape
        known = {xform_name(name, "-") for name in shape.members} if shape is not None else set()
        options = {word.removeprefix("--").removeprefix("no-") for word in words if word.startswith("--")}

        assert options <= known | OF_EVERY_COMMAND
        assert is_answered(getattr(client, operation.replace("-", "_"))) or operation in WITHOUT_CAUSE


@pytest.mark.parametrize("command", commands("phoenix"))
def test_a_command_of_phoenix_is_one_that_it_understands(command: str) -> None:
    understand(shlex.split(command.replace(FIELD, "1"))[1:])
