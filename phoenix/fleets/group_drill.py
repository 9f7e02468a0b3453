"""End one instance of a group on purpose, gently or like a crash, and the rights for it.

Must never lower the desired capacity: a drill asks whether the group replaces what it has lost.
"""

from __future__ import annotations

import logging
from typing import Final

from phoenix.aws.groups import read_groups
from phoenix.aws.rights import GROUPS, IS_MANAGED, ROTATE, Right, Rights, arn
from phoenix.aws.session import Aws
from phoenix.core.action import EndInstance
from phoenix.errors import AccessDenied, PermanentError, TransientError

log = logging.getLogger(__name__)

IAM_ACTIONS: Final[Rights] = frozenset(
    {Right("autoscaling:TerminateInstanceInAutoScalingGroup", "ChangeGroups", ROTATE, GROUPS, (IS_MANAGED,))}
)
"""For groups whose policy has a `drill` section only."""
CRASH: Final[Rights] = frozenset(
    {Right("ec2:TerminateInstances", "CrashInstances", ROTATE, (arn("ec2", "instance/*"),), (IS_MANAGED,))}
)
"""For `drill --hard`, in a document of its own: on instances that carry the owner's tag, which a group hands on to them
if the tag is set to be propagated at launch."""


def end_instance(aws: Aws, group: str, action: EndInstance) -> None:
    """End it; one that has gone, or is on its way out, is no error."""
    try:
        if action.hard:
            aws.call("ec2", "terminate_instances", InstanceIds=[action.instance])
        else:
            aws.call(
                "autoscaling",
                "terminate_instance_in_auto_scaling_group",
                InstanceId=action.instance,
                ShouldDecrementDesiredCapacity=False,
            )
    except (PermanentError, TransientError) as error:
        # Of one on its way out Auto Scaling says ScalingActivityInProgress; of one that is gone it has sentences.
        if isinstance(error, AccessDenied) or _serves(aws, group, action.instance):
            raise
        log.info("instance.gone", extra={"auto_scaling_group": group, "instance": action.instance})


def _serves(aws: Aws, group: str, instance: str) -> bool:
    found = read_groups(aws, (group,)).get(group, {})
    members = found.get("Instances", ())
    return any(m["InstanceId"] == instance and m["LifecycleState"] == "InService" for m in members)
