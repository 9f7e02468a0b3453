from __future__ import annotations

import re
import shlex
import subprocess
import sys

import click
import pytest

from phoenix.cli import COMMANDS, main, root, usage
from tests.command_lines import understand

HEAVY = ("boto3", "botocore", "pydantic", "msgspec", "rich", "moto", "yaml", "opentelemetry")


def loaded_by(command: str) -> set[str]:
    """The heavy libraries that a command line has loaded by its end."""
    program = (
        f"import sys; from phoenix.cli import main; main({command.split()!r}); "
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(eval(ran.stdout.splitlines()[-1]))


@pytest.mark.parametrize("command", ["--help", "--version", "rollback --help", "completion bash"])
def test_help_loads_no_heavy_library(command: str) -> None:
    assert loaded_by(command) == set()


def test_help_is_written_for_the_operator(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    assert capsys.readouterr().out == usage.TEXT


def test_no_arguments_show_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert capsys.readouterr().out.startswith("Usage: phoenix COMMAND")


@pytest.mark.parametrize("command", COMMANDS)
def test_help_names_every_command(command: str) -> None:
    assert command in usage.TEXT.split()


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    assert f"Usage: phoenix {command}" in capsys.readouterr().out


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command_has_its_own_options_then_an_example_then_those_of_every_command(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    main([command, "--help"])
    said = capsys.readouterr().out

    sections = re.findall(r"^(Options|Examples?|Commands|Everywhere):$", said, re.MULTILINE)
    shared = said.partition("Everywhere:")[2]
    assert sections[-1] == "Everywhere"
    assert {"Example", "Examples", "Commands"} & {*sections}
    assert all(f"--{name}" in shared for name in ("output", "region", "verbose", "help"))
    assert "--region" not in said.partition("Everywhere:")[0].partition("Options:")[2]


EXAMPLES = [
    line
    for name in COMMANDS
    for command in [root.get_command(click.Context(root), name)]
    for one in [command, *(command.commands.values() if isinstance(command, click.Group) else ())]
    for line, _ in getattr(one, "examples", ())
]


@pytest.mark.parametrize("line", EXAMPLES)
def test_every_example_is_a_command_line_that_phoenix_understands(line: str) -> None:
    words = shlex.split(line.partition("phoenix ")[2].rstrip(")").replace(')"', "").partition(" >")[0])

    understand(words)


@pytest.mark.parametrize("command", [None, *COMMANDS])
def test_help_fits_into_80_columns(command: str | None, capsys: pytest.CaptureFixture[str]) -> None:
    main([*([command] if command else []), "--help"])

    assert max(len(line) for line in capsys.readouterr().out.splitlines()) <= 80


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    from phoenix import __version__

    assert main(["--version"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == f"phoenix {__version__}"


def test_the_version_says_what_a_report_of_a_defect_needs(capsys: pytest.CaptureFixture[str]) -> None:
    import platform

    import boto3
    import botocore

    assert main(["--version"]) == 0
    out = capsys.readouterr().out

    assert f"boto3 {boto3.__version__}  botocore {botocore.__version__}" in out
    assert platform.python_version() in out
    assert platform.platform() in out
