"""Which worker runs which tests: each its share of the random order, dealt like cards, known before the first one runs.

With a scheduler that hands out tests as workers come free the order depends on how fast they were that day: a failure
that came of an order could not be repeated by its seed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from xdist.scheduler import LoadScheduling


def deal(tests: Sequence[str], workers: int, tells_once: Callable[[str], bool]) -> list[list[int]]:
    """The positions of each worker's tests, in order. A file that `tells_once` stays together: files take turns."""
    shares: list[list[int]] = [[] for _ in range(workers)]
    homes: dict[str, int] = {}
    dealt = 0
    for position, test in enumerate(tests):
        file = test.partition("::")[0]
        if tells_once(file):
            home = homes.setdefault(file, len(homes) % workers)
        else:
            home, dealt = dealt % workers, dealt + 1
        shares[home].append(position)
    return shares


@cache
def has_story(file: Path) -> bool:
    """Whether a file has a fixture for all its tests: two workers would live through it twice."""
    return 'scope="module"' in file.read_text(encoding="utf-8")


class EqualShares(LoadScheduling):
    """Deals everything out once; what is left of a worker that died goes to its successor."""

    def schedule(self) -> None:
        """Deal, once all workers have collected the same tests."""
        if self.collection is not None or not self._check_nodes_have_same_collection():
            super().schedule()
            return
        self.collection = next(iter(self.node2collection.values()))
        workers = sorted(self.nodes, key=lambda worker: worker.gateway.id)
        shares = deal(self.collection, len(workers), lambda file: has_story(self.config.rootpath / file))
        for worker, share in zip(workers, shares, strict=True):
            self.node2pending[worker] = share
            if share:
                worker.send_runtest_some(list(share))
            worker.shutdown()
