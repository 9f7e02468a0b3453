"""Run Command of Systems Manager: a document on instances, and what became of it. A command is found again by its
comment, whichever process has sent it.

Must never send to an instance whose agent does not answer: AWS would refuse the whole call.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Final

from phoenix.aws.session import Aws
from phoenix.errors import AccessDenied, PermanentError
from phoenix.keys import Matching, Text

MOST_TOLD: Final = 50
"""Instances that one SendCommand takes, says the Systems Manager API reference."""
MOST_ASKED: Final = 50
"""Values of one filter of DescribeInstanceInformation."""
RUNNING: Final = frozenset({"Pending", "InProgress", "Delayed", "Cancelling"})
SUCCESS: Final = "Success"
DOCUMENTS: Final = ("arn:${partition}:ssm:${region}:*:document/${ssm_document}",)
"""The account's own, AWS's, and those that another account shares; a role for any policy has those that begin with
`phoenix-`."""

DocumentName = Annotated[str, Matching(r"[A-Za-z0-9_.-]{3,128}", "the name of an SSM document, of type Command")]
Parameters = Mapping[Text, tuple[Text, ...]]


def online(aws: Aws, instances: Sequence[str]) -> frozenset[str]:
    """Those whose agent answers."""
    found: list[str] = []
    for start in range(0, len(instances), MOST_ASKED):
        filters = [{"Key": "InstanceIds", "Values": list(instances[start : start + MOST_ASKED])}]
        known = aws.pages("ssm", "describe_instance_information", "InstanceInformationList", Filters=filters)
        found += [str(each["InstanceId"]) for each in known if each.get("PingStatus") == "Online"]
    return frozenset(found)


def send(aws: Aws, wanted: Sequence[str], document: str, parameters: Parameters, comment: str) -> frozenset[str]:
    """Run the document on those of the instances whose agent answers, and return them. A comment has 100 letters at
    most."""
    reached = online(aws, wanted)
    instances = [each for each in wanted if each in reached]
    for start in range(0, len(instances), MOST_TOLD):
        aws.call(
            "ssm",
            "send_command",
            InstanceIds=instances[start : start + MOST_TOLD],
            DocumentName=document,
            Parameters={key: list(values) for key, values in parameters.items()},
            Comment=comment,
        )
    return reached


def invocations(aws: Aws, documents: Iterable[str], since: datetime) -> Iterator[dict[str, Any]]:
    """Every run of these documents since then, on any instance, with the end of what it has printed."""
    for document in dict.fromkeys(documents):
        filters = [
            {"key": "DocumentName", "value": document},
            {"key": "InvokedAfter", "value": since.strftime("%Y-%m-%dT%H:%M:%SZ")},
        ]
        yield from aws.pages("ssm", "list_command_invocations", "CommandInvocations", Filters=filters, Details=True)


def is_command_document(aws: Aws, name: str) -> bool:
    """True for a document that Run Command can run.

    Raises:
        AccessDenied: the document may not be read.
    """
    try:
        found = aws.call("ssm", "describe_document", Name=name)["Document"]
    except AccessDenied:
        raise
    except PermanentError:
        return False
    return bool(found.get("DocumentType") == "Command")
