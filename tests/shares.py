"""Which worker runs which tests: each its share of the random order, dealt like cards, known before the first one runs.

A scheduler that hands out tests as workers come free is a little faster, but then the order depends on how fast they
were that day: a failure that came of an order could not be repeated by its seed.
"""

from __future__ import annotations

from xdist.scheduler import LoadScheduling


class EqualShares(LoadScheduling):
    """Worker k of n runs tests k, k+n, k+2n …; what is left of a worker that died goes to its successor."""

    def schedule(self) -> None:
        """Deal, once all workers have collected the same tests."""
        if self.collection is not None or not self._check_nodes_have_same_collection():
            super().schedule()
            return
        self.collection = next(iter(self.node2collection.values()))
        workers = sorted(self.nodes, key=lambda worker: worker.gateway.id)
        for first, worker in enumerate(workers):
            share = list(range(first, len(self.collection), len(workers)))
            self.node2pending[worker] = share
            if share:
                worker.send_runtest_some(list(share))
            worker.shutdown()
