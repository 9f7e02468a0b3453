"""`phoenix ui`: what it refuses before it listens."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.cli.conftest import Terminal


def a_token(folder: Path, text: str = "a" * 32, mode: int = 0o600) -> Path:
    file = folder / "token"
    file.write_text(text)
    file.chmod(mode)
    return file


def test_another_address_is_refused_without_a_token(phoenix: Terminal) -> None:
    answer = phoenix("ui --listen 0.0.0.0")

    assert answer.status == 2
    assert "--token-file" in answer.err


@pytest.mark.parametrize(
    ("text", "mode", "told"),
    [("a" * 32, 0o644, "can be read by others (0644)"), ("short", 0o600, "has 5 letters, at least 20")],
)
def test_a_token_that_protects_nothing_is_refused(phoenix: Terminal, text: str, mode: int, told: str) -> None:
    answer = phoenix(f"ui --token-file {a_token(phoenix.folder, text, mode)}")

    assert answer.status == 2
    assert told in answer.err
    assert text not in answer.out


def test_a_token_that_is_not_there_is_said(phoenix: Terminal) -> None:
    assert "cannot be read" in phoenix(f"ui --token-file {phoenix.folder}/none").err


def test_a_port_that_is_taken_is_said(phoenix: Terminal) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        answer = phoenix(f"ui --port {taken.getsockname()[1]}")

    assert answer.status == 1
    assert "address already in use" in answer.err
    assert "--port 0" in answer.err
