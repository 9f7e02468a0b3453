"""Has the candidate failed, and why? Pure. The cause decides what happens to the image afterwards."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from phoenix.core.clocks import SAME_LOOKS
from phoenix.core.explain import ago, counted
from phoenix.core.launch_failure import LaunchFailure
from phoenix.core.model import Cause, Judgement, Observation, SlotState, Verdict
from phoenix.core.ready import candidate_goal, is_enough, why_not_ready
from phoenix.core.rotation import Rotation
from phoenix.core.sides import Side, Sides, sides_of

TOLERATED_LAUNCH_FAILURES = 3
"""Failed launches without progress after which capacity, quota or addresses are taken to be gone for good."""
SAME_FOR = timedelta(minutes=5)
ANSWERED = re.compile(r", \d{3}\b")
"""In the reason of an instance: the status of an answer. Its application runs, and answers wrong."""
"""The least time for which all instances have to give the same reason: the grace period that the console gives a group
(https://docs.aws.amazon.com/autoscaling/ec2/userguide/health-check-grace-period.html). A longer one of the owner's
holds."""
KNOWN_EVERYWHERE = timedelta(minutes=5)
"""After the start EC2 may deny for this long that an image, or a template version, exists although it does."""


@dataclass(frozen=True, slots=True)
class Failure:
    """The reason why the candidate cannot go on, in words for the operator, and its kind."""

    reason: str
    cause: Cause


def find_failure(rotation: Rotation, seen: Observation) -> Failure | None:
    """The most telling failure; None while there is hope. Nothing fails any more once only the clean-up is left, and
    while it is paused no time runs out."""
    if rotation.clocks.closing_since is not None:
        return None
    sides = sides_of(rotation, seen)
    failure = _failed_gate(seen.verdicts, has_run=rotation.has_run) or _other_image(sides.new)
    if failure is not None or rotation.paused is not None:
        return failure
    return (
        _failed_launch(rotation, seen.failures)
        or _says_the_same(rotation, sides, seen.at)
        or _launch_overdue(rotation, sides, seen)
        or _rotation_overdue(rotation, seen.at)
    )


def _failed_gate(verdicts: Sequence[Verdict], *, has_run: bool) -> Failure | None:
    verdict = next((v for v in verdicts if v.judgement is Judgement.FAIL), None)
    if verdict is None:
        return None
    # Whatever a gate measures before there is an instance of it, that image has not made it so.
    cause = verdict.cause if has_run else Cause.ENVIRONMENT
    return Failure(f"{verdict.gate}: {verdict.reason}", cause)


def _other_image(side: Side) -> Failure | None:
    """Instances of the right template version that run another image: it is not the one that was chosen, whatever the
    gates say of it, and gets no traffic under its name."""
    new, state = side.generation, side.state
    others = [i for i in side.own if not i.leaving and new.is_foreign(i)]
    if not others:
        return None
    return Failure(
        f"{counted(len(others), 'instance')} of {state.auto_scaling_group} ({others[0].id}) "
        f"{'runs' if len(others) == 1 else 'run'} {others[0].image}, not {new.image}, though launched from version "
        f"{new.template_version}: an override, or an alias in the template, names another image",
        Cause.ENVIRONMENT,
    )


def _failed_launch(rotation: Rotation, failures: Sequence[LaunchFailure]) -> Failure | None:
    """Permanent reasons end the wait at once, the others after several failures in a row without progress."""
    if rotation.clocks.proved_at is not None or rotation.growth.since is None:
        return None
    since = rotation.growth.progress_at or rotation.growth.since
    # Auto Scaling launches again by itself: an image that is only new is found then, one that is gone is not.
    known_at = rotation.started_at + KNOWN_EVERYWHERE
    recent = [f for f in failures if f.at >= since and not (f.absent and f.at < known_at)]
    permanent = next((f for f in recent if f.permanent), None)
    if permanent is not None:
        return Failure(f"the launch failed: {permanent.words}", _cause_of([permanent]))
    if len(recent) >= TOLERATED_LAUNCH_FAILURES:
        why = recent[0].words if recent[0].known else f"AWS's reason is not known to phoenix: {recent[0].words}"
        return Failure(f"{len(recent)} launches in a row failed: {why}", _cause_of(recent))
    return None


def _cause_of(failures: Sequence[LaunchFailure]) -> Cause:
    """The image's fault only where each of them is: one that lacks capacity as well may lack nothing else."""
    return Cause.IMAGE if all(failure.blames_image for failure in failures) else Cause.ENVIRONMENT


def _says_the_same(rotation: Rotation, sides: Sides, at: datetime) -> Failure | None:
    """All instances have said the same for so long that the rest of the launch's time-out would change nothing. One
    that is healthy, that is still registering, or that says something else begins it anew."""
    growth, ends_at = rotation.growth, said_until(rotation, sides.new.state)
    if rotation.clocks.proved_at is not None or growth.said_since is None or growth.said_looks < SAME_LOOKS:
        return None
    if ends_at is None or at < ends_at:
        return None
    lasted = at - growth.said_since
    goal, count = candidate_goal(rotation), sum(i.in_service for i in sides.new.own)
    told = f"{count}x {growth.said}, the same at every look for {ago(lasted)}"
    return Failure(f"0 of {goal} became healthy: {told}", Cause.IMAGE)


def said_until(rotation: Rotation, candidate: SlotState) -> datetime | None:
    """Until when all instances may go on giving the same reason; None where they give no single one, and where they do
    not answer at all: an application that boots for long is silent, and the launch's time-out is the owner's word on
    that."""
    since, said = rotation.growth.said_since, rotation.growth.said
    if since is None or ANSWERED.search(said) is None:
        return None
    return since + max(SAME_FOR, candidate.health_grace)


def _launch_overdue(rotation: Rotation, sides: Sides, seen: Observation) -> Failure | None:
    """Instances that run and are not healthy blame the image; instances that never came blame the environment."""
    if rotation.clocks.proved_at is not None or rotation.growth.since is None or is_enough(rotation, sides):
        return None
    timeout = rotation.terms.launch_timeout
    if seen.at - rotation.growth.since < timeout:
        return None
    goal = candidate_goal(rotation)
    running = [i for i in sides.new.own if i.in_service]
    ready = sides.new.ready_count
    if len(running) > ready:
        return Failure(
            f"{ready} of {goal} became healthy within {ago(timeout)}; {len(running) - ready} run and are not healthy"
            f"{why_not_ready(sides.new, rotation.growth, rotation.terms.serving.health)}",
            Cause.IMAGE,
        )
    ran = rotation.candidate.in_service_high
    if ran >= goal > ready and not seen.failures:
        # All of them ran: Auto Scaling ends what its health check condemns, and between two looks none may be there.
        return Failure(
            f"{ready} of {goal} became healthy within {ago(timeout)}; {ran} have run, and were ended as unhealthy",
            Cause.IMAGE,
        )
    last = f"; last failure: {seen.failures[0].words}" if seen.failures else ""
    return Failure(f"{len(running)} of {goal} were launched within {ago(timeout)}{last}", Cause.ENVIRONMENT)


def _rotation_overdue(rotation: Rotation, at: datetime) -> Failure | None:
    """The deadline always exists; a bake that waits for a person does not count against it."""
    manual = (
        rotation.clocks.baking_since is not None and rotation.current.bake is None and rotation.clocks.promoted is None
    )
    if manual or at < rotation.deadline:
        return None
    waiting = rotation.waiting_for or "the rotation"
    return Failure(
        f"the deadline passed after {ago(rotation.terms.rotation_timeout)} while: {waiting}", Cause.ENVIRONMENT
    )
