"""The console of an instance: its end, without its secrets."""

from __future__ import annotations

import pytest

from phoenix.aws.session import Aws
from phoenix.errors import AccessDenied, NotFound, PermanentError
from phoenix.fleets.group_console import LEFT_OUT, read_console, without_secrets

SECRET = "hunter2hunter2"


class Ec2(Aws):
    """Answers GetConsoleOutput, or refuses it with `error`, for the latest lines only where `nitro` is False."""

    def __init__(self, output: str | None, *, nitro: bool = True, error: Exception | None = None) -> None:
        super().__init__(session=object())
        self.output, self.nitro, self.error = output, nitro, error
        self.asked: list[bool] = []

    def call(self, service: str, method: str, **parameters: object) -> dict[str, object]:
        self.asked.append("Latest" in parameters)
        if self.error is not None:
            raise self.error
        if "Latest" in parameters and not self.nitro:
            raise PermanentError("InvalidParameterCombination")
        return {} if self.output is None else {"Output": self.output}


@pytest.mark.parametrize(
    "line",
    [
        f"DB_PASSWORD={SECRET}",
        f'"api_key": "{SECRET}"',
        f"export GITHUB_TOKEN='{SECRET}'",
        f"Authorization: Bearer {SECRET}",
        f"postgres://web:{SECRET}@db/web",
        "AWS_ACCESS_KEY_ID is ASIA" + "A1B2C3D4E5F6G7H8",
        f"-----BEGIN RSA PRIVATE KEY-----\n{SECRET}\n-----END RSA PRIVATE KEY-----",
        f"-----BEGIN PRIVATE KEY-----\n{SECRET}",
        f"eyJhbGciOiJI.{SECRET}.x",
    ],
)
def test_what_looks_like_a_secret_is_left_out(line: str) -> None:
    shown = without_secrets(f"before\n{line}\n")

    assert SECRET not in shown
    assert "A1B2C3D4" not in shown
    assert LEFT_OUT in shown
    assert shown.startswith("before\n")


def test_an_ordinary_line_stays_as_it_is() -> None:
    line = "[    7.77] web[1744]: ModuleNotFoundError: No module named 'orjson' (token bucket is full)"

    assert without_secrets(line) == line


def test_the_console_comes_without_what_moves_a_cursor() -> None:
    assert read_console(Ec2("\x1b[1;31mFAILED\x1b[0m\r\nweb.service\x07\n"), "i-1") == "FAILED\nweb.service"


def test_a_machine_that_keeps_only_its_boot_is_asked_for_that() -> None:
    ec2 = Ec2("booted", nitro=False)

    assert (read_console(ec2, "i-1"), ec2.asked) == ("booted", [True, False])


def test_a_console_that_is_not_there_yet_is_empty() -> None:
    assert read_console(Ec2(None), "i-1") == ""


@pytest.mark.parametrize("error", [AccessDenied("no"), NotFound("gone")])
def test_a_refusal_is_passed_on(error: PermanentError) -> None:
    with pytest.raises(type(error)):
        read_console(Ec2("x", error=error), "i-1")
