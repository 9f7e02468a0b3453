"""Systems Manager: Run Command, whose commands take time; parameters are moto's.

Words and limits: https://docs.aws.amazon.com/systems-manager/latest/APIReference/.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from moto.moto_api._internal import mock_random

from phoenix.sandbox.answers.common import page, refuse
from phoenix.sandbox.commands import Invocation
from phoenix.sandbox.world import World

MOST_TARGETS = 50
"""API_SendCommand: InstanceIds has "Maximum number of 50 items"."""
MOST_A_PAGE = 50
_NOT_VALID = "Instances [{}] not in a valid state for account {}"
"""InvalidInstanceId, as the AWS CLI shows it (aws re:Post, "Why does Run Command fail with InvalidInstanceId?")."""
_ACCOUNT = "123456789012"


def send(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """SendCommand."""
    ids, document = params.get("InstanceIds") or [], params["DocumentName"]
    if not world.commands.knows(document):
        raise refuse("InvalidDocument", f"Document with name {document} does not exist.")
    if len(ids) > MOST_TARGETS:
        raise refuse("ValidationException", "Member must have length less than or equal to 50")
    gone = [each for each in ids if not _is_managed(world, each)]
    if gone:
        raise refuse("InvalidInstanceId", _NOT_VALID.format(", ".join(gone), _ACCOUNT))
    command, comment = mock_random.get_random_hex(32), params.get("Comment", "")
    for each in ids:
        world.commands.run(Invocation(command, each, document, comment, world.timeline.now))
    asked = {"CommandId": command, "DocumentName": document, "Comment": comment, "InstanceIds": ids}
    return {"Command": {**asked, "Status": "Pending"}}


def list_invocations(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """ListCommandInvocations, with the filters that are asked for here."""
    found = list(world.commands.invocations)
    for each in params.get("Filters", ()):
        if each["key"] == "DocumentName":
            found = [i for i in found if i.document == each["value"]]
        elif each["key"] == "InvokedAfter":
            since = datetime.strptime(each["value"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
            found = [i for i in found if i.at >= since]
        else:
            raise refuse("InvalidFilterKey", "The specified key is not valid.")
    details = bool(params.get("Details"))
    shown, token = page([_shown(world, each, details) for each in found], params.get("NextToken"), MOST_A_PAGE)
    return {"CommandInvocations": shown, **({"NextToken": token} if token else {})}


def describe_document(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """DescribeDocument."""
    if not world.commands.knows(params["Name"]):
        raise refuse("InvalidDocument", f"Document with name {params['Name']} does not exist.")
    return {"Document": {"Name": params["Name"], "DocumentType": "Command", "Status": "Active"}}


def describe_instances(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """DescribeInstanceInformation: an agent answers on every machine that runs."""
    asked = [each for found in params.get("Filters", ()) for each in found["Values"]]
    known = [{"InstanceId": each, "PingStatus": "Online"} for each in asked if _is_managed(world, each)]
    return {"InstanceInformationList": known}


def _is_managed(world: World, instance_id: str) -> bool:
    server = world.servers.get(instance_id)
    if instance_id in world.commands.unmanaged:
        return False
    return server is not None and not server.gone and server.checked_from is not None


def _shown(world: World, each: Invocation, details: bool) -> dict[str, Any]:
    """API_CommandPlugin: Output is cut after 2,500 characters, and the plug-ins are there with Details only."""
    said = "" if each.status == "InProgress" else world.commands.outputs.get(each.document, "")
    steps = [{"Name": "aws:runShellScript", "Status": each.status, "Output": said[:2500]}]
    return {
        **({"CommandPlugins": steps} if details else {}),
        "CommandId": each.command_id,
        "InstanceId": each.instance_id,
        "DocumentName": each.document,
        "Comment": each.comment,
        "RequestedDateTime": each.at,
        "Status": each.status,
    }


ANSWERS: Mapping[str, Callable[[World, dict[str, Any]], dict[str, Any] | None]] = {
    "SendCommand": send,
    "ListCommandInvocations": list_invocations,
    "DescribeDocument": describe_document,
    "DescribeInstanceInformation": describe_instances,
}
