"""Who made an Auto Scaling group, by its tags and its name. Pure.

Must never say more than a tag or a name does: a group without a trace has no maker.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

_BY_KEY: Final = (
    ("eks:", "EKS"),
    ("k8s.io/cluster-autoscaler", "EKS"),
    ("kubernetes.io/cluster/", "Kubernetes"),
    ("AmazonECSManaged", "ECS"),
    ("elasticbeanstalk:", "Elastic Beanstalk"),
    ("aws:cloudformation:", "CloudFormation"),
)
"""The beginning of a tag's key, and the service that sets it; the most particular first."""
_TOOLS: Final = {"terraform": "Terraform", "opentofu": "OpenTofu", "pulumi": "Pulumi", "cdk": "CDK"}
DECLARING: Final = frozenset((*_TOOLS.values(), "CloudFormation"))
"""Makers that put back what they have declared, with each apply."""
_SAYING: Final = re.compile(r"(managed|created|provisioned|deployed)[-_:. ]?(by|with)|provisioner|iac", re.IGNORECASE)
"""Keys by which owners say which tool made a resource."""
_BY_NAME: Final = (
    (re.compile(r"CodeDeploy_.+_d-[A-Z0-9]+"), "CodeDeploy"),
    # A name_prefix of the AWS provider is followed by 18 digits of time and 8 of a counter in hex.
    (re.compile(r".*\d{18}[0-9a-f]{8}"), "Terraform"),
    (re.compile(r"(terraform|tf-asg)-\d+[0-9a-f]*"), "Terraform"),
)


def maker_of(group: Mapping[str, Any]) -> str | None:
    """The service or tool that made the group; None where nothing says so."""
    tags = {str(tag["Key"]): str(tag.get("Value", "")) for tag in group.get("Tags", ())}
    for prefix, maker in _BY_KEY:
        if any(key.startswith(prefix) for key in tags):
            return maker
    for key, value in sorted(tags.items()):
        for word, maker in _TOOLS.items():
            if word in key.lower() or (_SAYING.search(key) and word in value.lower()):
                return maker
    name = str(group["AutoScalingGroupName"])
    return next((maker for pattern, maker in _BY_NAME if pattern.fullmatch(name)), None)
