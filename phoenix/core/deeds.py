"""Actions in words, for those who read of them later. Pure. Must never hold what an action does not say."""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from phoenix.core.action import (
    Action,
    Announce,
    Drain,
    EndInstance,
    MakeTemplateVersion,
    Release,
    RemoveTags,
    ReplaceInstance,
    SetFailover,
    SetOptIns,
    SetRole,
    SetSchedules,
    SetWeights,
    Undrain,
    WriteTags,
)
from phoenix.core.explain import counted


def describe_action(action: Action) -> str:
    """Return the action in a few words: `slot green: candidate, 4 instances, template version 8`."""
    match action:
        case SetRole(slot, role, count, _, version):
            launched = f", template version {version}" if version else ""
            words = f"slot {slot}: {role}, {counted(count, 'instance')}{launched}"
        case SetWeights(slot, percent):
            words = f"{percent} % of the traffic to slot {slot}"
        case MakeTemplateVersion(slot, _, generation, image):
            words = f"slot {slot}: template version of generation {generation} with {image}"
        case WriteTags(tags):
            words = f"tags on slot {' and '.join(sorted(tags))}: {_keys(*tags.values())}"
        case RemoveTags(keys):
            words = f"no tags on slot {' and '.join(sorted(keys))} any more: {_keys(*keys.values())}"
        case Announce(slot, instances):
            words = f"slot {slot}: clients find {counted(len(instances), 'instance')} from now on"
        case Release(slot) | ReplaceInstance(slot) | EndInstance(slot) | Drain(slot) | Undrain(slot):
            words = f"slot {slot}: {_to_instances(action)}"
        case SetSchedules(slot, running):
            words = f"slot {slot}: scheduled actions {'run again' if running else 'are suspended'}"
        case SetFailover(slot) | SetOptIns(slot):
            words = f"slot {slot}: {_of_traffic(action)}"
        case _:
            assert_never(action)
    return words


def _of_traffic(action: SetFailover | SetOptIns) -> str:
    if isinstance(action, SetFailover):
        return "thresholds of DNS failover"
    told = ", ".join(map(str, action.opt_ins))
    return f"requests that ask for it ({told}) go there" if told else "requests that ask for it go where all others go"


def _to_instances(action: Release | ReplaceInstance | EndInstance | Drain | Undrain) -> str:
    match action:
        case Release():
            return "held instances go into service"
        case ReplaceInstance(_, instance):
            return f"AWS is to replace {instance}"
        case EndInstance(_, instance):
            return f"{instance} is ended on purpose"
        case Drain(_, instances):
            return f"no new work for {counted(len(instances), 'instance')} that will leave"
        case Undrain(_, instances):
            return f"{counted(len(instances), 'instance')} may take work again"


def _keys(*each: Iterable[str]) -> str:
    return ", ".join(sorted({key for keys in each for key in keys}))
