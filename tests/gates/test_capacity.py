"""The two gates that only count: they ask neither AWS nor a service."""

from __future__ import annotations

from typing import Any

import pytest

from phoenix.core.model import Judgement, Slot
from phoenix.gates import KINDS
from tests.account import Account
from tests.builders import a_rotation, a_slot, an_observation

GREEN = Slot.GREEN


@pytest.fixture(params=["target_health", "in_service"])
def gate(request: pytest.FixtureRequest, account: Account) -> Any:
    made: Any = KINDS[request.param]
    return account.make(made, made.settings())


def test_too_few_are_waited_for(gate: Any) -> None:
    seen = an_observation(green=a_slot(GREEN, healthy=3, version="2"))

    assert gate.check(a_rotation(), seen).judgement is Judgement.WAIT


def test_enough_pass_without_a_single_call(account: Account, gate: Any) -> None:
    seen = an_observation(green=a_slot(GREEN, healthy=4, version="2"))

    assert gate.check(a_rotation(ready_since=seen.at), seen).judgement is Judgement.PASS
    assert account.operations() == []
