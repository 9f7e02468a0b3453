from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.session import Session

from phoenix.aws.errors import translated
from phoenix.cli import main
from phoenix.cli.session import Options
from phoenix.engine.report import NotStarted
from phoenix.errors import AccessDenied, Blocked, InvalidPolicy, LeaseHeld, Throttled, UnknownGroup, UsageError
from tests.views.builders import BLOCKERS, a_plan

AT = datetime(2026, 11, 18, 2, 58, tzinfo=UTC)


def failing(error: BaseException) -> Any:
    """A wiring that cannot be made."""

    def wire(_: Options) -> Any:
        raise error

    return wire


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (UnknownGroup("wbe", "policies", ["web"]), 2),
        (InvalidPolicy(["policies/web.yaml:3:1: unknown key"]), 2),
        (LeaseHeld("web", "lambda/phoenix", AT, AT), 4),
        (Blocked("nothing to go back to"), 5),
        (NotStarted(a_plan(blockers=BLOCKERS)), 5),
        (AccessDenied("no"), 1),
        (Throttled("slow down"), 1),
        (KeyboardInterrupt(), 130),
        (ZeroDivisionError("oops"), 1),
    ],
)
def test_every_error_has_its_exit_status_and_leaves_one_json_document(
    error: BaseException, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["status", "web", "-o", "json"], failing(error)) == status

    document = json.loads(capsys.readouterr().out)
    assert set(document["error"]) == {"code", "message", "hint"}


def test_an_error_in_text_goes_to_standard_error_with_its_remedy(capsys: pytest.CaptureFixture[str]) -> None:
    main(["status", "wbe"], failing(UnknownGroup("wbe", "policies", ["web"])))

    shown = capsys.readouterr()
    assert shown.out == ""
    assert "did you mean web?" in shown.err
    assert "try: phoenix status" in shown.err


def test_problems_of_a_policy_are_lines_that_an_editor_understands(capsys: pytest.CaptureFixture[str]) -> None:
    main(["status", "web"], failing(InvalidPolicy(["policies/web.yaml:3:1: one", "policies/web.yaml:4:1: two"])))

    assert capsys.readouterr().err.splitlines()[:2] == ["policies/web.yaml:3:1: one", "policies/web.yaml:4:1: two"]


def test_an_unforeseen_error_is_called_a_defect_and_shows_no_stack_trace(capsys: pytest.CaptureFixture[str]) -> None:
    main(["status", "web"], failing(ZeroDivisionError("oops")))

    assert capsys.readouterr().err.splitlines()[0] == "phoenix: this is a defect in phoenix: ZeroDivisionError: oops"


def test_verbose_shows_where_a_defect_is(capsys: pytest.CaptureFixture[str]) -> None:
    main(["status", "web", "-v"], failing(ZeroDivisionError("oops")))

    assert "Traceback" in capsys.readouterr().err


def test_a_blocked_start_shows_every_blocker(capsys: pytest.CaptureFixture[str]) -> None:
    main(["rotate", "web"], failing(NotStarted(a_plan(blockers=BLOCKERS))))

    assert "2 blockers, 1 warning" in capsys.readouterr().err


def test_a_blocked_start_lists_its_blockers_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    main(["rotate", "web", "-o", "json"], failing(NotStarted(a_plan(blockers=BLOCKERS))))

    document = json.loads(capsys.readouterr().out)
    assert document["error"]["code"] == "blocked"
    assert [blocker["name"] for blocker in document["blockers"]] == ["suspended-process", "window"]


@pytest.mark.parametrize(
    "words",
    [
        ["rolback"],
        ["status", "--frobnicate"],
        ["rollback"],
        ["status", "web", "-g", "api"],
        ["status", "--watch"],
        ["status", "web", "--wait", "--timeout", "10"],
        ["rotate", "web", "--ignore", "window"],
        ["rotate", "web", "--ignore", "drift", "--reason", "x"],
        ["rotate", "web", "--ignore", "window", "--reason", "x"],
        ["retry"],
        ["images", "release", "ami-1", "-g", "web"],
        ["images", "release"],
        ["sandbox", "--scenario", "sunshine"],
    ],
)
def test_a_wrong_command_line_is_2_with_one_json_document(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*words, "--output=json"]) == 2

    assert json.loads(capsys.readouterr().out)["error"]["code"] == "usage"


def test_a_slip_of_the_finger_is_recognised(capsys: pytest.CaptureFixture[str]) -> None:
    main(["rolback"])

    assert "did you mean rollback?" in capsys.readouterr().err


def test_names_in_errors_are_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    main(["status", "w\x1b[2Jb"], failing(UnknownGroup("w\x1b[2Jb", "pol\x1bicies")))

    assert "\x1b" not in capsys.readouterr().err


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    shell = f"{sys.executable} -m phoenix completion bash | true; exit ${{PIPESTATUS[0]}}"

    ran = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, check=False)

    assert (ran.returncode, ran.stderr) == (0, "")


def test_a_full_disk_below_standard_output_is_no_defect() -> None:
    with open("/dev/full", "w", encoding="utf-8") as full:
        ran = subprocess.run(
            [sys.executable, "-m", "phoenix", "policy", "schema"], stdout=full, stderr=subprocess.PIPE, text=True,
            check=False,
        )  # fmt: skip

    assert (ran.returncode, ran.stderr) == (1, "phoenix: cannot write to standard output: No space left on device\n")


def test_a_closed_standard_output_does_not_keep_a_command_from_its_work() -> None:
    ran = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m phoenix policy schema >&-"], capture_output=True, text=True, check=False
    )

    assert (ran.returncode, ran.stderr) == (0, "")


def test_a_port_that_is_taken_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        status = main(["sandbox", "--port", str(port), "-o", "json"])

    shown = capsys.readouterr()
    assert status == 1
    assert json.loads(shown.out)["error"]["message"] == f"port {port} of 127.0.0.1: address already in use"
    assert shown.err == ""


def test_an_endpoint_that_is_no_address_is_a_wrong_environment() -> None:
    session = Session()

    with pytest.raises(UsageError, match="Invalid endpoint: garbage"), translated("sts client"):
        session.create_client("sts", region_name="eu-west-1", endpoint_url="garbage")


@pytest.mark.parametrize(
    ("command", "status"),
    [("--help", 0), ("--version", 0), ("demo --help", 0), ("policy schema", 0), ("nonsense -o json", 2)],
)
def test_a_reader_that_has_left_gets_no_traceback(command: str, status: int) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as closed:
        words = [sys.executable, "-m", "phoenix", *command.split()]
        ran = subprocess.run(words, stdout=closed, stderr=subprocess.PIPE, text=True, check=False)

    assert (ran.returncode, ran.stderr) == (status, "")


def test_an_error_without_a_reader_keeps_its_exit_status() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as closed:
        words = [sys.executable, "-m", "phoenix", "nonsense"]
        ran = subprocess.run(words, stdout=subprocess.PIPE, stderr=closed, check=False)

    assert (ran.returncode, ran.stdout) == (2, b"")
