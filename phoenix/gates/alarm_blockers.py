"""Blockers of a start because of alarms: unknown ones, and those that ring, can never become OK, watch other resources,
or ring too late.

Must never offer to ignore an alarm that could not be told from a bad candidate's.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from phoenix.core.blocker import Blocker
from phoenix.core.explain import ago
from phoenix.core.model import Slot, SlotState
from phoenix.core.terms import Step
from phoenix.gates.alarm_state import BALANCER, OK, PUBLISHING, TARGET_GROUP, Alarm, target_group_of


@dataclass(frozen=True, slots=True)
class Start:
    """The start in question: its group, and the live slot."""

    group: str
    slots: Mapping[Slot, SlotState]
    live: Slot


def blocker_of(name: str, alarm: Alarm | None, start: Start) -> Blocker | None:
    """Return the blocker of a start because of this alarm; None if there is none."""
    where, quoted = f"alarm {name}", shlex.quote(name)
    if alarm is None:
        remedy = "aws cloudwatch describe-alarms --query '[MetricAlarms,CompositeAlarms][].AlarmName'"
        return Blocker("unknown-alarm", where, f"CloudWatch knows no alarm {name} here.", remedy)
    look = f"aws cloudwatch describe-alarms --alarm-names {quoted} --alarm-types MetricAlarm CompositeAlarm"
    about = alarm.is_about(start.slots)
    idle = start.slots[about] if about is not None and about is not start.live else None
    if alarm.rings:
        return _rings_idly(alarm, idle) if idle is not None else _rings(alarm, look, start.group)
    if alarm.is_silent_at_zero:
        text = (
            f"{name} counts errors ({', '.join(alarm.metrics)}), which CloudWatch reports only when there are some, and"
            f" treats missing data as {alarm.missing}: without an error it "
        )
        if alarm.state == OK:
            text += "may lose its data, and the gate would then wait for it. Let it take silence for OK:"
        else:
            text += "never becomes OK, and the rotation would wait for that until it is rolled back. Let it take"
            text += " silence for OK:"
        return Blocker("alarm-never-ok", where, text, alarm.command(), warning=alarm.state == OK)
    if alarm.state != OK and idle is None:
        text = f"{name} has too few measurements now; with traffic, the gate waits until it is OK."
        return Blocker("alarm-without-measurements", where, text, look, warning=True)
    return None


def elsewhere(alarm: Alarm, start: Start, balancers: frozenset[str]) -> Blocker | None:
    """Warn if the alarm watches a target group or load balancer that is not this group's.

    An alarm does not change when its target group or load balancer is replaced. It never has data again, and is silent.
    """
    slots = start.slots.values()
    own = {TARGET_GROUP: frozenset(target_group_of(arn) for s in slots for arn in s.target_groups), BALANCER: balancers}
    for key, word in ((TARGET_GROUP, "target group"), (BALANCER, "load balancer")):
        watched = {value for name, value in alarm.dimensions if name == key}
        if watched and own[key] and not watched & own[key]:
            groups = " and ".join(state.auto_scaling_group for state in slots)
            there, here = ", ".join(sorted(watched)), ", ".join(sorted(own[key]))
            text = (
                f"{alarm.name} watches {word} {there}; {groups} have {here}."
                " It sees nothing of the new image. If that was replaced, point the alarm at the present one:"
            )
            quoted = shlex.quote(alarm.name)
            remedy = f"aws cloudwatch describe-alarms --alarm-names {quoted} --query 'MetricAlarms[0]'"
            return Blocker("alarm-elsewhere", f"alarm {alarm.name}", text, remedy, warning=True)
    return None


def short_bakes(alarms: Sequence[Alarm], steps: Sequence[Step]) -> Iterator[Blocker]:
    """Warn if a bake ends before the slowest alarm could ring."""
    windows = {alarm.name: alarm.window for alarm in alarms if alarm.window is not None}
    if not windows:
        return
    slowest = max(windows, key=lambda name: windows[name])
    needed = windows[slowest] + PUBLISHING
    short = [(number, step.bake) for number, step in enumerate(steps, 1) if step.bake is not None]
    short = [(number, bake) for number, bake in short if bake <= needed]
    if short:
        bakes = ", ".join(f"step {number} {ago(bake)}" for number, bake in short)
        text = (
            f"{slowest} looks back {ago(windows[slowest])}, and CloudWatch needs some {ago(PUBLISHING)} to measure: a"
            f" bake that is not longer than {ago(needed)} may end before it rings. Bakes: {bakes}."
        )
        yield Blocker("bake-too-short", f"alarm {slowest}", text, warning=True)


def _rings(alarm: Alarm, look: str, group: str) -> Blocker:
    """Offer to ignore the alarm by name; it counts again once it has been OK, for then it is the candidate's."""
    word = f"alarm:{alarm.name}"
    text = (
        f"{_since(alarm)}{_quoted(alarm)}. The rotation could not tell it from the new image's. Where the live image is"
        " why it rings, and this rotation the cure, pass it by name; it counts again once it has been OK:"
    )
    remedy = f'{look}\nphoenix rotate --group {group} --ignore {shlex.quote(word)} --reason "..."'
    return Blocker("alarm-already-ringing", f"alarm {alarm.name}", text, remedy, ignorable=True, ignored_as=word)


def _rings_idly(alarm: Alarm, idle: SlotState) -> Blocker:
    """An alarm about a slot without traffic: it rings because of missing data, or has rung since the last generation
    there."""
    text = f"{_since(alarm)}, and is about {idle.auto_scaling_group}, which has no traffic{_quoted(alarm)}."
    # A composite alarm follows its children, so the children are to be mended.
    breached = [each for each in alarm.rung_by or (alarm,) if each.missing == "breaching" and not each.children]
    if breached:
        whose = "It takes" if alarm in breached else f"{' and '.join(each.name for each in breached)} in it takes"
        text += f" {whose} missing data for a breach. Let it take silence for OK:"
        remedy = "\n".join(each.command() for each in breached)
    else:
        text += " Its cause is over:"
        remedy = (
            f"aws cloudwatch set-alarm-state --alarm-name {shlex.quote(alarm.name)} --state-value INSUFFICIENT_DATA"
            ' --state-reason "no traffic"'
        )
    return Blocker("alarm-already-ringing", f"alarm {alarm.name}", text, remedy)


def _since(alarm: Alarm) -> str:
    return f"{alarm.name} has been in ALARM since {alarm.changed_at:%H:%M:%S} UTC"


def _quoted(alarm: Alarm) -> str:
    return f": {alarm.quote()}" if alarm.reason else ""
