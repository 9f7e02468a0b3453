"""Attributes of adapter classes that are made on first use.

An adapter declares its checks before a start, and their rights, beside the code of the checks. A rollback needs
neither, and must never wait until that code is loaded.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class _Late:
    __slots__ = ("_made", "_make")

    def __init__(self, make: Callable[[], object]) -> None:
        self._make = make
        self._made: tuple[object, ...] = ()

    def __get__(self, instance: object, owner: type) -> object:
        self._made = self._made or (self._make(),)
        return self._made[0]


def late(make: Callable[[], object]) -> Any:
    """A class attribute with the value that `make` returns, made once; the annotation gives its type."""
    return _Late(make)
