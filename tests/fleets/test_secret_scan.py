"""Lines that look as if they held a secret, and lines that only talk of one."""

from __future__ import annotations

import pytest

from phoenix.fleets.secret_scan import scan

SECRETS = {
    "export DB_PASSWORD=hunter2abc": "Secret Keyword",
    "  password: s3cr3tvalue": "Secret Keyword",
    "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY": "Secret Keyword",
    "export AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLA": "AWS Access Key",
    "-----BEGIN RSA PRIVATE KEY-----": "Private Key",
    "curl https://bob:pa55w0rd@example.com/x": "Basic Auth Credentials",
}


@pytest.mark.parametrize("line", SECRETS)
def test_a_secret_is_found_in_its_line_by_its_kind(line: str) -> None:
    found = scan(f"#!/bin/sh\n{line}\n")

    assert [(each.line, each.kind) for each in found] == [(2, SECRETS[line])]


@pytest.mark.parametrize(
    "line",
    [
        "export TOKEN=$(aws ssm get-parameter --name /web/token)",
        'DB_PASSWORD="${DB_PASSWORD}"',
        "password: arn:aws:secretsmanager:eu-west-1:123456789012:secret:web",
        "secret_name=web/db",
        "password: {{resolve:ssm:/web/db}}",
        'echo "the password is in the vault"',
        "how_to_monitor: https://dashboards.example.com/web",
        "commit: 3fa85f6457174562b3fc2c963f66afa63fa85f64",
        "systemctl start web",
    ],
)
def test_what_is_read_at_boot_or_is_no_secret_is_left_alone(line: str) -> None:
    assert scan(line) == ()


def test_what_is_found_does_not_hold_the_secret(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG"):
        found = scan("password: s3cr3tvalue")

    assert "s3cr3tvalue" not in f"{found}{caplog.text}"


def test_a_text_of_secrets_ends_after_fifty() -> None:
    assert len(scan("\n".join(f"password: s3cr3tvalue{number}" for number in range(500)))) == 50
