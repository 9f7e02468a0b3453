"""Which checks have passed: those that were made, and found nothing."""

from __future__ import annotations

from phoenix.core.blocker import Blocker, passed

CHECKS = ("instance-refresh", "warm-pool", "vcpu-quota", "zonal-shift")


def test_a_check_that_found_something_has_not_passed_not_even_with_a_warning() -> None:
    found = [Blocker("warm-pool", "web-blue", "It has one."), Blocker("zonal-shift", "web", "One.", warning=True)]

    assert passed(CHECKS, found) == ("instance-refresh", "vcpu-quota")


def test_a_check_that_was_not_made_has_not_passed() -> None:
    denied = Blocker("not-checked", "vCPU quota", "Denied.", warning=True, unchecked=("vcpu-quota",))

    assert passed(CHECKS, [denied]) == ("instance-refresh", "warm-pool", "zonal-shift")


def test_a_check_that_two_adapters_make_counts_once() -> None:
    assert passed(("warm-pool", "warm-pool"), []) == ("warm-pool",)
