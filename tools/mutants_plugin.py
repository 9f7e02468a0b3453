"""A pytest plugin for mutmut's runs: a package's own tests, the likeliest first, each with a budget, and no dice.

What core decides has to be noticed by the tests of core; those of the engine reach all of it, and would take a quarter
of a minute for each mutant that survives. Must never leave out a test of the mutated package, and must never take a
busy machine for a mutant that was noticed: the budget is the processor's time, not the clock's.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, Phase, settings

BUDGET_SECONDS = 10.0
"""Four times what the slowest of these tests takes."""


def pytest_configure() -> None:
    """Use the same examples in every run, without a search for the smallest that fails."""
    once = (Phase.explicit, Phase.generate)
    settings.register_profile(
        "mutants", deadline=None, derandomize=True, database=None, phases=once, suppress_health_check=list(HealthCheck)
    )
    settings.load_profile("mutants")
    signal.signal(signal.SIGPROF, give_up)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """`phoenix.core.rest.x_rest__mutmut_7` is under test: tests/core/test_rest.py goes first, then its folder; others
    only where nothing in that folder reaches the function."""
    _, _, mutant = os.environ.get("MUTANT_UNDER_TEST", "").partition("phoenix.")
    package, _, module = mutant.rpartition(".")[0].rpartition(".")

    own = [item for item in items if item.path.match(f"tests/{package.replace('.', '/')}/*")]
    items[:] = sorted(own or items, key=lambda item: not item.path.stem.startswith(f"test_{module}"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, None, None]:
    """A test that has used up its budget has noticed something: it fails."""
    if os.environ.get("MUTANT_UNDER_TEST") != "stats":  # then every call is written down, which takes much longer
        signal.setitimer(signal.ITIMER_PROF, BUDGET_SECONDS)
    try:
        return (yield)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def give_up(*_: object) -> None:
    """End the test that runs."""
    pytest.fail(f"no end after {BUDGET_SECONDS:g} s", pytrace=False)
