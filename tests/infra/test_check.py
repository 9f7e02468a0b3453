"""Finding a provider without asking anybody, and not looking twice at what has not changed."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from tools import mirror
from tools.infra import JUDGES, Report, conclude, fingerprint

KIND = f"{platform.system().lower()}_{mirror.MACHINES.get(platform.machine(), platform.machine())}"


def a_mirror(folder: Path, version: str = "5.100.0") -> Path:
    place = folder / mirror.PROVIDER / version / KIND
    place.mkdir(parents=True)
    (place / "terraform-provider-aws").touch()
    return folder


def a_checkout(folder: Path) -> Path:
    for name in (*JUDGES, "infra/main.tf"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return folder


def test_an_unpacked_provider_is_found(tmp_path: Path) -> None:
    assert mirror.has_provider(a_mirror(tmp_path))


def test_a_packed_provider_is_found(tmp_path: Path) -> None:
    (tmp_path / mirror.PROVIDER).mkdir(parents=True)
    (tmp_path / mirror.PROVIDER / f"terraform-provider-aws_5.101.2_{KIND}.zip").touch()

    assert mirror.has_provider(tmp_path)


@pytest.mark.parametrize("version", ["4.67.0", "5.99.1", "6.0.0"])
def test_a_version_that_infra_does_not_accept_is_none(tmp_path: Path, version: str) -> None:
    assert not mirror.has_provider(a_mirror(tmp_path, version))


def test_a_mirror_that_the_configuration_names_comes_first(tmp_path: Path) -> None:
    there = a_mirror(tmp_path / "mirror")
    config = tmp_path / "config"
    config.write_text(f'provider_installation {{\n  filesystem_mirror {{\n    path = "{there}"\n  }}\n}}\n')

    assert mirror.find_mirror({"TF_CLI_CONFIG_FILE": str(config)}) == there


def test_a_configuration_that_is_not_there_names_nothing(tmp_path: Path) -> None:
    there = a_mirror(tmp_path / "mirror")
    variables = {"TF_CLI_CONFIG_FILE": str(tmp_path / "none"), "TF_PLUGIN_CACHE_DIR": str(there)}

    assert mirror.find_mirror(variables) == there


def test_any_change_in_infra_is_looked_at(tmp_path: Path) -> None:
    root = a_checkout(tmp_path)
    before = fingerprint(root)
    (root / "infra/main.tf").write_text("# changed")

    assert fingerprint(root) != before
    assert fingerprint(root) == fingerprint(root)


def test_what_terraform_leaves_behind_is_no_change(tmp_path: Path) -> None:
    root = a_checkout(tmp_path)
    before = fingerprint(root)
    (root / "infra/.terraform").mkdir()
    (root / "infra/.terraform/lock").touch()

    assert fingerprint(root) == before


def test_what_was_skipped_is_said_and_does_not_fail(capsys: pytest.CaptureFixture[str]) -> None:
    status = conclude(Report(skipped=["validate: no mirror"]), lambda: None)

    assert (status, capsys.readouterr().out.splitlines()[0]) == (0, "infra: skipped validate: no mirror")


def test_what_failed_is_shown_and_not_remembered(capsys: pytest.CaptureFixture[str]) -> None:
    remembered: list[str] = []

    status = conclude(Report(failed=["checkov:\nCKV_AWS_1"]), lambda: remembered.append("now"))

    assert (status, remembered) == (1, [])
    assert "CKV_AWS_1" in capsys.readouterr().err


def test_a_check_that_says_what_it_must_never_say_has_failed() -> None:
    report = Report()

    report.run("checkov", ["echo", "Passed checks: 3, Parsing errors: 1"], never="Parsing errors")

    assert len(report.failed) == 1
