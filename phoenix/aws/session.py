"""One session for one account, Region and role, with one client per service.

Must never load boto3 before the first call, nor make a client that no call needs: EC2's alone costs 0.1 s, and a
rollback does not need it. All access is plain boto3: AWS_ENDPOINT_URL, AWS_REGION, profiles and roles work as usual.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from phoenix import __version__
from phoenix.aws.errors import translated
from phoenix.aws.fence import guard
from phoenix.aws.watching import NullObserver, note_calls, watch
from phoenix.core.call import CallObserver
from phoenix.core.fence import CONNECT, READ
from phoenix.errors import Blocked

if TYPE_CHECKING:
    import boto3

T = TypeVar("T")

log = logging.getLogger(__name__)

_IAM_PREFIX = {"elb": "elasticloadbalancing", "elbv2": "elasticloadbalancing", "service-quotas": "servicequotas"}
_OTHER_RIGHTS = {"lambda:Invoke": "lambda:InvokeFunction"}
"""Calls whose right has another name."""
_READ_SECONDS = READ.total_seconds()
_THREADS = 8


@dataclass(frozen=True, slots=True)
class _Patience:
    """The time to wait for an answer, and the number of tries; None: botocore's default and AWS_MAX_ATTEMPTS."""

    seconds: float = _READ_SECONDS
    tries: int | None = None


_NEWS = _Patience(5, tries=1)
"""News must not hold up a rotation; the engine sends it again later."""
_STORE = _Patience(3, tries=2)
"""A table answers in milliseconds, or a rollback goes on without it: its first write waits for the table."""
_PATIENCE = {"sns": _NEWS, "events": _NEWS, "dynamodb": _STORE}
"""By service: DynamoDB serves stores only, the other two serve news only."""


