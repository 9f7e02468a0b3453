"""Every call that phoenix makes in a sandbox, with its parameters, and what a document says of it.

Listens to botocore, below everything of ours. Must never note what a test itself asks: those clients are not ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from phoenix.aws.rights import Role
from phoenix.sandbox import Sandbox
from phoenix.sandbox.seeding_records import ZONE
from phoenix.wiring.rights import every_document
from tests.iam.asked import ACCOUNT, KEY, REGION, Account, Asked, arn
from tests.iam.evaluator import Answer, Request, evaluate
from tests.iam.requests import requests_for

FILLED: Mapping[str, str] = {
    "partition": "aws",
    "region": REGION,
    "account": ACCOUNT,
    "image_owner": ACCOUNT,
    "instance_role": "web-*",
    "parameter_arn": arn("ssm", "parameter/images/*"),
    "statements_arn": "arn:aws:s3:::phoenix-statements/web/*",
    "table_arn": arn("dynamodb", "table/phoenix"),
    "bucket_arn": "arn:aws:s3:::phoenix-policies",
    "prefix": "live/",
    "function_arn": arn("lambda", "function:phoenix-advance"),
    "gate_function_arn": arn("lambda", "function:acceptance"),
    "topic_arn": arn("sns", "phoenix"),
    "bus_arn": arn("events", "event-bus/phoenix"),
    "assumed_role_arn": "arn:aws:iam::*:role/phoenix",
    "key_arn": KEY,
    "hosted_zone_arn": f"arn:aws:route53:::hostedzone/{ZONE}",
    "record_name": "www.example.com",
}
"""What Terraform would fill in for the account of the sandbox."""


def applied(document: Mapping[str, Any], values: Mapping[str, str] = FILLED) -> Any:
    """The document as Terraform makes it."""
    return _replaced(document, values)


def _replaced(node: Any, values: Mapping[str, str]) -> Any:
    match node:
        case str():
            for field_, value in values.items():
                node = node.replace(f"${{{field_}}}", value)
            assert "${" not in node, f"{node} is not filled in"
            return node
        case list():
            return [_replaced(each, values) for each in node]
        case dict():
            return {key: _replaced(each, values) for key, each in node.items()}
        case _:
            raise TypeError(f"{node!r} is in no document")


DOCUMENTS = {role: applied(every_document(role)) for role in Role}


@dataclass
class Recorder:
    """The calls of one sandbox. `since` marks a place in them."""

    box: Sandbox
    calls: list[Asked] = field(default_factory=list)

    def __post_init__(self) -> None:
        # Clients copy the listeners of their session when they are made: this has to come first.
        session: Any = self.box.session
        session.events.register("before-parameter-build", self._note)
        self.account = Account(self._ask)
        self._clients: dict[str, Any] = {}

    def requests(self, since: int = 0, until: int | None = None) -> list[Request]:
        """What AWS would have had to allow for these calls."""
        return [request for asked in self.calls[since:until] for request in requests_for(self.account, asked)]

    def _note(self, params: Mapping[str, Any], model: Any, context: Mapping[str, Any], **_: Any) -> None:
        agent = getattr(context.get("client_config"), "user_agent_extra", None) or ""
        if agent.startswith("phoenix/"):
            service = str(model.service_model.service_name)
            self.calls.append(Asked(service, model.name, dict(params), self._group_of(params.get("InstanceId"))))

    def _group_of(self, instance: object) -> str | None:
        """Asked at once: later the instance may be gone."""
        groups = self.box.world.scaling.groups.items() if instance else ()
        return next((name for name, g in groups if any(m.instance_id == instance for m in g.members)), None)

    def _ask(self, service: str, method: str, **parameters: Any) -> Any:
        if service not in self._clients:
            session: Any = self.box.session
            self._clients[service] = session.client(service)
        calls, hooks = list(self.box.calls), list(self.box.desk.hooks)
        self.box.desk.hooks.clear()
        self.box.mend_calls()
        try:
            return getattr(self._clients[service], method)(**parameters)
        finally:
            self.box.calls[:] = calls
            self.box.desk.hooks[:] = hooks


def refused(requests: Iterable[Request], document: Mapping[str, Any]) -> list[str]:
    """What the document would have refused, each once, in words."""
    answers = _answers(requests, document)
    return [f"{f'denied by {a.by}' if a.by else 'not allowed'}: {request}" for request, a in answers if not a.allowed]


def used(requests: Iterable[Request], document: Mapping[str, Any]) -> set[tuple[str, str]]:
    """Statement and action of everything that was allowed."""
    return {(answer.by, request.action) for request, answer in _answers(requests, document) if answer.allowed}


_JUDGED: dict[tuple[int, str], tuple[Mapping[str, Any], Answer]] = {}
"""What documents say of requests, by the identity of the document, which is kept so that no other gets it."""


def _answers(requests: Iterable[Request], document: Mapping[str, Any]) -> list[tuple[Request, Answer]]:
    """Polls ask the same a hundred times, and so do most tests; it is judged once in a session."""
    different = {str(request): request for request in requests}
    for said, request in different.items():
        if (id(document), said) not in _JUDGED:
            _JUDGED[id(document), said] = document, evaluate(document, request)
    return [(request, _JUDGED[id(document), said][1]) for said, request in different.items()]


def granted(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Statement and action of everything that the document allows."""
    for statement in document["Statement"]:
        if statement["Effect"] == "Allow":
            yield from ((statement["Sid"], action) for action in statement["Action"])
