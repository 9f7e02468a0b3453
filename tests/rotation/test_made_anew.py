"""An Auto Scaling group that was made anew at rest has the old name, and is another group."""

from __future__ import annotations

from phoenix.core.model import Outcome
from tests.rotation import iac
from tests.rotation.costs import rotated
from tests.rotation.stage import NEW_NAME, OLD_NAME, Stage


def test_instances_of_a_group_made_anew_are_not_counted_as_the_retained_generation(stage: Stage) -> None:
    rotated(stage)
    iac.replace_group(stage, "blue", "2")

    ready = stage.look().rollback_ready

    assert not ready.at_once
    assert "web-blue was deleted and made anew" in ready.why
    assert stage.rollback().outcome is Outcome.ROLLED_BACK
    stage.clock.advance(60)
    assert (set(stage.images("blue")), stage.share("blue")) == ({OLD_NAME}, (1.0, 1.0))


def test_a_live_group_made_anew_that_runs_another_image_is_another_generation_and_is_rotated_from(
    stage: Stage,
) -> None:
    rotated(stage)
    iac.replace_group(stage, "green", "1")

    live = stage.look().record.live
    assert live is not None
    assert (live.number, live.image) == (3, iac.image(stage, OLD_NAME))
    assert stage.tick().record.live == stage.look().record.live
    assert stage.rotate().outcome is Outcome.SUCCEEDED
    assert (stage.rotation.old.number, stage.rotation.new.number) == (3, 4)
    assert set(stage.images("blue")) == {NEW_NAME}


def test_a_live_group_made_anew_from_the_generations_own_version_is_that_generation(stage: Stage) -> None:
    rotated(stage)
    iac.replace_group(stage, "green", "2")

    live = stage.look().record.live
    assert live is not None
    assert live.number == 2
