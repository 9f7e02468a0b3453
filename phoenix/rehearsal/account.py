"""`Aws` as adapters know it, over a copy: a resource that the copy lacks is read from AWS. Must never write there."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from phoenix.aws.groups import read_groups
from phoenix.aws.session import Aws
from phoenix.core.planned_call import UNKNOWN_ID, PlannedCall
from phoenix.errors import PermanentError
from phoenix.ports import Clock
from phoenix.rehearsal.groups import Groups
from phoenix.rehearsal.rules import Rules
from phoenix.rehearsal.templates import Templates

T = TypeVar("T")

Answer = Callable[[Mapping[str, Any]], dict[str, Any]]

_READS: Final = ("describe_", "get_", "list_")
_INITIAL: Final = {"State": "initial", "Reason": "Elb.RegistrationInProgress"}
_REGISTERING: Final = {"ReasonCode": "ELB", "Description": "Instance registration is still in progress."}


class RehearsedAws(Aws):
    """One group's part of an account. `calls` are the writes so far, in order."""

    def __init__(self, aws: Aws, names: Sequence[str], clock: Clock, launch: timedelta) -> None:
        super().__init__(aws.access, threads=1)
        self._real = aws
        self._clock = clock
        self._one_at_a_time = threading.RLock()
        self._groups = Groups(read_groups(aws, names), clock, launch)
        self._templates = Templates(aws, clock)
        self._rules = Rules(aws)
        self._answers: dict[str, Answer] = {
            **self._answers_of_scaling(),
            "describe_launch_template_versions": self._templates.describe,
            "create_launch_template_version": self._templates.create,
            "describe_instances": self._describe_instances,
            "describe_instance_status": _describe_status,
            "describe_rules": self._rules.describe_rules,
            "describe_listeners": self._rules.describe_listeners,
            "describe_target_group_attributes": self._rules.describe_attributes,
            "describe_target_health": self._describe_targets,
            "describe_instance_health": self._describe_classic,
            "list_targets": self._list_targets,
            "describe_tags": self._rules.describe_tags,
            "create_rule": self._rules.create_rule,
            "delete_rule": self._rules.delete_rule,
            "modify_rule": self._rules.modify_rule,
            "modify_listener": self._rules.modify_listener,
            "modify_target_group_attributes": self._rules.modify_attributes,
        }
        self.calls: list[PlannedCall] = []

    def _answers_of_scaling(self) -> dict[str, Answer]:
        groups = self._groups
        return {
            "describe_auto_scaling_groups": groups.describe,
            "describe_scaling_activities": lambda _: {"Activities": []},
            "update_auto_scaling_group": groups.update,
            "terminate_instance_in_auto_scaling_group": groups.terminate,
            "enter_standby": groups.enter_standby,
            "exit_standby": groups.exit_standby,
            "suspend_processes": groups.suspend,
            "resume_processes": groups.resume,
            "create_or_update_tags": groups.tag,
            "delete_tags": groups.untag,
            "put_lifecycle_hook": groups.put_hook,
            "delete_lifecycle_hook": groups.delete_hook,
            "complete_lifecycle_action": groups.complete,
        }

    def next_event(self) -> datetime | None:
        """When something happens by itself; None while nothing is on its way."""
        return self._groups.next_event()

    def client(self, service: str) -> Any:
        """The real one, for the shapes of the API only: adapters call nothing on it."""
        return self._real.client(service)

    def call(self, service: str, method: str, **parameters: Any) -> dict[str, Any]:
        """Answer from the copy; a write is written down.

        Raises:
            PermanentError: the copy does not know this write.
        """
        known = self._answers.get(method)
        is_read = method.startswith(_READS)
        if known is None and is_read:
            return self._real.call(service, method, **parameters)
        if known is None:
            raise PermanentError(f"a rehearsal does not know {method}")
        with self._one_at_a_time:
            if not is_read:
                self.calls.append(PlannedCall(service, operation_of(method), _as_sent(parameters), self._clock.now()))
            return known(parameters)

    def pages(self, service: str, method: str, items: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        """The same for a list over several pages."""
        if method not in self._answers:
            return self._real.pages(service, method, items, **parameters)
        return iter(self.call(service, method, **parameters)[items])

    def side_by_side(self, calls: Sequence[Callable[[], T]]) -> list[T]:
        """One by one: nothing is waited for."""
        return [call() for call in calls]

    @property
    def region(self) -> str | None:
        """The real one's."""
        return self._real.region

    def account_id(self) -> str:
        """The real one's."""
        return self._real.account_id()

    # --- answers that need more than one part of the copy ------------------------------------------------------------

    def _describe_instances(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Those that were launched here are made up; the others are asked for."""
        wanted: list[str] = [value for each in parameters["Filters"] for value in each["Values"]]
        ours = [each for each in wanted if each in self._groups.launches]
        theirs = [each for each in wanted if each not in self._groups.launches]
        found: list[dict[str, Any]] = [{"Instances": [self._described(each) for each in ours]}]
        if theirs:
            filters = [{"Name": "instance-id", "Values": theirs}]
            asked = {**parameters, "Filters": filters}
            found += self._real.pages("ec2", "describe_instances", "Reservations", **asked)
        return {"Reservations": found}

    def _described(self, instance: str) -> dict[str, Any]:
        image = self._templates.image_of(*self._groups.template_of(instance))
        started = self._clock.now()
        return {"InstanceId": instance, "ImageId": image, "LaunchTime": started, "State": {"Name": "running"}}

    def _describe_targets(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        members = self._groups.members_of(parameters["TargetGroupArn"])
        return {
            "TargetHealthDescriptions": [
                {"Target": {"Id": each}, "TargetHealth": {"State": "healthy"} if healthy else _INITIAL}
                for each, healthy in members
            ]
        }

    def _describe_classic(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        states = [
            {"InstanceId": each, "State": "InService"}
            if healthy
            else {"InstanceId": each, "State": "OutOfService", **_REGISTERING}
            for each, healthy in self._groups.members_of(parameters["LoadBalancerName"])
        ]
        return {"InstanceStates": states}

    def _list_targets(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        members = self._groups.members_of(parameters["targetGroupIdentifier"])
        return {"items": [{"id": each, "status": "HEALTHY" if ok else "INITIAL"} for each, ok in members]}


def _describe_status(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Instances kept out of service go on running."""
    well = {"InstanceState": {"Name": "running"}, "InstanceStatus": {"Status": "ok"}, "SystemStatus": {"Status": "ok"}}
    return {"InstanceStatuses": [{"InstanceId": each, **well} for each in parameters["InstanceIds"]]}


def _as_sent(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters as they are now; a token is made from the rotation's id, which is not known yet."""
    unknown = {"ClientToken": f"phoenix-{UNKNOWN_ID}"} if "ClientToken" in parameters else {}
    return deepcopy(dict(parameters)) | unknown


def operation_of(method: str) -> str:
    """AWS's name of the operation that a method of a client calls: `modify_rule` calls ModifyRule."""
    return "".join(part.title() for part in method.split("_"))
