"""A call that was made, and the facts about the account that tell what it was about."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from botocore.exceptions import ClientError

from tests.iam.evaluator import Context, Request

ACCOUNT, REGION = "123456789012", "eu-west-1"
PREFIXES = {"elb": "elasticloadbalancing", "elbv2": "elasticloadbalancing", "service-quotas": "servicequotas"}
NAMES = {"lambda:Invoke": "lambda:InvokeFunction", "s3:ListObjectsV2": "s3:ListBucket"}
Ask = Callable[..., Any]
"""`ask(service, method, **parameters)`: a question to the account that is not among the recorded calls."""


@dataclass(frozen=True)
class Asked:
    """A call that was made. `group` is the Auto Scaling group of the instance that it names, if it names one."""

    service: str
    operation: str
    params: Mapping[str, Any]
    group: str | None = None

    @property
    def action(self) -> str:
        action = f"{PREFIXES.get(self.service, self.service)}:{self.operation}"
        return NAMES.get(action, action)


def arn(service: str, resource: str, *, region: str = REGION, account: str = ACCOUNT) -> str:
    return f"arn:aws:{service}:{region}:{account}:{resource}"


KEY = arn("kms", "key/1f0c8c1e-6d7c-4b0a-9a53-2b1d8a6c4e11")
"""The account's own. Table, bucket and topics are encrypted with it, so AWS asks for rights on it, too."""


def with_key(service: str, *actions: str) -> Iterator[Request]:
    for action in actions:
        yield Request(f"kms:{action}", KEY, {"kms:ViaService": f"{service}.{REGION}.amazonaws.com"})


@dataclass
class Account:
    """The resources, with their tags and owners. Asked for once."""

    ask: Ask
    _answers: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def groups(self) -> dict[str, Any]:
        found = self.ask("autoscaling", "describe_auto_scaling_groups", MaxRecords=100)["AutoScalingGroups"]
        return {group["AutoScalingGroupName"]: group for group in found}

    @cached_property
    def templates(self) -> dict[str, dict[str, str]]:
        found = self.ask("ec2", "describe_launch_templates")["LaunchTemplates"]
        return {each["LaunchTemplateId"]: tags_of(each) for each in found}

    @cached_property
    def owners(self) -> dict[str, str]:
        """By image, as `ec2:Owner` has them: the alias where there is one."""
        found = self.ask("ec2", "describe_images")["Images"]
        return {each["ImageId"]: each.get("ImageOwnerAlias") or each["OwnerId"] for each in found}

    def content(self, template: str, version: str) -> dict[str, Any]:
        """Of one that was deleted since, the default one's: they differ in the image."""
        asked = {"service": "ec2", "method": "describe_launch_template_versions", "LaunchTemplateId": template}
        try:
            found = self._told(**asked, Versions=[version])
        except ClientError:
            found = self._told(**asked, Versions=["$Default"])
        return dict(found["LaunchTemplateVersions"][0]["LaunchTemplateData"])

    def on_group(self, name: str) -> tuple[str, Context]:
        group = self.groups[name]
        return group["AutoScalingGroupARN"], resource_tags(tags_of(group))

    def on_balancing(self, resource: str) -> tuple[str, Context]:
        found = self._told("elbv2", "describe_tags", ResourceArns=[resource])["TagDescriptions"][0]
        return resource, resource_tags(tags_of(found))

    def on_template(self, template: str) -> tuple[str, Context]:
        if template not in self.templates:
            del self.templates  # made since they were read
        return arn("ec2", f"launch-template/{template}"), resource_tags(self.templates[template])

    def _told(self, service: str, method: str, **parameters: Any) -> Any:
        question = f"{service} {method} {parameters}"
        if question not in self._answers:
            self._answers[question] = self.ask(service, method, **parameters)
        return self._answers[question]


def resource_tags(tags: Mapping[str, str]) -> Context:
    return {f"aws:ResourceTag/{key}": value for key, value in tags.items()}


def tags_of(item: Mapping[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in item.get("Tags", ())}
