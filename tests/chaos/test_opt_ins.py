"""A rotation with rules of its own, killed at every moment: no rule is left behind, and none is missing on the way."""

from __future__ import annotations

import pytest

from phoenix.core.opt_in import OptIn, OptInKind
from tests.chaos.cases import Case
from tests.chaos.runs import calm, end_state, with_deaths, with_operator

ASKED = (OptIn(OptInKind.HEADER, "X-Canary", ("always",)),)
CASE = Case("canary", opt_ins=ASKED)


def test_a_driver_may_die_at_any_moment() -> None:
    undisturbed = calm(CASE)

    for moment in range(1, len(undisturbed.fate.passed) + 1):
        run = with_deaths(CASE, (moment,))
        assert (run.model.opt_ins, end_state(run)) == ((), end_state(undisturbed)), f"killed at moment {moment}"


@pytest.mark.parametrize("command", ["rollback", "rollback_now", "abort", "promote_full"])
def test_an_operator_may_go_back_or_on_after_any_tick(command: str) -> None:
    for tick in range(1, 60, 6):
        assert with_operator(CASE, command, tick).model.opt_ins == ()
