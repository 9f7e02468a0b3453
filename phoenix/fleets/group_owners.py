"""Does another service drive these Auto Scaling groups: ECS, EKS, Elastic Beanstalk, CodeDeploy, predictive scaling?

Pure. Must never call a group foreign for a tag that merely says where it was declared, as CloudFormation's do.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from phoenix.core.blocker import Blocker

CHECKS: Final = ("owned-by-another-service",)


@dataclass(frozen=True, slots=True)
class _Owner:
    """A service that has put its mark on a group: how its tag begins, what looks at its side of it, and what to do.

    `drained_by` is the kind of `before_leaving` with which phoenix may rotate the group all the same; None: no kind.
    """

    prefix: str
    name: str
    look: str
    advice: str
    drained_by: str | None = None


_REPLACES = "it would undo what phoenix does, and replaces instances itself"
_CUT_OFF = "what runs on its instances would be cut off when they leave. Have them drained first, in the policy:"
_KUBERNETES = f"{_CUT_OFF} `before_leaving: [{{kind: kubernetes}}]`. Its clusters:"
_OWNERS: Final = (
    _Owner(
        "AmazonECSManaged",
        "an ECS capacity provider",
        "aws ecs describe-capacity-providers",
        f"{_CUT_OFF} `before_leaving: [{{kind: ecs, cluster: NAME}}]`. Its providers, with their clusters:",
        "ecs",
    ),
    _Owner(
        "eks:",
        "EKS",
        "aws eks list-clusters",
        f"a managed node group is EKS's: {_REPLACES}. Let it bring the new image (aws eks update-nodegroup-version), or"
        " give the nodes a group of their own.",
    ),
    _Owner(
        "k8s.io/cluster-autoscaler",
        "the Kubernetes cluster autoscaler",
        "aws eks list-clusters",
        _KUBERNETES,
        "kubernetes",
    ),
    _Owner("kubernetes.io/cluster/", "Kubernetes", "aws eks list-clusters", _KUBERNETES, "kubernetes"),
    _Owner(
        "elasticbeanstalk:",
        "Elastic Beanstalk",
        "aws elasticbeanstalk describe-environments",
        f"{_REPLACES}. Let it rotate this group, or take the group from it.",
    ),
)
_WITHOUT_KEYS: Final = ("kubernetes",)
CODEDEPLOY: Final = "CodeDeploy-managed-"
"""The prefix of its hooks' names."""


def drained_without_keys(group: Mapping[str, Any]) -> tuple[str, ...]:
    """The kinds of `before_leaving` that the group's owners ask for, and that need no key besides: a cluster of ECS has
    to be named."""
    keys = [str(tag["Key"]) for tag in group.get("Tags", ())]
    marked = [owner for owner in _OWNERS if any(key.startswith(owner.prefix) for key in keys)]
    return tuple(kind for kind in _WITHOUT_KEYS if any(owner.drained_by == kind for owner in marked))


def judge_owner(group: Mapping[str, Any], drained_by: Collection[str] = ()) -> Iterator[Blocker]:
    """One for each service that has put its mark on the group, but for those whose work is drained: by these kinds."""
    name = str(group["AutoScalingGroupName"])
    operator = group.get("Operator") or {}
    if operator:
        yield Blocker(
            "owned-by-another-service",
            f"Auto Scaling group {name}",
            f"only {operator.get('Principal')} may change {name}, says AWS: it is the group's operator.",
            f"aws autoscaling describe-auto-scaling-groups --auto-scaling-group-names {name}",
        )
    keys = sorted(str(tag["Key"]) for tag in group.get("Tags", ()))
    for owner in _OWNERS:
        found = next((key for key in keys if key.startswith(owner.prefix)), None)
        if found is not None and owner.drained_by not in drained_by:
            yield Blocker(
                "owned-by-another-service",
                f"Auto Scaling group {name}",
                f"{owner.name} drives {name}, says its tag {found}: {owner.advice}",
                owner.look,
            )


def judge_hooks(name: str, hooks: Iterable[Mapping[str, Any]]) -> Iterator[Blocker]:
    """A hook of CodeDeploy deploys the last revision onto every new instance, or abandons its launch."""
    for hook in hooks:
        if str(hook["LifecycleHookName"]).startswith(CODEDEPLOY):
            yield Blocker(
                "codedeploy-hook",
                f"Auto Scaling group {name}",
                "CodeDeploy deploys its last revision onto every instance that is launched here, over what the image"
                " holds. Take the group out of its deployment group, or remove the hook:",
                f"aws autoscaling delete-lifecycle-hook --auto-scaling-group-name {name} \\\n"
                f"    --lifecycle-hook-name {hook['LifecycleHookName']}",
            )


def judge_predictive(name: str, policies: Iterable[Mapping[str, Any]]) -> Iterator[Blocker]:
    """A forecast that may raise the maximum works against a shrink, which is done through the maximum."""
    for policy in policies:
        config = policy.get("PredictiveScalingConfiguration") or {}
        if config.get("MaxCapacityBreachBehavior") == "IncreaseMaxCapacity" and config.get("Mode") != "ForecastOnly":
            yield Blocker(
                "predictive-scaling",
                f"Auto Scaling group {name}",
                f'the predictive scaling policy "{policy["PolicyName"]}" may raise the maximum of {name}: it would grow'
                " a slot while it is being emptied. Let it honour the maximum, or delete it meanwhile:",
                f"aws autoscaling delete-policy --auto-scaling-group-name {name} \\\n"
                f"    --policy-name {policy['PolicyName']}",
            )
