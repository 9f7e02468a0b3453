"""Stores: where records live between ticks.

How to add one: write a class that fulfils `phoenix.ports.Store` and takes its URL, in a module of its own; keep records
as `codec` writes them, and let `lease.Claim` settle who gets a lease, in the transaction that writes the answer. Add a
function that opens the store to KINDS under its URL scheme, and import the class only there: most programs open one
store, and a rollback waits for every import. Then: its URL in `open_store` below, in `StoreUrl` (`settings.py`, which
refuses all others) and in the help of `--store` (`cli/options.py`); for a store in AWS its rights in
`wiring/rights.py`, `make iam`, and a run with it in `tests/iam/runs.py`; a branch of the fixture in
`tests/contract/test_store_contract.py`, whose tests, and those of `test_store_fences.py`, then hold for it too; its own
tests in `tests/stores`; a paragraph in `docs/operations.md`, its URL in `docs/policy.md`; a line in CHANGELOG.md.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from phoenix.errors import UsageError
from phoenix.places import state_folder
from phoenix.ports import Store

if TYPE_CHECKING:
    from phoenix.aws.session import Aws

AwsIn: TypeAlias = "Callable[[str | None], Aws]"
"""AWS in a Region; None: the configured one. The account is the program's own, whatever the policies say."""


def _sqlite(url: str, _: AwsIn) -> Store:
    from phoenix.stores.sqlite import SqliteStore

    return SqliteStore(url)


def _dynamodb(url: str, aws: AwsIn) -> Store:
    from phoenix.stores.dynamodb import DynamoStore

    return DynamoStore(url, aws)


def _aws(region: str | None) -> Aws:
    from phoenix.aws.session import Access, Aws

    return Aws(Access(region=region))


KINDS: Mapping[str, Callable[[str, AwsIn], Store]] = {"sqlite": _sqlite, "dynamodb": _dynamodb}
"""Maps a URL scheme to the function that opens such a store."""


def open_store(
    url: str | None, environ: Mapping[str, str] = os.environ, aws: AwsIn = _aws, *, origin: str = "PHOENIX_STORE"
) -> Store:
    """Return the store at the URL, which was found at `origin`; None: this user's default store. Nothing is read or
    created yet.

    Raises:
        UsageError: the URL names no store.
    """
    url = url or f"sqlite:///{default_path(environ)}"
    scheme = url.partition("://")[0]
    if scheme in KINDS and "://" in url:
        return KINDS[scheme](url, aws)
    raise UsageError(
        f"{origin}: {url!r} is not the URL of a store; write sqlite:///relative/path or "
        "sqlite:////absolute/path, or dynamodb://TABLE"
    )


def default_path(environ: Mapping[str, str] = os.environ) -> Path:
    """The default store: a file in the state folder."""
    return state_folder(environ) / "phoenix.db"
