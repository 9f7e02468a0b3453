"""A group to probe, what befalls its writes, and how to read what the probe has answered."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError, ConnectionClosedError

from phoenix.sandbox.desk import Call
from tests.remedies import run_remedy

if TYPE_CHECKING:
    from tests.cli.conftest import Answer, Terminal

PROBE = "doctor --probe web-probe"
UPDATE, MAKE, DELETE = "UpdateAutoScalingGroup", "CreateLaunchTemplateVersion", "DeleteLaunchTemplateVersions"
WRITES = [UPDATE] * 4 + [MAKE, UPDATE, MAKE, UPDATE, UPDATE, DELETE]
"""Those of a probe that makes two versions: plain, own version, $Latest, back; two versions; back; deleted."""
Accident = Callable[[Call], BaseException]


def client(phoenix: Terminal, service: str) -> Any:
    session: Any = phoenix.sandbox.session
    return session.client(service)


def make_group(phoenix: Terminal, **given: Any) -> None:
    """An empty group with a launch template of its own, as docs/first-hour.md makes them."""
    ec2 = client(phoenix, "ec2")
    blue = group_named(phoenix, "web-blue")
    found = ec2.describe_launch_template_versions(LaunchTemplateName="web", Versions=["1"])["LaunchTemplateVersions"]
    ec2.create_launch_template(LaunchTemplateName="web-probe", LaunchTemplateData=found[0]["LaunchTemplateData"])
    client(phoenix, "autoscaling").create_auto_scaling_group(
        **{
            "AutoScalingGroupName": "web-probe",
            "LaunchTemplate": {"LaunchTemplateName": "web-probe", "Version": "1"},
            "MinSize": 0,
            "MaxSize": 0,
            "VPCZoneIdentifier": blue["VPCZoneIdentifier"],
        }
        | given
    )


def group_named(phoenix: Terminal, name: str) -> Any:
    return client(phoenix, "autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[name])[
        "AutoScalingGroups"
    ][0]


def is_as_it_was(phoenix: Terminal) -> bool:
    group = group_named(phoenix, "web-probe")
    numbers = (group["MinSize"], group["MaxSize"], group["DesiredCapacity"], group["LaunchTemplate"]["Version"])
    return numbers == (0, 0, 0, "1") and versions(phoenix) == [1]


def versions(phoenix: Terminal) -> list[int]:
    found = client(phoenix, "ec2").describe_launch_template_versions(LaunchTemplateName="web-probe")
    return sorted(each["VersionNumber"] for each in found["LaunchTemplateVersions"])


def line(answer: Answer, name: str) -> Any:
    found = [check for check in answer.document["checks"] if check["name"] == name]
    return found[0] if found else None


def failed(answer: Answer) -> set[str]:
    """Names of what failed. The sandbox's clock stands still, the doctor's and its headers' do not."""
    return {check["name"] for check in answer.document["checks"] if not check["passed"]} - {"clock"}


def verdict(check: Any) -> str:
    return ("WARN" if check["warning"] else "PASS") if check["passed"] else "FAIL"


def strike(
    phoenix: Terminal, accident: Accident, *operations: str, stage: str = "before", nth: int | None = None
) -> None:
    """Let an accident befall each of these calls, or only the nth of all writes."""
    seen = 0

    def hook(call: Call, when: str) -> None:
        nonlocal seen
        if when != stage or not (call.operation in operations or (not operations and call.mutating)):
            return
        seen += 1
        if nth in (None, seen):
            raise accident(call)

    phoenix.sandbox.intercept(hook)


def denied(call: Call) -> BaseException:
    said: Any = {"Error": {"Code": "AccessDenied", "Message": f"not authorized to perform {call.operation}"}}
    return ClientError(said, call.operation)


def lost(_: Call) -> BaseException:
    return ConnectionClosedError(endpoint_url="the sandbox")


def interrupted(_: Call) -> BaseException:
    return KeyboardInterrupt()


def undo(phoenix: Terminal, answer: Answer) -> None:
    for left in answer.document["probe"]["left"]:
        run_remedy(phoenix.sandbox.session, left["command"])
