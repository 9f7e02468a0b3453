"""What the owner's IaC does when it replaces a resource: made anew, the users of the old one pointed to it, the old one
deleted. Plain boto3, past every hook, and never among the drivers' calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.rotation.stage import SLOTS, Stage

MANAGED = [{"Key": "phoenix:managed", "Value": "true"}]
_CHECKS = (
    "HealthCheckPath",
    "HealthCheckIntervalSeconds",
    "HealthCheckTimeoutSeconds",
    "HealthyThresholdCount",
    "UnhealthyThresholdCount",
)


def target_group(stage: Stage, slot: str) -> Any:
    """The one that the slot registers with now, as AWS describes it."""
    arns = [each["Identifier"] for each in stage.slot(slot)["TrafficSources"]]
    with stage.unnoticed():
        return stage.client("elbv2").describe_target_groups(TargetGroupArns=arns)["TargetGroups"][-1]


def make_target_group(stage: Stage, slot: str, name: str) -> str:
    """One like the slot's own, under another name."""
    was = target_group(stage, slot)
    with stage.unnoticed():
        made = stage.client("elbv2").create_target_group(
            Name=name,
            Protocol="HTTP",
            Port=was["Port"],
            VpcId=was["VpcId"],
            Tags=MANAGED,
            **{key: was[key] for key in _CHECKS},
        )["TargetGroups"][0]
        stage.client("elbv2").modify_target_group_attributes(
            TargetGroupArn=made["TargetGroupArn"],
            Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "10"}],
        )
    return str(made["TargetGroupArn"])


def attach(stage: Stage, slot: str, arn: str) -> None:
    with stage.unnoticed():
        stage.client("autoscaling").attach_load_balancer_target_groups(
            AutoScalingGroupName=f"{stage.name}-{slot}", TargetGroupARNs=[arn]
        )


def detach(stage: Stage, slot: str, arn: str) -> None:
    with stage.unnoticed():
        stage.client("autoscaling").detach_load_balancer_target_groups(
            AutoScalingGroupName=f"{stage.name}-{slot}", TargetGroupARNs=[arn]
        )


def reroute(stage: Stage, instead: Mapping[str, str]) -> None:
    """Let every rule forward to the new target groups, by old ones, with the weights that it has."""
    for rule in stage.rules():
        groups = rule["Actions"][0].get("ForwardConfig", {}).get("TargetGroups", [])
        if any(group["TargetGroupArn"] in instead for group in groups):
            moved = [dict(g, TargetGroupArn=instead.get(g["TargetGroupArn"], g["TargetGroupArn"])) for g in groups]
            stage.rewrite(rule, [{"Type": "forward", "ForwardConfig": {"TargetGroups": moved}}])


def delete_target_group(stage: Stage, arn: str) -> None:
    with stage.unnoticed():
        stage.client("elbv2").delete_target_group(TargetGroupArn=arn)


def replace_target_group(stage: Stage, slot: str, name: str = "") -> str:
    """Create before destroy; the instances are healthy in the new one when this returns."""
    old = target_group(stage, slot)["TargetGroupArn"]
    new = make_target_group(stage, slot, name or f"{stage.name}-{slot}-new")
    attach(stage, slot, new)
    reroute(stage, {old: new})
    detach(stage, slot, old)
    delete_target_group(stage, old)
    stage.clock.advance(60)
    return new


def replace_rules(stage: Stage) -> None:
    """Delete every rule but the listeners' own, and make it anew with the same conditions and actions."""
    elbv2 = stage.client("elbv2")
    with stage.unnoticed():
        for rule in (rule for rule in stage.rules() if not rule["IsDefault"]):
            elbv2.delete_rule(RuleArn=rule["RuleArn"])
            elbv2.create_rule(
                ListenerArn=rule["ListenerArn"],
                Conditions=rule["Conditions"],
                Priority=int(rule["Priority"]),
                Actions=rule["Actions"],
                Tags=MANAGED,
            )


def replace_listeners(stage: Stage) -> None:
    """Delete every listener, and make it anew on the same load balancer and port."""
    elbv2 = stage.client("elbv2")
    with stage.unnoticed():
        for balancer in elbv2.describe_load_balancers()["LoadBalancers"]:
            for listener in elbv2.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]:
                elbv2.delete_listener(ListenerArn=listener["ListenerArn"])
                _make_listener(stage, balancer["LoadBalancerArn"], listener, listener["DefaultActions"])


