from __future__ import annotations

import subprocess
import sys

import pytest

from phoenix.cli import COMMANDS, main, usage

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


def test_help_fits_into_80_columns() -> None:
    assert max(len(line) for line in usage.TEXT.splitlines()) <= 80


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
