"""Every action says in words what it does, and to what."""

from __future__ import annotations

from typing import get_args

import pytest

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
from phoenix.core.deeds import describe_action
from phoenix.core.model import Role, Slot
from phoenix.core.opt_in import OptIn, OptInKind

GREEN = Slot.GREEN
ASKED = OptIn(OptInKind.HEADER, "X-Canary", ("always",))
TOLD: tuple[tuple[Action, str], ...] = (
    (SetRole(GREEN, Role.CANDIDATE, 4, version="8"), "slot green: candidate, 4 instances, template version 8"),
    (SetWeights(GREEN, 5), "5 % of the traffic to slot green"),
    (MakeTemplateVersion(GREEN, "r-1", 42, "ami-b"), "slot green: template version of generation 42 with ami-b"),
    (Release(GREEN), "slot green: held instances go into service"),
    (SetSchedules(GREEN, running=False), "slot green: scheduled actions are suspended"),
    (SetSchedules(GREEN, running=True), "slot green: scheduled actions run again"),
    (SetFailover(GREEN, "off/off"), "slot green: thresholds of DNS failover"),
    (SetOptIns(GREEN, (ASKED,)), "slot green: requests that ask for it (header X-Canary: always) go there"),
    (SetOptIns(GREEN), "slot green: requests that ask for it go where all others go"),
    (Drain(GREEN, ("i-1", "i-2")), "slot green: no new work for 2 instances that will leave"),
    (Announce(GREEN, ("i-1",)), "slot green: clients find 1 instance from now on"),
    (Undrain(GREEN, ("i-1",)), "slot green: 1 instance may take work again"),
    (EndInstance(GREEN, "i-1"), "slot green: i-1 is ended on purpose"),
    (ReplaceInstance(GREEN, "i-1"), "slot green: AWS is to replace i-1"),
)


@pytest.mark.parametrize(("action", "words"), TOLD)
def test_an_action_in_words(action: Action, words: str) -> None:
    assert describe_action(action) == words


def test_tags_are_named_by_their_keys_alone() -> None:
    written = describe_action(WriteTags({GREEN: {"phoenix:store": "here"}, Slot.BLUE: {"phoenix:rotation": "r"}}))

    assert written == "tags on slot blue and green: phoenix:rotation, phoenix:store"
    assert describe_action(RemoveTags({GREEN: ("phoenix:hold",)})) == "no tags on slot green any more: phoenix:hold"


def test_no_action_is_left_out() -> None:
    told = {type(action) for action, _ in TOLD} | {WriteTags, RemoveTags}

    assert told == {*get_args(Action)}
