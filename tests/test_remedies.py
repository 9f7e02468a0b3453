"""Each command that phoenix prints, found in its own source: AWS's CLI and the sandbox know it, and phoenix knows its
own. Tests of single blockers run the whole remedy; this one holds that none was forgotten.
"""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import click
import pytest
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError
from click.exceptions import Exit

import phoenix
from phoenix.cli import root
from phoenix.sandbox import ManualClock, Sandbox
from tests.command_lines import understand
from tests.remedies import commands_of

SOURCE = Path(phoenix.__file__).parent
FIELD = "x-field"
NONE = re.compile(rf"phoenix members |aws configure |aws {FIELD}|aws \S+ {FIELD}")
"""A user agent, what has no API, and commands whose very name is filled in: other tests run those."""
OF_EVERY_COMMAND = {"region", "query", "output", "profile", "cli-input-json"}
BEGINNINGS = {f"aws ec2 delete-launch-template-versions --launch-template-id {FIELD}"}
"""Commands that the source completes in the next line."""
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

        required = {xform_name(name, "-") for name in shape.required_members} if shape is not None else set()
        # Options and all: in group_commands that of the group. Those of probe's last command are added to it.
        filled_in = bool(words) and (words[0].startswith(FIELD) or command in BEGINNINGS)

        assert options <= known | OF_EVERY_COMMAND
        assert required <= options or filled_in or "cli-input-json" in options
        assert is_answered(getattr(client, operation.replace("-", "_"))) or operation in WITHOUT_CAUSE


@pytest.mark.parametrize("command", commands("phoenix"))
def test_a_command_of_phoenix_is_one_that_it_understands(command: str) -> None:
    understand(shlex.split(command.replace(FIELD, "1"))[1:])


IN_A_SENTENCE = re.compile(r"`(phoenix [^`<]+)`")

NAMED_ONLY = {"phoenix doctor --probe", "phoenix web-42-7k3f generation 42"}
"""What such a sentence is about rather than what to type: an option without its value, a version's description."""


def quoted() -> list[Any]:
    """Each command line that a sentence quotes."""
    found = {" ".join(line.split()): place for told, place in texts() for line in IN_A_SENTENCE.findall(told)}
    assert len(found) > 10
    return [pytest.param(line, id=f"{place} {line}") for line, place in sorted(found.items()) if line not in NAMED_ONLY]


@pytest.mark.parametrize("command", quoted())
def test_a_command_that_a_sentence_quotes_is_one_that_phoenix_understands(command: str) -> None:
    with suppress(Exit):  # --help and --version have said what they say
        understand(shlex.split(command.replace(FIELD, "1").partition(" >")[0])[1:])


OF_OTHERS = re.compile(r"\b(aws|openssl|cosign) ")


def hints() -> list[Any]:
    """Each hint of an error that names options without being a command of AWS."""
    found = []
    for file in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.keyword) and node.arg == "hint":
                said = " ".join(ast.unparse(node.value).split())
                if re.search(r"[ '\"]--?[a-z]", said) and not OF_OTHERS.search(said):
                    found.append(pytest.param(said, id=f"{file.relative_to(SOURCE)}:{node.value.lineno}"))
    assert len(found) > 10
    return found


def options_of(command: click.Command) -> set[str]:
    """The options of a command and of those below it."""
    own = {word for option in command.params for word in (*option.opts, *option.secondary_opts)}
    below = command.commands.values() if isinstance(command, click.Group) else ()
    return own.union(*map(options_of, below)) | {"--help"}


@pytest.mark.parametrize("said", hints())
def test_an_option_that_a_hint_names_is_one_of_phoenix_and_none_that_only_forms_the_output(said: str) -> None:
    context = click.Context(root)
    known = set().union(*(options_of(root.get_command(context, name) or root) for name in root.list_commands(context)))
    named = {*re.findall(r"(?<![\w-])--?[a-z][a-z-]*", said)}

    assert named <= known - {"-o"}
