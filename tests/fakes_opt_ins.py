"""Rules of phoenix's own, as a fake router has them: one for each way to ask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from phoenix.core.action import SetOptIns
from phoenix.core.model import Slot
from phoenix.core.opt_in import OptIn, OptInRule, OptIns


class FakeOptIns:
    """A part of a fake router."""

    def __init__(self) -> None:
        super().__init__()
        self.opt_ins: tuple[OptIn, ...] = ()

    def read_opt_ins(
        self, wanted: SetOptIns, target_groups: Mapping[Slot, Sequence[str]], routes: Sequence[str]
    ) -> OptIns:
        there = tuple(OptInRule(f"rule/{opt_in}", str(opt_in)) for opt_in in self.opt_ins)
        missing = tuple(str(opt_in) for opt_in in wanted.opt_ins if opt_in not in self.opt_ins)
        return OptIns(there, missing, tuple(str(o) for o in self.opt_ins if o not in wanted.opt_ins))

    def set_opt_ins(
        self, action: SetOptIns, target_groups: Mapping[Slot, Sequence[str]], routes: Sequence[str]
    ) -> None:
        self.opt_ins = action.opt_ins
