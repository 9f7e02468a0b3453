"""Drivers that are wrong on purpose: what the users lose shows that the set-up can see a loss.

Never imported by phoenix, and never made of its parts: each is a script that an operator might have written.
"""

from __future__ import annotations

from typing import Any

from tests.e2e.rig import Rig

BLUE, GREEN, PLAIN = "web-blue", "web-green", "api"
SIZE = 4
BOOT_S = 60
"""Long enough for instances to boot and to be found healthy."""
AFTERMATH_S = 30
KILLED = 2


def early_shift(rig: Rig) -> None:
    """All weight to the new slot while its instances boot."""
    rig.mark("weights before health")
    _resize(rig, GREEN, SIZE)
    _shift(rig)
    rig.rest(BOOT_S)


def no_propagation_wait(rig: Rig) -> None:
    """The old slot is emptied as soon as the API has taken the new weights."""
    rig.mark("growing")
    _resize(rig, GREEN, SIZE)
    rig.rest(2 * BOOT_S)
    rig.mark("shifted and shrunk at once")
    _shift(rig)
    _resize(rig, BLUE, 0)
    rig.rest(AFTERMATH_S)


def hard_kill(rig: Rig) -> None:
    """Instances that serve lose their power."""
    rig.mark("instances killed")
    for instance in _members(rig, BLUE)[:KILLED]:
        rig.box.kill_instance(instance)
    rig.rest(AFTERMATH_S)


def no_drain(rig: Rig) -> None:
    """Instances leave their group with a deregistration delay of nothing."""
    elbv2: Any = rig.box.session.client("elbv2")
    found = elbv2.describe_target_groups(Names=[PLAIN])["TargetGroups"][0]["TargetGroupArn"]
    elbv2.modify_target_group_attributes(
        TargetGroupArn=found, Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "0"}]
    )
    rig.mark("instances leave undrained")
    autoscaling: Any = rig.box.session.client("autoscaling")
    for instance in _members(rig, PLAIN)[:KILLED]:
        autoscaling.enter_standby(
            AutoScalingGroupName=PLAIN, InstanceIds=[instance], ShouldDecrementDesiredCapacity=True
        )
        rig.rest(AFTERMATH_S)


def _members(rig: Rig, group: str) -> list[str]:
    autoscaling: Any = rig.box.session.client("autoscaling")
    found = autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[group])["AutoScalingGroups"][0]
    return [str(each["InstanceId"]) for each in found["Instances"]]


def _resize(rig: Rig, group: str, size: int) -> None:
    autoscaling: Any = rig.box.session.client("autoscaling")
    autoscaling.update_auto_scaling_group(
        AutoScalingGroupName=group, MinSize=size, MaxSize=3 * SIZE, DesiredCapacity=size
    )


def _shift(rig: Rig) -> None:
    elbv2: Any = rig.box.session.client("elbv2")
    groups = {
        each["TargetGroupName"]: each["TargetGroupArn"] for each in elbv2.describe_target_groups()["TargetGroups"]
    }
    weights = [{"TargetGroupArn": groups[name], "Weight": weight} for name, weight in ((BLUE, 0), (GREEN, 100))]
    actions = [{"Type": "forward", "ForwardConfig": {"TargetGroups": weights}}]
    balancer = elbv2.describe_load_balancers(Names=["web"])["LoadBalancers"][0]["LoadBalancerArn"]
    for listener in elbv2.describe_listeners(LoadBalancerArn=balancer)["Listeners"]:
        for rule in elbv2.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]:
            if rule["IsDefault"]:
                elbv2.modify_listener(ListenerArn=listener["ListenerArn"], DefaultActions=actions)
            else:
                elbv2.modify_rule(RuleArn=rule["RuleArn"], Actions=actions)
