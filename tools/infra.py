"""Hold infra/ to what can be known without an account: form, validity, checkov's rules, shell that means what it says,
and what modules' own tests say on a mocked provider.

Must never download a provider, a policy or a module: what is not on this machine is skipped, with one line that says
so. Must never write into infra/: Terraform works on a copy.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tools.mirror import find_mirror

INFRA: Final = Path("infra")
MODULES: Final = ("controller", "group")
BUILD: Final = Path("build/infra")
STAMP: Final = BUILD / "checked"
BIN: Final = Path(".venv-infra/bin")
JUDGES: Final = ("tools/infra.py", "tools/mirror.py", "requirements/infra.txt")
"""What the verdict depends on besides infra/ itself."""


@dataclass(slots=True)
class Report:
    """What was found, and what could not be looked at: the latter is said, and does not fail."""

    failed: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    def run(self, what: str, command: Sequence[str | Path], *, never: str = "") -> None:
        """Run a check; what it says is shown only if it fails, which it also does by saying `never`."""
        answer = subprocess.run(command, env=surroundings(), capture_output=True, text=True, check=False)
        if answer.returncode != 0 or (never and never in answer.stdout):
            self.failed.append(f"{what}:\n{answer.stdout}{answer.stderr}".rstrip())


def main(arguments: Sequence[str] = ()) -> int:
    """Check what has changed since the last time, or all with `--again`; return the exit status."""
    now = fingerprint(Path())
    if "--again" not in arguments and STAMP.is_file() and STAMP.read_text() == now:
        print("infra: unchanged since it was last checked")
        return 0
    report = Report()
    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(check, report) for check in (_terraform, _checkov, _shell)]:
            done.result()
    return conclude(report, lambda: _remember(now))


def conclude(report: Report, remember: Callable[[], object]) -> int:
    """Print what there is to say; only what passed as a whole is remembered."""
    for reason in report.skipped:
        print(f"infra: skipped {reason}")
    if report.failed:
        print("\n\n".join(report.failed), file=sys.stderr)
        return 1
    remember()
    print("infra: nothing to object to")
    return 0


def fingerprint(root: Path) -> str:
    """The same as long as no file that matters has changed, and the same things are there to look with."""
    digest = hashlib.sha256(f"{find_mirror()} {shutil.which('terraform')}".encode())
    for path in _looked_at(root):
        digest.update(f"\0{path.relative_to(root)}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _looked_at(root: Path) -> Iterator[Path]:
    yield from sorted(path for path in (root / INFRA).rglob("*") if path.is_file() and ".terraform" not in path.parts)
    yield from (root / name for name in JUDGES)


def _checkov(report: Report) -> None:
    # Of a file that it cannot read it says so, finds nothing in it, and ends well.
    report.run("checkov", [BIN / "checkov", "--config-file", INFRA / "checkov.yaml"], never="Parsing errors")


def _shell(report: Report) -> None:
    scripts = sorted(INFRA.rglob("*.sh"))
    report.run("shellcheck", [BIN / "shellcheck", "--enable=all", "--severity=style", ".ci/run", *scripts])


def _terraform(report: Report) -> None:
    terraform = shutil.which("terraform")
    if terraform is None:
        report.skipped.append("fmt, validate and test: there is no terraform here")
        return
    report.run("terraform fmt", [terraform, "fmt", "-check", "-diff", "-recursive", INFRA])
    mirror = find_mirror()
    if mirror is None:
        report.skipped.append("validate and test: no mirror here has the AWS provider; TF_PLUGIN_MIRROR may name one")
        return
    copy = copied()
    for name in MODULES:
        module = f"-chdir={copy / 'terraform' / name}"
        report.run(f"terraform init {name}", [terraform, module, *initial(mirror)])
        report.run(f"terraform validate {name}", [terraform, module, "validate", "-no-color"])
        if (copy / "terraform" / name / "tests").is_dir():
            report.run(f"terraform test {name}", [terraform, module, "test", "-no-color"])


def initial(mirror: Path) -> tuple[str, ...]:
    """Terraform's arguments for an `init` that takes providers from the mirror only."""
    return ("init", "-backend=false", "-input=false", "-no-color", f"-plugin-dir={mirror}")


def copied(target: Path = BUILD / "copy") -> Path:
    """A copy of infra/ to work on, made anew."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(INFRA, target, ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*"))
    return target


def surroundings() -> dict[str, str]:
    """The environment without what would send Terraform elsewhere, or on to an account."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("TF_", "AWS_"))}
    return kept | {"TF_CLI_CONFIG_FILE": os.devnull, "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"}


def _remember(now: str) -> None:
    STAMP.parent.mkdir(parents=True, exist_ok=True)
    STAMP.write_text(now)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
