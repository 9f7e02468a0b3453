"""Situations in which an operator may type `rollback`, and what it then costs: the calls before traffic moves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from phoenix.core.model import Outcome
from phoenix.engine.group import Group
from phoenix.sandbox import Call
from tests.rotation.stage import OLD_NAME, SLOTS, Stage

SHIFTS = {"ModifyListener", "ModifyRule"}
SHIFT, TAG, RESIZE, NONE = "the shift", "CreateOrUpdateTags", "UpdateAutoScalingGroup", "none"


@dataclass(frozen=True, slots=True)
class Cost:
    """Reads before the first write, that write, and how many writes there are before the first that moves traffic."""

    reads: int
    first: str
    writes: int = 0


COSTS = {
    "during the launch, or before it": Cost(3, RESIZE),
    "during a bake of a canary": Cost(4, SHIFT),
    "during the last bake": Cost(4, SHIFT),
    "after the success, while hot": Cost(4, SHIFT),
    "while another driver drives": Cost(4, SHIFT),
    "hot, but the live one has grown since": Cost(3, RESIZE, 1),
    "hot, but some are unhealthy, with `--now`": Cost(4, SHIFT),
    "gone cold": Cost(6, TAG, 7),
    "in the middle of `rolling`": Cost(3, RESIZE, 1),
    "in the middle of `rolling`, with `--now`": Cost(4, SHIFT),
    "without a load balancer": Cost(3, TAG),
    "while reads are throttled, each once": Cost(7, SHIFT),
    "the store deleted, or out of reach": Cost(8, SHIFT),
    "neither store nor policy file": Cost(11, SHIFT),
    "for the second time": Cost(4, NONE),
    "with nothing retained": Cost(4, NONE),
}
"""By situation, as the table in docs/operations.md names it."""


def cost_of(stage: Stage) -> Cost:
    """What the calls since the mark have cost, up to the first that moves traffic."""
    calls = stage.calls()
    written = [index for index, call in enumerate(calls) if call.mutating]
    if not written:
        return Cost(len(calls), NONE)
    first = calls[written[0]].operation
    shift = next((n for n, index in enumerate(written) if moves_traffic(calls[index])), 0)
    return Cost(written[0], SHIFT if moves_traffic(calls[written[0]]) else first, shift)


def moves_traffic(call: Call) -> bool:
    """True where a write gives the first generation a share; one that names it at weight 0, or names it alone once the
    other one is empty, moves nothing."""
    if call.operation not in SHIFTS:
        return False
    actions = call.params.get("Actions") or call.params["DefaultActions"]
    groups = next(each["ForwardConfig"]["TargetGroups"] for each in actions if each["Type"] == "forward")
    return len(groups) > 1 and any(each["Weight"] for each in groups if "-blue/" in each["TargetGroupArn"])


def assert_back_on_the_first(stage: Stage, desired: int = 4) -> None:
    stage.clock.advance(120)
    assert stage.share("blue") == (1.0, 1.0)
    assert stage.images("blue") == {OLD_NAME: desired}
    assert (stage.size("blue"), stage.size("green")) == ((2, 12, desired), (0, 0, 0))
    assert not any("phoenix:capacity" in stage.tags(slot) for slot in SLOTS)


def resting(stage: Stage, words: str = "baking") -> Stage:
    """Driven by ticks until it rests there."""
    stage.tick_until(lambda report: words in report.sentence)
    stage.mark()
    return stage


def rotated(stage: Stage) -> Stage:
    assert stage.rotate().outcome is Outcome.SUCCEEDED
    stage.mark()
    return stage


def word_left(stage: Stage) -> set[bool]:
    """Whether a rollback has left word on the slots for a store that it could not tell."""
    return {"phoenix:hold" in stage.tags(slot) for slot in SLOTS}


def elsewhere(stage: Stage, **places: Any) -> Group:
    """The group as a person at another machine finds it when something is missing."""
    return stage.wiring("there/2", "bob", **places).group_for_rollback(stage.name)
