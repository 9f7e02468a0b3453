"""Credentials of a role, assumed once for each rotation and renewed before they expire: rotations outlive an hour.

The name of the session says on whose behalf a call was made, so that CloudTrail shows `phoenix-<rotation id>`. Loads
boto3: must only be imported by a session that has to assume a role.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import boto3
from botocore.credentials import (
    AssumeRoleCredentialFetcher,
    CredentialProvider,
    CredentialResolver,
    Credentials,
    DeferredRefreshableCredentials,
    ReadOnlyCredentials,
)
from botocore.session import Session

from phoenix import __version__

_LONGEST_NAME: Final = 64
_MOST_NAMES: Final = 64
"""Rotations whose sessions are kept; a process that lives for weeks works on many."""
_METHOD: Final = "assume-role"


def session_name(rotation: str) -> str:
    """`phoenix-<rotation id>`, as STS takes it; the version of phoenix where no rotation is worked on.

    A long id loses its beginning: its end is what tells rotations of one group apart.
    """
    told = re.sub(r"[^A-Za-z0-9_+=,.@-]", "-", rotation or __version__)
    return f"phoenix-{told[-(_LONGEST_NAME - len('phoenix-')) :]}"


@dataclass(frozen=True, slots=True)
class Role:
    """Which role, whose credentials may assume it, and how clients for STS are made."""

    arn: str
    external_id: str | None
    source: Credentials
    sts: Callable[..., Any]


class RoleCredentials:
    """What botocore takes for credentials. Looks at every signature on whose behalf it is, and answers with that
    session's."""

    method = _METHOD

    def __init__(self, role: Role, on_behalf_of: Callable[[], str]) -> None:
        self._role, self._on_behalf_of = role, on_behalf_of
        self._sessions: dict[str, DeferredRefreshableCredentials] = {}
        self._lock = threading.Lock()

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        """Those of the rotation that is worked on in this thread; assumes the role where they are not there yet."""
        return self._session(session_name(self._on_behalf_of())).get_frozen_credentials()

    def get_deferred_property(self, property_name: str) -> Callable[[], Any]:
        """What botocore asks for when it looks for an endpoint."""
        return lambda: getattr(self.get_frozen_credentials(), property_name, None)

    def __getattr__(self, name: str) -> Any:
        """Keys and tokens, where somebody takes them one by one."""
        if name not in ReadOnlyCredentials._fields:
            raise AttributeError(name)
        return getattr(self.get_frozen_credentials(), name)

    def _session(self, name: str) -> DeferredRefreshableCredentials:
        with self._lock:
            if name not in self._sessions:
                while len(self._sessions) >= _MOST_NAMES:
                    del self._sessions[next(iter(self._sessions))]
                self._sessions[name] = self._assumed(name)
            return self._sessions[name]

    def _assumed(self, name: str) -> DeferredRefreshableCredentials:
        extra = {"RoleSessionName": name}
        if self._role.external_id is not None:
            extra["ExternalId"] = self._role.external_id
        fetcher = AssumeRoleCredentialFetcher(
            client_creator=self._role.sts,
            source_credentials=self._role.source,
            role_arn=self._role.arn,
            extra_args=extra,
        )
        return DeferredRefreshableCredentials(refresh_using=fetcher.fetch_credentials, method=_METHOD)


def session_as(credentials: RoleCredentials, profile: str | None, region: str | None) -> boto3.Session:
    """A session that signs with these credentials, whatever else its profile and environment have.

    boto3 takes keys that stay as they are; credentials that are renewed it takes from the session below it.
    """
    core = Session(profile=profile)
    core.register_component("credential_provider", CredentialResolver([_Given(credentials)]))
    return boto3.Session(botocore_session=core, region_name=region)


class _Given(CredentialProvider):
    METHOD = _METHOD

    def __init__(self, credentials: RoleCredentials) -> None:
        super().__init__()
        self._credentials: Any = credentials

    def load(self) -> Any:
        """The credentials; nothing is assumed yet."""
        return self._credentials
