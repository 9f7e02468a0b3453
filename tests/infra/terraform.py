"""Terraform against a sandbox: what a test needs to apply a module and ask for a plan.

Must never leave a process behind: Terraform starts its provider as another one, so both are ended together.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.infra import initial, surroundings
from tools.mirror import find_mirror

PATIENCE_S = 240
"""The provider looks at a new load balancer every thirty real seconds, and does so twice."""
PROVIDER = """
provider "aws" {
  skip_credentials_validation = true
  skip_metadata_api_check     = true
}
"""


def missing() -> str:
    """Why Terraform cannot be run here; empty when it can."""
    if shutil.which("terraform") is None:
        return "there is no terraform here"
    return "" if find_mirror() else "no mirror on this machine has the AWS provider"


@dataclass(frozen=True, slots=True)
class Module:
    """A copy of a module, and the AWS that it is for."""

    folder: Path
    environment: Mapping[str, str]

    @classmethod
    def copied(cls, source: Path, folder: Path, environment: Mapping[str, str]) -> Module:
        shutil.copytree(source, folder)
        (folder / "provider.tf").write_text(PROVIDER, encoding="utf-8")
        module = cls(folder, environment)
        mirror = find_mirror()
        assert mirror is not None
        module.run(*initial(mirror))
        return module

    def apply(self, variables: Mapping[str, Any]) -> None:
        (self.folder / "test.auto.tfvars.json").write_text(json.dumps(variables), encoding="utf-8")
        self.run("apply", "-auto-approve", "-input=false", "-no-color")

    def changes(self) -> str:
        """What a plan would change; empty when it would change nothing."""
        status, said = self._end("plan", "-detailed-exitcode", "-input=false", "-no-color")
        assert status in (0, 2), said
        return said if status else ""

    def outputs(self) -> Mapping[str, Any]:
        found = json.loads(self.run("output", "-json"))
        return {name: each["value"] for name, each in found.items()}

    def run(self, *arguments: str) -> str:
        status, said = self._end(*arguments)
        assert status == 0, said
        return said

    def _end(self, *arguments: str) -> tuple[int, str]:
        with subprocess.Popen(
            ("terraform", f"-chdir={self.folder}", *arguments),
            env=surroundings() | dict(self.environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        ) as program:
            try:
                said, _ = program.communicate(timeout=PATIENCE_S)
            finally:
                if program.poll() is None:
                    os.killpg(program.pid, signal.SIGKILL)
        return program.returncode, said
