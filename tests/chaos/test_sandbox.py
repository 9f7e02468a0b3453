"""A fixed sample of the second level: the real engine and the real adapters on the sandbox."""

from __future__ import annotations

import pytest

from tests.chaos import specs
from tests.chaos.invariants import Violated

KINDS = ["blue_green-good", "blue_green-bad", "canary-good", "canary-bad", "rolling-good", "rolling-bad"]


def survives(name: str) -> None:
    """Play it, or say what to type."""
    try:
        specs.play(name)
    except Violated as violated:
        pytest.fail(f"make chaos SEED={name}    # {violated}", pytrace=False)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("call", ["72", "95,141"])
def test_a_driver_may_die_before_or_after_a_call(kind: str, call: str) -> None:
    survives(f"sandbox:{kind}:{call}")


@pytest.mark.parametrize("seed", [*range(12), 14800])
def test_aws_may_throttle_fail_forget_and_lie(seed: int) -> None:
    survives(f"sandbox:{seed}")


@pytest.mark.parametrize("strategy", ["blue_green", "rolling"])
@pytest.mark.parametrize("call", [90, 130, 170])
def test_the_image_may_be_deregistered_in_the_middle(strategy: str, call: int) -> None:
    survives(f"sandbox:{strategy}-gone:{call}")