@dataclass(frozen=True, slots=True)
class Access:
    """Profile, Region and role; None leaves them to the environment. `account` is the expected one."""

    region: str | None = None
    profile: str | None = None
    role_arn: str | None = None
    external_id: str | None = None
    account: str | None = None


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What an operation said of many things: `answers` by name or ARN, None for what AWS does not know. `parameter` is
    the one that lists them in a question."""

    parameter: str
    answers: Mapping[str, dict[str, Any] | None]

    def answers_all(self, parameters: Mapping[str, Any]) -> bool:
        """True if the question is about things that were read, and about nothing else."""
        return [*parameters] == [self.parameter] and all(each in self.answers for each in parameters[self.parameter])

    def of(self, parameters: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """The elements of the answer."""
        return (found for each in parameters[self.parameter] if (found := self.answers[each]) is not None)


class Aws:
    """Calls to AWS with errors translated. Thread-safe; with `threads` 1, side by side means one by one.

    `observer` is told of every call, and knows the rotation it is made for; `connect` is the time that a connection may
    take.
    """

    def __init__(
        self,
        access: Access | None = None,
        *,
        session: Any = None,
        threads: int = _THREADS,
        observer: CallObserver | None = None,
        connect: timedelta = CONNECT,
    ) -> None:
        self.access = access or Access()
        self._connect = connect
        self._observer = observer or NullObserver()
        self._session = session
        self._threads = threads
        self._clients: dict[str, Any] = {}
        self._account: str | None = None
        self._foreseen: Mapping[str, Foreseen] = {}
        self.requests = 0
        """The number of requests sent so far, repetitions included."""
        self._counting = threading.Lock()
        self._lock = threading.RLock()

    def client(self, service: str) -> Any:
        """Return the service's client, made on first use. Wrap direct calls on it in `translated`."""
        with self._lock:
            if service not in self._clients:
                if service != "sts":
                    self._refuse_wrong_account()
                with translated(f"{service} client"):
                    client = self._open().client(service, config=self._config(service))
                watch(client, service, self._observer)
                note_calls(client, service)
                client.meta.events.register("before-send", self._count)
                guard(client)
                self._clients[service] = client
            return self._clients[service]

    def call(self, service: str, method: str, **parameters: Any) -> dict[str, Any]:
        """One call: `call("autoscaling", "describe_policies", AutoScalingGroupName=name)`."""
        client = self.client(service)
        with translated(action_of(client, service, method)):
            answer: dict[str, Any] = getattr(client, method)(**parameters)
        return answer

    def pages(self, service: str, method: str, items: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        """All elements of the answer's list `items`, over all pages."""
        known = self._foreseen.get(method)
        if known is not None and known.answers_all(parameters):
            yield from known.of(parameters)
            return
        client = self.client(service)
        with translated(action_of(client, service, method)):
            for page in client.get_paginator(method).paginate(**parameters):
                yield from page.get(items, ())

    @contextmanager
    def foreseeing(self, answers: Mapping[str, Foreseen]) -> Iterator[None]:
        """Within the block, in any thread, answer questions about single things from what was read of all together."""
        before, self._foreseen = self._foreseen, {**self._foreseen, **answers}
        try:
            yield
        finally:
            self._foreseen = before

    def side_by_side(self, calls: Sequence[Callable[[], T]]) -> list[T]:
        """Return the results of the calls, in their order; raise the first error once all have ended."""
        if len(calls) < 2 or self._threads < 2:
            return [call() for call in calls]
        with ThreadPoolExecutor(min(len(calls), self._threads), thread_name_prefix="aws") as pool:
            # Each in a copy of our context, so that a thread's calls count for the same rotation.
            futures = [pool.submit(copy_context().run, call) for call in calls]
        return [future.result() for future in futures]

    @property
    def region(self) -> str | None:
        """The Region of the calls; None if none is configured, which the first call reports."""
        region: str | None = self._open().region_name
        return region

    def _config(self, service: str) -> Any:
        return _config(_PATIENCE.get(service, _Patience()), self._connect)

    def _count(self, event_name: str = "", **_: Any) -> None:
        with self._counting:
            self.requests += 1
        log.debug("aws.asked", extra={"call": event_name.removeprefix("before-send.")})

    def account_id(self) -> str:
        """Return the account of the credentials; it is read once."""
        with self._lock:
            if self._account is None:
                self._account = str(self.call("sts", "get_caller_identity")["Account"])
            return self._account

    def _refuse_wrong_account(self) -> None:
        """Refuse credentials for another account before any read: the same group names exist in many accounts."""
        expected = self.access.account
        if expected is not None and self.account_id() != expected:
            raise Blocked(
                f"these credentials are for account {self.account_id()}, but the policy is for {expected}",
                hint="check AWS_PROFILE, --profile and role_arn",
            )

    def _open(self) -> Any:
        with self._lock:
            if self._session is None:
                with translated("session"):
                    self._session = _new_session(self.access, self._observer)
            return self._session


def action_of(client: Any, service: str, method: str) -> str:
    """The right that a call needs, as IAM spells it."""
    called = f"{_IAM_PREFIX.get(service, service)}:{client.meta.method_to_api_mapping[method]}"
    return _OTHER_RIGHTS.get(called, called)


def _config(patience: _Patience = _Patience(), connect: timedelta = CONNECT) -> Any:
    """Return the client's configuration. `standard` repeats throttled and lost calls twice; our writes are absolute, so
    that is safe.

    AWS_MAX_ATTEMPTS decides the number of tries unless the service has a patience of its own.
    """
    from botocore.config import Config

    retries: Any = {"mode": "standard"}
    if patience.tries is not None:
        retries["total_max_attempts"] = patience.tries
    return Config(
        retries=retries,
        connect_timeout=connect.total_seconds(),
        read_timeout=patience.seconds,
        user_agent_extra=f"phoenix/{__version__}",
    )


def _new_session(access: Access, observer: CallObserver) -> boto3.Session:
    import boto3

    # botocore knows AWS_DEFAULT_REGION only; every other SDK knows AWS_REGION, and believes it first.
    region = access.region or os.environ.get("AWS_REGION") or None
    source = boto3.Session(profile_name=access.profile, region_name=region)
    return source if access.role_arn is None else _assuming(access, source, observer)


def _assuming(access: Access, source: boto3.Session, observer: CallObserver) -> boto3.Session:
    """Return a session that signs with the role's credentials, in the Region of the assuming session."""
    from botocore.exceptions import NoCredentialsError

    from phoenix.aws.roles import Role, RoleCredentials, session_as

    credentials = source.get_credentials()
    if credentials is None:
        raise NoCredentialsError

    def sts_client(_service: str, **given: Any) -> Any:
        keys = {key: value for key, value in given.items() if key.startswith("aws_")}
        client = source.client("sts", config=_config(), **keys)
        watch(client, "sts", observer)
        return client

    role = Role(str(access.role_arn), access.external_id, credentials, sts_client)
    return session_as(RoleCredentials(role, observer.rotation), access.profile, source.region_name)
