"""Build dist/phoenix-lambda.zip: phoenix, its locked dependencies for Lambda, and the policies if any are named.

Must never hold what depends on who builds, when or where: no bytecode, no scripts, no times, files in one order. Must
never hold what no function needs: the sandbox, the command line, AWS's descriptions of services that are never called.

boto3 and botocore go along although Lambda's Python has them: those change without a deployment, and phoenix is tested
with the locked ones. Most of them is those descriptions, so what is left is small.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import time
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

LOCK: Final = Path("requirements/lambda.txt")
TREE: Final = Path("build/package")
TARGET: Final = Path("dist/phoenix-lambda.zip")
PYTHON: Final = "3.13"
MACHINES: Final = {"x86_64": "x86_64", "arm64": "aarch64"}
"""Lambda's names, and those of Python's packages."""
GLIBC: Final = ("manylinux_2_34", "manylinux_2_28", "manylinux_2_17", "manylinux2014")
"""What runs on Amazon Linux 2023, the best first."""
SERVICES: Final = frozenset(
    {
        *("autoscaling", "cloudtrail", "cloudwatch", "dynamodb", "ec2", "ecs", "elb", "elbv2", "events", "iam"),
        *("lambda", "route53", "s3", "servicediscovery"),
        *("service-quotas", "sns", "sqs", "ssm", "sts", "vpc-lattice"),
    }
)
"""What phoenix calls."""
NOT_IN_LAMBDA: Final = (
    "bin/",
    "boto3/data/",
    "boto3/examples/",
    "phoenix/__main__.py",
    "phoenix/cli/",
    "phoenix/sandbox/",
)
KEPT_METADATA: Final = ("METADATA", "entry_points.txt")
"""Libraries look for their own version and plugins there; the rest is about the installation."""
EARLIEST: Final = 315_532_800
"""1980-01-01, the first moment that a zip can tell."""
MOST_BYTES: Final = 50 * 1024 * 1024
"""What Lambda takes without going through S3."""


def main(arguments: Sequence[str]) -> int:
    """Build, try, and say how large it is; return the exit status."""
    chosen = _parse(arguments)
    _gather(chosen.architecture, chosen.policies)
    _try(TREE, chosen.architecture)
    TARGET.parent.mkdir(exist_ok=True)
    write_zip(TREE, TARGET, int(os.environ.get("SOURCE_DATE_EPOCH", EARLIEST)))
    print("\n".join(_told(TARGET, TREE, chosen)))
    if TARGET.stat().st_size > MOST_BYTES:
        print("package: larger than Lambda accepts without S3", file=sys.stderr)
        return 1
    return 0


def write_zip(tree: Path, target: Path, moment: int) -> None:
    """Pack everything under `tree`, the same bytes for the same files; all are from `moment`, in seconds since 1970."""
    when = time.gmtime(max(moment, EARLIEST))[:6]
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        for path in sorted(_files(tree), key=lambda path: path.relative_to(tree).as_posix()):
            entry = zipfile.ZipInfo(path.relative_to(tree).as_posix(), when)
            entry.create_system = 3  # Unix, wherever it is built
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            packed.writestr(entry, path.read_bytes())


def belongs(name: str) -> bool:
    """Whether a file goes into the package, by its path in the tree."""
    if name.startswith("botocore/data/"):
        parts = name.split("/")
        return len(parts) == 3 or parts[2] in SERVICES
    folder, _, rest = name.partition("/")
    if folder.endswith(".dist-info"):
        return rest in KEPT_METADATA
    odd = "__pycache__" in name or name.endswith((".pyi", ".pyx", ".pxd", "ruff.toml"))
    return not odd and not name.startswith(NOT_IN_LAMBDA)


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make package")
    parser.add_argument("--architecture", choices=sorted(MACHINES), default="x86_64")
    parser.add_argument("--policies", type=Path, help="directory that becomes `policies` in the package")
    return parser.parse_args(arguments)


def _gather(architecture: str, policies: Path | None) -> None:
    shutil.rmtree(TREE, ignore_errors=True)
    platforms = [f"--platform={glibc}_{MACHINES[architecture]}" for glibc in GLIBC]
    fixed = ("--only-binary=:all:", "--implementation=cp", f"--python-version={PYTHON}", "--no-compile")
    hashed = ("--no-deps", "--require-hashes", "--requirement", str(LOCK))
    pip = (sys.executable, "-m", "pip", "-qq", "--disable-pip-version-check", "install")
    subprocess.run([*pip, "--target", str(TREE), *platforms, *fixed, *hashed], check=True)
    for path in list(_files(Path("phoenix"))):
        place = TREE / path
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, place)
    if policies is not None:
        shutil.copytree(policies, TREE / "policies")
    for path in list(_files(TREE)):
        if not belongs(path.relative_to(TREE).as_posix()):
            path.unlink()


def _try(tree: Path, architecture: str) -> None:
    """Import what Lambda imports, where this machine can: extensions are for one Python and one kind of processor."""
    python = shutil.which(f"python{PYTHON}")
    fits = sys.platform == "linux" and os.uname().machine == MACHINES[architecture]
    lacking = python is None or subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode != 0
    if python is None or lacking or not fits:
        print(f"package: not tried, which takes Python {PYTHON} on Linux, {architecture}")
        return
    code = (
        f"import sys; sys.path.insert(0, {str(tree.resolve())!r}); import phoenix.handler as it; it.sweep; it.advance"
    )
    subprocess.run([python, "-I", "-B", "-c", code], check=True)


def _told(target: Path, tree: Path, chosen: argparse.Namespace) -> Iterator[str]:
    sizes: Counter[str] = Counter()
    for path in _files(tree):
        sizes[path.relative_to(tree).parts[0]] += path.stat().st_size
    largest = ", ".join(f"{name} {_megabytes(size)}" for name, size in sizes.most_common(5))
    yield f"{target}  {_megabytes(target.stat().st_size)}, unpacked {_megabytes(sizes.total())}: {largest}, …"
    yield f"sha256  {hashlib.sha256(target.read_bytes()).hexdigest()}"
    yield f"for     python{PYTHON}, {chosen.architecture}; policies: {chosen.policies or 'none, name an s3:// address'}"


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:.1f} MB"


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
