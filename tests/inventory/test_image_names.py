from __future__ import annotations

import pytest

from phoenix.inventory.image_names import NameShape, fits

PATTERNS = {
    "api-2026.11.11-41aa07": "api-*",
    "api-2026-11-11": "api-*",
    "api-20261111T021433Z": "api-*",
    "api_v12": "api_*",
    "api-1.10.3-rc1": "api-*-rc1",
    "web-2-2026.11.18-9f2c1e": "web-2-*",
    "golden-api-7f3c9d2e41-x86_64": "golden-api-*-x86_64",
    "al2023-ami-2023.5.20241001.1-kernel-6.1-x86_64": "al2023-ami-*-kernel-*-x86_64",
    "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-20241004":
        "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-*-amd64-server-*",
}  # fmt: skip


@pytest.mark.parametrize(("name", "pattern"), PATTERNS.items())
def test_a_pattern_keeps_what_every_build_has(name: str, pattern: str) -> None:
    assert NameShape(name).pattern == pattern
    assert fits(pattern, name)
    assert fits(NameShape(name).narrow_pattern, name)


def test_a_name_without_date_version_or_digest_does_not_change() -> None:
    assert not NameShape("golden-api").changes


def test_the_next_build_is_like_this_one() -> None:
    assert NameShape("api-2026.11.11-41aa07").is_like("api-2026.11.18-9f2c1e")


@pytest.mark.parametrize("name", ["api-gateway-2026.11.18-9f2c1e", "api-2026.11.18-canary", "api-2026.11.18"])
def test_an_image_of_another_service_is_not_like_this_one(name: str) -> None:
    assert not NameShape("api-2026.11.11-41aa07").is_like(name)


def test_a_narrow_pattern_does_not_fit_a_longer_name() -> None:
    pattern = NameShape("api-2026.11.11-41aa07").narrow_pattern

    assert pattern == "api-????.??.??-??????"
    assert not fits(pattern, "api-gateway-2026.11.18-9f2c1e")
