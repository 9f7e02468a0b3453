"""The common part of routers that suspend nothing, and that of routers without weights, which have no route to find, to
move, or to be moved by another writer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

from phoenix.aws.session import Aws
from phoenix.core.action import SetFailover, SetOptIns, SetWeights
from phoenix.core.model import Route, Slot
from phoenix.core.opt_in import OptIns
from phoenix.core.record import GroupRecord
from phoenix.routers.uncounted import Uncounted


class PlainRouter(Uncounted):
    """The common part of routers that suspend nothing in target groups, and make no rules of their own."""

    def read_failover(self, target_groups: Mapping[Slot, Sequence[str]]) -> Mapping[Slot, str]:
        """No thresholds: no generation makes DNS leave a load balancer that the other one is behind."""
        return {}

    def set_failover(self, action: SetFailover, target_groups: Mapping[Slot, Sequence[str]]) -> None:
        """Nothing to set."""

    def read_opt_ins(
        self, wanted: SetOptIns, target_groups: Mapping[Slot, Sequence[str]], routes: Sequence[str]
    ) -> OptIns:
        """None: there is no rule that tells requests apart."""
        return OptIns()

    def set_opt_ins(
        self, action: SetOptIns, target_groups: Mapping[Slot, Sequence[str]], routes: Sequence[str]
    ) -> None:
        """Nothing to set: a policy that asks for it is refused."""


class WeightlessRouter(PlainRouter):
    """No weights."""

    WEIGHTS: ClassVar = False
    APART: ClassVar = False
    PROTOCOLS: ClassVar[frozenset[str]] = frozenset()
    ROUTES: ClassVar = ""
    uncounted: ClassVar = "there are no weights to compare with"

    @staticmethod
    def moved_groups(_aws: Aws, _records: Iterable[GroupRecord]) -> frozenset[str]:
        """No group: there are no weights that could have been moved."""
        return frozenset()

    def find(self, target_groups: Mapping[Slot, Sequence[str]]) -> tuple[Route, ...]:
        """No routes."""
        return ()

    def shift(
        self, action: SetWeights, target_groups: Mapping[Slot, Sequence[str]], routes: Sequence[str]
    ) -> tuple[Route, ...]:
        """Nothing to shift."""
        return ()

    def serves_by_zone(self, target_groups: Mapping[Slot, Sequence[str]]) -> bool:
        """No share of a zone is moved: each zone keeps as many instances as it has, of whichever generation."""
        return False
