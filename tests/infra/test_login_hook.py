"""The hook in the image that taints its own instance: it tells the truth, and never fails or delays a login."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from phoenix.core.tags import TAINTED
from phoenix.core.taint import read_taint

FILES = Path(__file__).parents[2] / "infra" / "packer" / "files"
HOOK, PROFILE = FILES / "taint-on-login.sh", FILES / "phoenix-taint.sh"
METADATA = """#!/bin/bash
case "$*" in
  *api/token*) printf token ;;
  *instance-id*) printf i-0123456789abcdef0 ;;
  *placement/region*) printf eu-west-1 ;;
esac
"""
CLI = """#!/bin/bash
printf '%s\\n' "$@" >"$(dirname "$0")/asked"
"""


def a_machine(folder: Path, **programs: str) -> dict[str, str]:
    """The environment of a login on it, from an address that must not reach a shell or JSON as it is."""
    for name, text in {"curl": METADATA, "aws": CLI, **programs}.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    return {"PATH": f"{folder}:{os.environ['PATH']}", "SSH_CONNECTION": '203.0.113.9"}] 50022 10.0.0.5 22'}


def log_in(environ: dict[str, str], script: Path = HOOK) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["bash", str(script)], env=environ, capture_output=True, text=True, timeout=20, check=False)


def asked(folder: Path) -> list[str]:
    return (folder / "asked").read_text().splitlines()


def test_a_login_tags_its_own_instance_with_when_who_and_from_where(tmp_path: Path) -> None:
    done = log_in(a_machine(tmp_path))

    words = asked(tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert words[words.index("--resources") + 1] == "i-0123456789abcdef0"
    assert words[words.index("--region") + 1] == "eu-west-1"
    (tag,) = json.loads(words[words.index("--tags") + 1])
    taint = read_taint(tag["Value"])
    assert tag["Key"] == TAINTED
    assert taint.at is not None
    assert taint.by
    assert taint.why.startswith("logged in from 203.0.113.9")


@pytest.mark.parametrize(
    "programs",
    [{"curl": "#!/bin/bash\nexit 7\n"}, {"aws": "#!/bin/bash\necho denied >&2\nexit 254\n"}],
    ids=["no metadata", "no right"],
)
def test_what_goes_wrong_is_neither_said_nor_an_error(tmp_path: Path, programs: dict[str, str]) -> None:
    done = log_in(a_machine(tmp_path, **programs))

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_shell_without_a_person_at_it_taints_nothing(tmp_path: Path) -> None:
    profile = PROFILE.read_text().replace("/usr/local/sbin/phoenix-taint", str(HOOK))
    (tmp_path / "profile.sh").write_text(profile)

    done = log_in(a_machine(tmp_path), tmp_path / "profile.sh")

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not (tmp_path / "asked").exists()


def test_the_right_is_for_this_tag_on_this_instance_alone() -> None:
    (statement,) = json.loads((FILES.parent / "iam" / "taint-own-instance.json").read_text())["Statement"]

    assert statement["Action"] == "ec2:CreateTags"
    assert statement["Condition"]["ForAllValues:StringEquals"] == {"aws:TagKeys": [TAINTED]}
    assert statement["Condition"]["ArnLike"]["ec2:SourceInstanceARN"].endswith("instance/${ec2:InstanceID}")
