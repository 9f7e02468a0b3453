"""AWS refuses for a limit in the middle of a start: it is held, and no image is blamed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from phoenix.core.model import Cause, Outcome
from phoenix.engine.control import resume
from phoenix.engine.report import Report
from phoenix.engine.rollback import abort
from tests.rotation.stage import Stage
from tests.rotation.test_rollback import in_the_bake

REFUSED_FOR_A_LIMIT = [
    ("CreateLaunchTemplateVersion", "VersionLimitExceeded"),
    ("CreateOrUpdateTags", "LimitExceeded"),
    ("UpdateAutoScalingGroup", "LimitExceeded"),
]
WAYS_BACK = [lambda stage: stage.rollback(), lambda stage: abort(stage.group, None)]


@pytest.mark.parametrize("go_back", WAYS_BACK, ids=["rollback", "abort"])
@pytest.mark.parametrize(("operation", "code"), REFUSED_FOR_A_LIMIT)
def test_who_goes_back_before_anything_was_launched_does_not_blame_the_image(
    stage: Stage, operation: str, code: str, go_back: Callable[[Stage], Report]
) -> None:
    stage.limit(operation, code=code)
    held = stage.rotate()
    stage.box.stop_intercepting()

    report = go_back(stage)

    assert (held.outcome, report.outcome) == (Outcome.HELD, Outcome.ROLLED_BACK)
    assert "a limit of AWS is reached" in held.sentence
    assert "phoenix resume --group web" in held.sentence
    assert (stage.rotation.cause, stage.record.quarantine) == (Cause.ENVIRONMENT, ())
    assert "phoenix:quarantine" not in stage.tags("blue") | stage.tags("green")
    assert stage.rotate().outcome is Outcome.SUCCEEDED


def test_once_room_was_made_a_rotation_that_a_limit_has_held_goes_on(stage: Stage) -> None:
    stage.limit("CreateLaunchTemplateVersion", code="VersionLimitExceeded")
    stage.rotate()
    stage.box.stop_intercepting()
    resume(stage.group)

    assert stage.rotate().outcome is Outcome.SUCCEEDED


def test_who_goes_back_from_instances_that_have_run_blames_the_image(stage: Stage) -> None:
    stage.rotate(in_the_bake(stage, stage.rollback))

    assert [entry.cause for entry in stage.record.quarantine] == [Cause.OPERATOR]
