"""Lifecycle hooks, on the way in and on the way out. "Guide" is docs.aws.amazon.com/autoscaling/ec2/userguide/
lifecycle-hooks-overview.html, "model" is botocore 1.44.5."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.conftest import Ground, refusal
from tests.sandbox.plain import BLUE, DRAIN, LAUNCHING, TERMINATING, answer, hook, newcomer, reserve, state, terminate

# --- launch hooks -----------------------------------------------------------------------------------------------------


def test_an_instance_that_waits_counts_and_is_not_registered(ground: Ground) -> None:
    """Guide, steps 2 and 3: it is registered after the hook, before it is in service."""
    hook(ground, LAUNCHING)

    waiting = newcomer(ground)
    ground.clock.advance(600)

    assert state(ground, waiting) == "Pending:Wait"
    assert ground.health("web-blue") == {("healthy", None): 4}
    assert len(ground.ids("web-blue")) == ground.group("web-blue")["DesiredCapacity"] == 5


def test_every_hook_has_to_be_answered(ground: Ground) -> None:
    for name in ("phoenix-a", "phoenix-b"):
        hook(ground, LAUNCHING, name)
    waiting = newcomer(ground)

    answer(ground, waiting, name="phoenix-a")
    ground.clock.advance(60)
    between = state(ground, waiting)
    answer(ground, waiting, name="phoenix-b")
    at_once = state(ground, waiting)
    ground.clock.advance(1)

    assert (between, at_once, state(ground, waiting)) == ("Pending:Wait", "Pending:Proceed", "InService")


def test_one_that_is_abandoned_is_terminated_and_replaced(ground: Ground) -> None:
    """Model, DefaultResult; docs.aws.amazon.com/autoscaling/ec2/userguide/lifecycle-hooks.html: "ABANDON … terminates
    and replaces"."""
    hook(ground, LAUNCHING, HeartbeatTimeout=60, DefaultResult="ABANDON")
    waiting = newcomer(ground)

    ground.clock.advance(59)
    ended = state(ground, waiting)
    ground.clock.advance(40)

    assert (ended, state(ground, waiting), ground.lifecycles("web-blue")["InService"]) == ("Terminating", "gone", 4)
    assert ground.lifecycles("web-blue").keys() & {"Pending", "Pending:Wait"}


def test_one_that_dies_while_it_waits_is_replaced(ground: Ground) -> None:
    hook(ground, LAUNCHING)
    waiting = newcomer(ground)

    ground.sandbox.kill_instance(waiting)
    ground.clock.advance(120)

    assert state(ground, waiting) == "gone"
    assert ground.lifecycles("web-blue")["Pending:Wait"] == 1


@pytest.mark.parametrize("wrong", [{"HeartbeatTimeout": 29}, {"HeartbeatTimeout": 7201}, {"DefaultResult": "RETRY"}])
def test_a_hook_has_a_heartbeat_of_half_a_minute_to_two_hours(ground: Ground, wrong: dict[str, Any]) -> None:
    """Model: "The range is from 30 to 7200 seconds". The words are reasoned."""
    assert refusal(hook, ground=ground, transition=LAUNCHING, **wrong)[0] == "ValidationError"


# --- termination hooks ------------------------------------------------------------------------------------------------


def test_a_leaving_instance_drains_then_waits_for_its_hook_then_ends(ground: Ground) -> None:
    """Guide, steps 4 to 6."""
    hook(ground, TERMINATING)
    victim = ground.ids("web-blue")[0]
    terminate(ground, victim)

    draining = state(ground, victim)
    ground.clock.advance(DRAIN)
    waiting, activity = state(ground, victim), ground.activities("web-blue")[1]
    answer(ground, victim)
    ending = state(ground, victim)
    ground.clock.advance(20)

    assert [draining, waiting, ending, state(ground, victim)] == [
        "Terminating",
        "Terminating:Wait",
        "Terminating:Proceed",
        "gone",
    ]
    assert activity["StatusCode"] == "MidLifecycleAction"


def test_a_standby_instance_runs_its_termination_hook_when_it_is_terminated(ground: Ground) -> None:
    """keikoproj/upgrade-manager#45: "Lifecycle hooks triggered on "Old" instance"."""
    hook(ground, TERMINATING)
    (victim,) = reserve(ground, 1)

    terminate(ground, victim)
    ground.clock.advance(1)

    assert state(ground, victim) == "Terminating:Wait"


@pytest.mark.parametrize("default", ["CONTINUE", "ABANDON"])
def test_whatever_a_termination_hook_ends_with_the_instance_goes(ground: Ground, default: str) -> None:
    """docs.aws.amazon.com/autoscaling/ec2/userguide/lifecycle-hooks.html: "both abandon and continue allow the instance
    to terminate"."""
    hook(ground, TERMINATING, HeartbeatTimeout=45, DefaultResult=default)
    victim = ground.ids("web-blue")[0]

    terminate(ground, victim)
    ground.clock.advance(DRAIN + 45 + 20)

    assert state(ground, victim) == "gone"


def test_abandoning_one_termination_hook_ends_the_others_with_it(ground: Ground) -> None:
    """The same page: "abandon stops any remaining actions, such as other lifecycle hooks"."""
    for name in ("phoenix-a", "phoenix-b"):
        hook(ground, TERMINATING, name)
    victim = ground.ids("web-blue")[0]
    terminate(ground, victim)
    ground.clock.advance(DRAIN)

    answer(ground, victim, "ABANDON", name="phoenix-a")

    assert state(ground, victim) == "Terminating:Proceed"


def test_an_abandoned_instance_is_kept_where_the_lifecycle_policy_says_so(ground: Ground) -> None:
    """Model: InstanceLifecyclePolicy, TerminateHookAbandon."""
    hook(ground, TERMINATING)
    ground.update("web-blue", InstanceLifecyclePolicy={"RetentionTriggers": {"TerminateHookAbandon": "retain"}})
    victim = ground.ids("web-blue")[0]
    terminate(ground, victim)
    ground.clock.advance(DRAIN)

    answer(ground, victim, "ABANDON")
    ground.clock.advance(600)

    assert state(ground, victim) == "Terminating:Retained"


def test_deleting_a_hook_completes_what_waits_for_it(ground: Ground) -> None:
    """Model: "ABANDON for launching instances, CONTINUE for terminating instances"."""
    hook(ground, TERMINATING)
    victim = ground.ids("web-blue")[0]
    terminate(ground, victim)
    ground.clock.advance(DRAIN)

    ground.autoscaling.delete_lifecycle_hook(**BLUE, LifecycleHookName="phoenix-hold")

    assert state(ground, victim) == "Terminating:Proceed"
    code, words = refusal(answer, ground=ground, instance=victim)
    assert (code, words) == ("ValidationError", f"No active Lifecycle Action found with instance ID {victim}")
