from __future__ import annotations

import io
import sys

import pytest

from phoenix.cli.session import Session
from phoenix.errors import UsageError
from tests.cli.conftest import Terminal


class Keyboard(io.StringIO):
    def isatty(self) -> bool:
        return True


def a_session(typed: str, monkeypatch: pytest.MonkeyPatch) -> Session:
    monkeypatch.setattr(sys, "stdin", Keyboard(typed))
    return Session()


@pytest.mark.parametrize("typed", ["y\n", "YES\n"])
def test_a_yes_on_a_terminal_goes_on(typed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    a_session(typed, monkeypatch).confirm("really?")


@pytest.mark.parametrize("typed", ["n\n", "\n", ""])
def test_anything_else_changes_nothing(typed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="nothing was changed"):
        a_session(typed, monkeypatch).confirm("really?")


def test_no_input_never_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    session = a_session("y\n", monkeypatch)
    session.options.no_input = True

    with pytest.raises(UsageError):
        session.confirm("really?")


def test_yes_needs_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    session = Session()
    session.options.yes = True

    session.confirm("really?")


def test_no_color_is_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")

    assert not Session().colour


def test_a_question_goes_to_standard_error(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    a_session("y\n", monkeypatch).confirm("really?")

    assert capsys.readouterr() == ("", "really? [y/N] ")


def test_asked_twice_for_more_a_command_counts_its_requests_to_aws(
    phoenix: Terminal, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "phoenix")

    said = phoenix("status web -vv").err.splitlines()[-1]

    asked = [call for call in phoenix.sandbox.calls if not call.mutating]
    assert said.startswith(f"Asked of AWS: {len(asked)} requests: ")
    assert "auto-scaling.DescribeAutoScalingGroups" in said
    assert "Asked of AWS" not in phoenix("status web -v").err
