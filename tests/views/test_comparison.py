"""The live generation beside the next, by the tags of their images."""

from __future__ import annotations

from dataclasses import replace

import pytest

from phoenix.core.image import Candidate
from phoenix.engine.report import Plan
from phoenix.views import comparison, json, json_plan
from tests.views.builders import a_plan

SECRET = "hunter2"


def built_by(address: str) -> Plan:
    """A plan whose next image says that it was built there."""
    plan = a_plan()
    following, *others = plan.candidates
    tags = {**following.image.tags, "built_by": address}
    return replace(plan, candidates=(Candidate(replace(following.image, tags=tags)), *others))


@pytest.mark.parametrize("address", [f"https://ci:{SECRET}@ci.example.com/812", f"https://{SECRET}@ci.example.com/812"])
def test_a_password_in_the_address_of_a_build_is_not_shown(address: str) -> None:
    plan = built_by(address)

    printed = "\n".join(comparison.generations(plan, 200)) + json.dump(json_plan.plan(plan))

    assert SECRET not in printed
    assert "https://...@ci.example.com/812" in printed


def test_an_image_without_tags_is_of_unknown_origin_and_null_in_json() -> None:
    plan = built_by("")

    assert "unknown" in "\n".join(comparison.generations(plan))
    following = json_plan.plan(plan)["images"]["next"]
    assert following is not None
    assert following["built_by"] is None
