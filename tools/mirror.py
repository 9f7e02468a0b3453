"""Find a directory on this machine that Terraform can take the AWS provider from.

Must never ask a registry: where there is no mirror, there is none.
"""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

PROVIDER: Final = "registry.terraform.io/hashicorp/aws"
OLDEST, NEWEST = (5, 100), (6, 0)
"""Versions that infra/ accepts: from the first, up to but not including the second."""
USUAL: Final = (
    "~/.terraform.d/plugins",
    "~/.terraform.d/plugin-cache",
    "${XDG_DATA_HOME}/terraform/plugins",
    "~/.local/share/terraform/plugins",
    "/usr/local/share/terraform/plugins",
    "/usr/share/terraform/plugins",
    "/usr/local/share/terraform/providers",
    "/opt/terraform/plugins",
    "/opt/terraform/providers",
    "/opt/tf-plugins",
)
"""Where Terraform looks by itself, and where images for CI tend to put providers."""

_CONFIGURED = re.compile(r'^\s*(?:path|plugin_cache_dir)\s*=\s*"([^"]+)"', re.MULTILINE)
MACHINES: Final = {"x86_64": "amd64", "AMD64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


def find_mirror(variables: Mapping[str, str] = os.environ) -> Path | None:
    """The first directory that holds a provider that will do, for this machine; None when there is none."""
    return next((folder for folder in _candidates(variables) if has_provider(folder)), None)


def has_provider(folder: Path) -> bool:
    """Whether it holds an accepted version for this machine, unpacked or packed."""
    versions = folder / PROVIDER
    kind = f"{platform.system().lower()}_{MACHINES.get(platform.machine(), platform.machine())}"
    unpacked = (path.parent.name for path in versions.glob(f"*/{kind}") if any(path.iterdir()))
    packed = (path.name.split("_")[1] for path in versions.glob(f"terraform-provider-aws_*_{kind}.zip"))
    return any(OLDEST <= _numbers(version) < NEWEST for version in (*unpacked, *packed))


def _candidates(variables: Mapping[str, str]) -> Iterator[Path]:
    named = [variables.get("TF_PLUGIN_MIRROR", ""), *_configured(variables), variables.get("TF_PLUGIN_CACHE_DIR", "")]
    for text in (*named, *USUAL):
        filled = text.replace("${XDG_DATA_HOME}", variables.get("XDG_DATA_HOME", "~/.local/share"))
        if filled:
            yield Path(filled).expanduser().resolve()


def _configured(variables: Mapping[str, str]) -> list[str]:
    """What the CLI configuration names as a filesystem mirror or a cache; an unreadable one names nothing."""
    config = Path(variables.get("TF_CLI_CONFIG_FILE") or "~/.terraformrc").expanduser()
    return _CONFIGURED.findall(config.read_text(encoding="utf-8")) if config.is_file() else []


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())
