"""Stores: where records live between ticks.

To add one: write a class that fulfils `phoenix.ports.Store` and takes its URL, in a module of its own; keep records as
`codec` writes them, and let `lease.Claim` settle who gets a lease, inside a transaction. Put it into KINDS under its
URL scheme, add a maker to `tests/contract/test_store_contract.py`, and a line to the stores in the operations page.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from phoenix.errors import UsageError
from phoenix.ports import Store
from phoenix.stores.sqlite import SqliteStore

KINDS: Mapping[str, Callable[[str], Store]] = {"sqlite": SqliteStore}
"""URL scheme to class."""

_LATER = {"dynamodb": "dynamodb:// is not in this version"}


def open_store(url: str | None, environ: Mapping[str, str] = os.environ) -> Store:
    """The store at the URL; None means the default one of this user. Nothing is read or created yet.

    Raises:
        UsageError: the URL is not one of a store.
    """
    url = url or f"sqlite:///{default_path(environ)}"
    scheme = url.partition("://")[0]
    if scheme in KINDS and "://" in url:
        return KINDS[scheme](url)
    why = _LATER.get(scheme, f"{url!r} is not the URL of a store")
    raise UsageError(f"PHOENIX_STORE: {why}; write sqlite:///relative/path or sqlite:////absolute/path")


def default_path(environ: Mapping[str, str] = os.environ) -> Path:
    """Where the store is unless somebody says otherwise: in the XDG state folder."""
    state = Path(environ.get("XDG_STATE_HOME", ""))
    if not state.is_absolute():  # the XDG specification wants a relative one ignored
        state = Path.home() / ".local" / "state"
    return state / "phoenix" / "phoenix.db"
