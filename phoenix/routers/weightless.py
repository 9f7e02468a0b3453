"""The common part of routers without weights: no routes to recognise, and none that another writer could have moved."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from phoenix.aws.session import Aws
from phoenix.core.record import GroupRecord


class WeightlessRouter:
    """No weights."""

    WEIGHTS: ClassVar = False
    PROTOCOLS: ClassVar[frozenset[str]] = frozenset()
    ROUTES: ClassVar = ""

    @staticmethod
    def moved_groups(_aws: Aws, _records: Iterable[GroupRecord]) -> frozenset[str]:
        """No group: there are no weights that could have been moved."""
        return frozenset()
