"""Credentials of a role, assumed once for each rotation and renewed before they expire: rotations outlive an hour.

The name of the session tells the rotation of a call: CloudTrail shows `phoenix-<rotation id>`. Must never be imported
by a session that does not assume a role, because it loads boto3.
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
"""The number of rotations whose sessions are kept: a process that lives for weeks works on many."""
_METHOD: Final = "assume-role"


def session_name(rotation: str) -> str:
    """Return `phoenix-<rotation id>` in letters that STS takes; phoenix's version if there is no rotation in work.

    A long id loses its beginning: the ids of one group's rotations differ at the end.
    """
    told = re.sub(r"[^A-Za-z0-9_+=,.@-]", "-", rotation or __version__)
    return f"phoenix-{told[-(_LONGEST_NAME - len('phoenix-')) :]}"


@dataclass(frozen=True, slots=True)
class Role:
    """The role, the credentials that may assume it, and the maker of clients for STS."""

    arn: str
    external_id: str | None
    source: Credentials
    sts: Callable[..., Any]


class RoleCredentials:
    """Credentials as botocore uses them. Every signature gets those of its rotation's session."""

    method = _METHOD

    def __init__(self, role: Role, on_behalf_of: Callable[[], str]) -> None:
        self._role, self._on_behalf_of = role, on_behalf_of
        self._sessions: dict[str, DeferredRefreshableCredentials] = {}
        self._lock = threading.Lock()

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        """Return the credentials for this thread's rotation; assume the role if there are none yet."""
        return self._session(session_name(self._on_behalf_of())).get_frozen_credentials()

    def get_deferred_property(self, property_name: str) -> Callable[[], Any]:
        """The property that botocore reads when it looks for an endpoint."""
        return lambda: getattr(self.get_frozen_credentials(), property_name, None)

    def __getattr__(self, name: str) -> Any:
        """Keys and token one by one, for callers that read them so."""
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
    """Return a session that signs with these credentials, whatever its profile and environment hold.

    boto3 takes fixed keys only; renewable credentials must be set in the botocore session below it.
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
        """Return the credentials; the role is not assumed yet."""
        return self._credentials