def replace_balancer(stage: Stage) -> None:
    """A new load balancer with a new target group for each slot; the old ones are deleted."""
    elbv2 = stage.client("elbv2")
    with stage.unnoticed():
        old = elbv2.describe_load_balancers(Names=[stage.name])["LoadBalancers"][0]
        listeners = elbv2.describe_listeners(LoadBalancerArn=old["LoadBalancerArn"])["Listeners"]
        made = elbv2.create_load_balancer(
            Name=f"{stage.name}-new", Subnets=[zone["SubnetId"] for zone in old["AvailabilityZones"]]
        )["LoadBalancers"][0]
    before = {slot: target_group(stage, slot)["TargetGroupArn"] for slot in SLOTS}
    after = {slot: make_target_group(stage, slot, f"{stage.name}-{slot}-new") for slot in SLOTS}
    instead = {before[slot]: after[slot] for slot in SLOTS}
    with stage.unnoticed():
        for listener in listeners:
            groups = listener["DefaultActions"][0]["ForwardConfig"]["TargetGroups"]
            moved = [
                dict(g, TargetGroupArn=instead[g["TargetGroupArn"]]) for g in groups if g["TargetGroupArn"] in instead
            ]
            actions = [{"Type": "forward", "ForwardConfig": {"TargetGroups": moved}}]
            _make_listener(stage, made["LoadBalancerArn"], listener, actions)
        elbv2.delete_load_balancer(LoadBalancerArn=old["LoadBalancerArn"])
    for slot in SLOTS:
        attach(stage, slot, after[slot])
        detach(stage, slot, before[slot])
        delete_target_group(stage, before[slot])
    stage.clock.advance(60)


def _make_listener(stage: Stage, balancer: str, like: Mapping[str, Any], actions: list[dict[str, Any]]) -> None:
    certificates = {"Certificates": like["Certificates"]} if like.get("Certificates") else {}
    stage.client("elbv2").create_listener(
        LoadBalancerArn=balancer,
        Protocol=like["Protocol"],
        Port=like["Port"],
        DefaultActions=actions,
        Tags=MANAGED,
        **certificates,
    )


def version_data(stage: Stage, slot: str) -> dict[str, Any]:
    """What the slot's template version says."""
    use = stage.slot(slot)["LaunchTemplate"]
    with stage.unnoticed():
        found = stage.client("ec2").describe_launch_template_versions(
            LaunchTemplateId=use["LaunchTemplateId"], Versions=[use["Version"]]
        )
    return dict(found["LaunchTemplateVersions"][0]["LaunchTemplateData"])


def image(stage: Stage, name: str) -> str:
    """The id of the image of that name."""
    with stage.unnoticed():
        found = stage.client("ec2").describe_images(Filters=[{"Name": "name", "Values": [name]}])
    return str(found["Images"][0]["ImageId"])


def replace_template(stage: Stage, image_name: str, *slots: str, name: str = "web-again") -> str:
    """A template made anew, whose only version has this image; the slots launch from it. Its id.

    The old one stays: what the drivers asked for is held against rights when the test is over, templates included.
    """
    ec2 = stage.client("ec2")
    content = version_data(stage, "blue") | {"ImageId": image(stage, image_name)}
    with stage.unnoticed():
        made = ec2.create_launch_template(
            LaunchTemplateName=name,
            LaunchTemplateData=content,
            TagSpecifications=[{"ResourceType": "launch-template", "Tags": MANAGED}],
        )["LaunchTemplate"]
        for slot in slots or SLOTS:
            stage.client("autoscaling").update_auto_scaling_group(
                AutoScalingGroupName=f"{stage.name}-{slot}",
                LaunchTemplate={"LaunchTemplateId": made["LaunchTemplateId"], "Version": "1"},
            )
    return str(made["LaunchTemplateId"])


def delete_versions(stage: Stage, *numbers: str) -> None:
    """Old versions are cleaned up, the owner's among them; the newest is the default one from then on."""
    ec2, use = stage.client("ec2"), stage.slot("green")["LaunchTemplate"]
    with stage.unnoticed():
        ec2.modify_launch_template(LaunchTemplateId=use["LaunchTemplateId"], DefaultVersion=use["Version"])
        ec2.delete_launch_template_versions(LaunchTemplateId=use["LaunchTemplateId"], Versions=list(numbers))


def replace_group(stage: Stage, slot: str, version: str, **sizes: int) -> None:
    """Destroy the slot's Auto Scaling group and create one of the same name, launched from that template version."""
    was, autoscaling = stage.slot(slot), stage.client("autoscaling")
    launches = {"LaunchTemplateId": was["LaunchTemplate"]["LaunchTemplateId"], "Version": version}
    kept = ("VPCZoneIdentifier", "HealthCheckType", "HealthCheckGracePeriod", "DefaultInstanceWarmup")
    with stage.unnoticed():
        autoscaling.delete_auto_scaling_group(AutoScalingGroupName=f"{stage.name}-{slot}", ForceDelete=True)
        stage.clock.advance(120)
        autoscaling.create_auto_scaling_group(
            AutoScalingGroupName=f"{stage.name}-{slot}",
            TargetGroupARNs=[each["Identifier"] for each in was["TrafficSources"]],
            LaunchTemplate=launches,
            Tags=[dict(tag, PropagateAtLaunch=False) for tag in MANAGED],
            **({"MinSize": 2, "MaxSize": 12, "DesiredCapacity": 4} | sizes),
            **{key: was[key] for key in kept},
        )
    stage.clock.advance(300)
