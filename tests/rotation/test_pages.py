"""Whole rotations where AWS answers every list in pages of one or two: half a list must never be taken for all."""

from __future__ import annotations

from typing import Any

import pytest

from phoenix.core.model import Outcome
from phoenix.engine.request import RollbackRequest
from phoenix.engine.rollback import rollback
from tests.rotation.conftest import Opener
from tests.rotation.stage import a_policy
from tests.rotation.test_calls import MOST_WRITES, MOST_WRITES_OF_FAILOVER

ALARMS = {"kind": "alarm", "alarms": ["web-5xx", "web-p99"]}


def writes_with(open_stage: Opener, most: int | None, **policy: Any) -> tuple[Outcome, list[str]]:
    """How a rotation ends, and what it writes, when pages have so few elements."""
    stage = open_stage(policy=a_policy(gates=[ALARMS], **policy))
    if most is not None:
        stage.box.small_pages(most)
    stage.mark()
    report = stage.rotate()
    stage.box.mend_calls()
    assert sum(stage.images("green").values()) == 4
    return report.outcome, stage.writes()


@pytest.mark.parametrize("most", [None, 1, 2])
def test_a_rotation_is_the_same_however_short_the_pages_are(open_stage: Opener, most: int | None) -> None:
    outcome, writes = writes_with(open_stage, most)

    assert outcome is Outcome.SUCCEEDED
    assert len(writes) == MOST_WRITES + MOST_WRITES_OF_FAILOVER


def test_launches_that_fail_are_counted_over_all_pages(open_stage: Opener) -> None:
    stage = open_stage(scenario="no-capacity")
    stage.box.small_pages(1)

    report = stage.rotate()

    assert report.outcome is Outcome.ROLLED_BACK
    assert report.record.rotation is not None
    assert "launches in a row failed" in str(report.record.rotation.reason)


def test_a_rollback_moves_every_rule_however_short_the_pages_are(open_stage: Opener) -> None:
    stage = open_stage()
    stage.rotate()
    stage.box.small_pages(1)

    report = rollback(stage.driver("oncall/1"), RollbackRequest(reason="INC-1"))

    assert report.outcome is Outcome.ROLLED_BACK
    assert stage.slot("green")["Instances"] == []
