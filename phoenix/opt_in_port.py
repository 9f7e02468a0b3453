"""What a router answers about rules of phoenix's own: a part of `phoenix.ports.Router`, and under the same contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from phoenix.core.action import SetOptIns
from phoenix.core.model import Slot
from phoenix.core.opt_in import OptIns


class OptInPort(Protocol):
    """Rules that send requests which ask for the candidate to it, ahead of the owner's rules and of any weight."""

    def read_opt_ins(
        self, wanted: SetOptIns, target_groups: Mapping[Slot, Sequence[str]], routes: Sequence[str]
    ) -> OptIns:
        """The rules of ours on the listeners of these routes (ARNs), compared with the wanted ones. Read-only."""
        ...

    def set_opt_ins(
        self, action: SetOptIns, target_groups: Mapping[Slot, Sequence[str]], routes: Sequence[str]
    ) -> None:
        """Make the rules that are missing, and remove those of ours that are not wanted; repeating it changes nothing.

        No rule of the owner is changed or moved. A rule of ours is known by its tags, its listener and its conditions.
        """
        ...
