"""What every writer of weights does around its write: refuse another writer's weights, and read back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from phoenix.core.action import SetWeights
from phoenix.core.model import Route
from phoenix.errors import ForeignWeights, TransientError
from phoenix.routers.forwarding import is_at

_READS: Final = 6
_FIRST_WAIT_SECONDS: Final = 0.2
_LONGEST_WAIT_SECONDS: Final = 2


def refuse_foreign(routes: Sequence[Route], action: SetWeights) -> None:
    """A raise starts only from the weight verified last: a writer that changed it since knew more than we do.

    Raises:
        ForeignWeights: a route has another percentage.
    """
    expected = " or ".join(str(percent) for percent in sorted(action.only_from))
    for route in routes:
        found = route.percent(action.slot)
        if not route.weights or (found not in action.only_from and not is_at(route, action.slot, action.percent)):
            raise ForeignWeights(route.name, expected, found)


def verified(
    read: Callable[[], tuple[Route, ...]], action: SetWeights, sleep: Callable[[float], None]
) -> tuple[Route, ...]:
    """The routes as read back, once all of them show the weights.

    Raises:
        TransientError: they do not within a few reads.
    """
    # Here, where the writes are done: no rollback should wait for it before.
    from tenacity import RetryError, Retrying, retry_if_result, stop_after_attempt, wait_exponential

    def lags(found: tuple[Route, ...]) -> bool:
        return not all(is_at(route, action.slot, action.percent) for route in found if sum(route.weights.values()))

    reading = Retrying(
        sleep=sleep,
        stop=stop_after_attempt(_READS),
        wait=wait_exponential(multiplier=_FIRST_WAIT_SECONDS, max=_LONGEST_WAIT_SECONDS),
        retry=retry_if_result(lags),
    )
    try:
        return reading(read)
    except RetryError as error:
        raise TransientError(
            f"{action.slot} was given {action.percent} %, but AWS still shows other weights"
        ) from error
