"""`doctor`: what it fails for."""

from __future__ import annotations

from tests.cli.conftest import Terminal


def test_the_doctor_fails_for_groups_that_do_not_exist(phoenix: Terminal) -> None:
    file = phoenix.folder / "web.yaml"
    file.write_text(file.read_text().replace("web-blue", "web-bleu"))

    answer = phoenix("doctor -o json")

    (check,) = [check for check in answer.document["checks"] if check["name"] == "groups"]
    assert (answer.status, check["passed"]) == (1, False)
    assert f"{file}:4:27: no Auto Scaling group web-bleu" in str(check)
