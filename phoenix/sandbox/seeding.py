"""Build the example fleets: through the public API, in no time at all.

Builds only; `seed` defines the fleets.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import boto3
from moto.acm.models import acm_backends

from phoenix.sandbox.answers.images import ImageSpec, add_image
from phoenix.sandbox.launching import BEHAVIOUR_TAG
from phoenix.sandbox.network import cidr, subnets
from phoenix.sandbox.physics import Behaviour
from phoenix.sandbox.seeding_images import packed, runtime
from phoenix.sandbox.world import ACCOUNT, REGION, World

CERTIFICATE = f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/5a9d0b1c-3e77-4c52-9f0e-2d1b8a6c4e11"
TLS_POLICY = "ELBSecurityPolicy-TLS13-1-2-2021-06"
PORT = 8080
MAY_BE_CHANGED = [{"Key": "phoenix:managed", "Value": "true"}]
"""The tag that the owner sets on resources that phoenix may change; its rights depend on it."""
AGE = timedelta(days=3)
"""How long the live instances have been up."""
USER_DATA = """#!/bin/bash
systemctl start {name}
"""


@dataclass(frozen=True, slots=True)
class Network:
    """Where instances live."""

    vpc: str
    subnets: tuple[str, ...]
    security_group: str


@dataclass(frozen=True, slots=True)
class Size:
    """A group's numbers."""

    least: int
    most: int
    desired: int


@dataclass(frozen=True, slots=True)
class Pair:
    """A blue and a green group to build. Target group ARNs by slot; none without a load balancer."""

    name: str
    size: Size
    instance_type: str = "m7i.large"
    target_groups: Mapping[str, str] = field(default_factory=dict)
    spot_types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plain:
    """One group to build, with what it is attached to: ARNs of target groups, names of Classic Load Balancers."""

    name: str
    size: Size
    target_groups: tuple[str, ...] = ()
    balancers: tuple[str, ...] = ()


class Builder:
    """Builds fleets in one world."""

    def __init__(self, session: boto3.Session, world: World) -> None:
        self.ec2 = session.client("ec2")
        self.elbv2 = session.client("elbv2")
        self.autoscaling = session.client("autoscaling")
        self.cloudwatch = session.client("cloudwatch")
        self.sns = session.client("sns")
        self.session = session
        self.world = self._world = world
        self.network = self._find_network() or self._make_network()

    def image(self, name: str, age: timedelta, tags: Mapping[str, str], **options: Any) -> str:
        """Register an image that is that old; return its id."""
        created = self._world.timeline.now - age
        own = {**packed(name, created, runtime(self._world)), **tags}
        return add_image(self._world, ImageSpec(name, tags=own, created_at=created, **options))

    def images_of(self, service: str, newest: Behaviour) -> str:
        """The image that is live and one that is newer; return the id of the live one."""
        tags = {"service": service, "channel": "stable"}
        live = self.image(f"{service}-2026.11.11-41aa07", timedelta(days=7, minutes=31), tags)
        marked = tags if newest is Behaviour.HEALTHY else tags | {BEHAVIOUR_TAG: newest.value}
        self.image(f"{service}-2026.11.18-9f2c1e", timedelta(minutes=27), marked)
        return live

    def load_balancer(self, name: str) -> str:
        """An internet-facing ALB in all zones."""
        made = self.elbv2.create_load_balancer(
            Name=name,
            Subnets=list(self.network.subnets),
            SecurityGroups=[self.network.security_group],
            Scheme="internet-facing",
            Type="application",
        )
        return str(made["LoadBalancers"][0]["LoadBalancerArn"])

    def target_group(self, name: str, **options: Any) -> str:
        """A target group with quick health checks and a short deregistration delay."""
        settings: dict[str, Any] = {
            "Protocol": "HTTP",
            "Port": PORT,
            "HealthCheckPath": "/healthz",
            "HealthCheckIntervalSeconds": 5,
            "HealthCheckTimeoutSeconds": 2,
            "HealthyThresholdCount": 2,
            "UnhealthyThresholdCount": 2,
        }
        made = self.elbv2.create_target_group(
            Name=name, VpcId=self.network.vpc, Tags=MAY_BE_CHANGED, **(settings | options)
        )
        arn = str(made["TargetGroups"][0]["TargetGroupArn"])
        self.elbv2.modify_target_group_attributes(
            TargetGroupArn=arn, Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "30"}]
        )
        return arn

    def listener(self, load_balancer: str, port: int, action: Mapping[str, Any]) -> str:
        """A listener; on 443 with HTTPS and a certificate. phoenix may change it if its action has weights."""
        secure: dict[str, Any] = {}
        if port == 443:
            self.ensure_certificate()
            secure = {"Certificates": [{"CertificateArn": CERTIFICATE}], "SslPolicy": TLS_POLICY}
        made = self.elbv2.create_listener(
            LoadBalancerArn=load_balancer,
            Protocol="HTTPS" if secure else "HTTP",
            Port=port,
            DefaultActions=[action],
            **_marks(action),
            **secure,
        )
        return str(made["Listeners"][0]["ListenerArn"])

    def rule(self, listener: str, priority: int, path: str, action: Mapping[str, Any]) -> str:
        """A rule for a path. phoenix may change it if its action has weights."""
        made = self.elbv2.create_rule(
            ListenerArn=listener,
            Priority=priority,
            Conditions=[{"Field": "path-pattern", "PathPatternConfig": {"Values": [path]}}],
            Actions=[action],
            **_marks(action),
        )
        return str(made["Rules"][0]["RuleArn"])

    def pair(self, pair: Pair, image: str) -> None:
        """The launch template, and both groups: blue lives, green is empty."""
        template = self._template(pair.name, pair.instance_type, image)
        cold = Size(0, 0, 0)
        for slot, size in (("blue", pair.size), ("green", cold)):
            sources = _attached([pair.target_groups[slot]] if slot in pair.target_groups else [])
            self._group(f"{pair.name}-{slot}", size, _launches(template, pair.spot_types) | sources, pair.name)
        self._world.catch_up()
        self._age(f"{pair.name}-blue")

    def plain(self, plain: Plain, image: str) -> None:
        """The launch template, and the one group that lives."""
        template = self._template(plain.name, "m7i.large", image)
        sources = _attached(plain.target_groups, plain.balancers)
        self._group(plain.name, plain.size, _launches(template, ()) | sources, plain.name)
        self._world.catch_up()
        self._age(plain.name)

    def alarm(self, name: str, load_balancer: str, metric: str) -> None:
        """An alarm on the load balancer, in OK."""
        statistic = {"ExtendedStatistic": "p99"} if metric == "TargetResponseTime" else {"Statistic": "Sum"}
        self.cloudwatch.put_metric_alarm(
            AlarmName=name,
            Namespace="AWS/ApplicationELB",
            MetricName=metric,
            Dimensions=[{"Name": "LoadBalancer", "Value": load_balancer.partition(":loadbalancer/")[2]}],
            ComparisonOperator="GreaterThanThreshold",
            Threshold=25.0 if "Statistic" in statistic else 1.0,
            EvaluationPeriods=3,
            DatapointsToAlarm=1,
            Period=60,
            TreatMissingData="notBreaching",
            **statistic,
        )
        self.cloudwatch.set_alarm_state(
            AlarmName=name,
            StateValue="OK",
            StateReason="Threshold Crossed: 3 datapoints were not greater than the threshold.",
        )

    def watch(self, name: str, balancer: str) -> None:
        """The alarms that the example policies name, and a topic for news."""
        self.alarm(f"{name}-5xx", balancer, "HTTPCode_Target_5XX_Count")
        self.alarm(f"{name}-p99", balancer, "TargetResponseTime")
        self.sns.create_topic(Name="phoenix")

    def track_load(self, group: str) -> None:
        """A target tracking policy."""
        self.autoscaling.put_scaling_policy(
            AutoScalingGroupName=group,
            PolicyName="cpu-60",
            PolicyType="TargetTrackingScaling",
            TargetTrackingConfiguration={
                "PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageCPUUtilization"},
                "TargetValue": 60.0,
            },
        )

    def _template(self, name: str, instance_type: str, image: str) -> str:
        made = self.ec2.create_launch_template(
            LaunchTemplateName=name,
            VersionDescription="baseline",
            TagSpecifications=[{"ResourceType": "launch-template", "Tags": MAY_BE_CHANGED}],
            LaunchTemplateData={
                "ImageId": image,
                "InstanceType": instance_type,
                "SecurityGroupIds": [self.network.security_group],
                "UserData": base64.b64encode(USER_DATA.format(name=name).encode()).decode(),
                "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 1, "HttpEndpoint": "enabled"},
                "TagSpecifications": [{"ResourceType": "instance", "Tags": [{"Key": "service", "Value": name}]}],
            },
        )
        return str(made["LaunchTemplate"]["LaunchTemplateId"])

    def _group(self, name: str, size: Size, source: Mapping[str, Any], service: str) -> None:
        self.autoscaling.create_auto_scaling_group(
            AutoScalingGroupName=name,
            MinSize=size.least,
            MaxSize=size.most,
            DesiredCapacity=size.desired,
            VPCZoneIdentifier=",".join(self.network.subnets),
            HealthCheckGracePeriod=60,
            DefaultInstanceWarmup=30,
            Tags=[
                {"Key": "service", "Value": service, "PropagateAtLaunch": True},
                *({**tag, "PropagateAtLaunch": False} for tag in MAY_BE_CHANGED),
            ],
            **source,
        )

    def _age(self, name: str) -> None:
        """Move the birth of the group's instances, and of the activities about it, into the past."""
        group = self._world.scaling.groups[name]
        group.created -= AGE
        for member in group.members:
            member.launched -= AGE
            member.in_service_since = member.launched
            machine = self._world.servers[member.instance_id].instance
            machine.launch_time -= AGE
            for disk in machine.block_device_mapping.values():
                disk.attach_time -= AGE
        for activity in group.activities:
            activity.start -= AGE
            activity.end = activity.end and activity.end - AGE

    def ensure_certificate(self) -> None:
        """A certificate that only has to be there: making a real one takes longer than all the rest."""
        certificates = acm_backends[ACCOUNT][REGION]._certificates
        if CERTIFICATE not in certificates:
            certificates[CERTIFICATE] = _Certificate()

    def _find_network(self) -> Network | None:
        found = self.ec2.describe_vpcs(Filters=[{"Name": "cidr", "Values": [cidr()]}])["Vpcs"]
        if not found:
            return None
        vpc = found[0]["VpcId"]
        of_vpc = [{"Name": "vpc-id", "Values": [vpc]}]
        subnets = self.ec2.describe_subnets(Filters=of_vpc)["Subnets"]
        groups = self.ec2.describe_security_groups(Filters=[*of_vpc, {"Name": "group-name", "Values": ["web"]}])
        ordered = sorted(subnets, key=lambda subnet: subnet["AvailabilityZone"])
        return Network(vpc, tuple(each["SubnetId"] for each in ordered), groups["SecurityGroups"][0]["GroupId"])

    def _make_network(self) -> Network:
        vpc = self.ec2.create_vpc(CidrBlock=cidr())["Vpc"]["VpcId"]
        made_subnets: Sequence[str] = [
            self.ec2.create_subnet(VpcId=vpc, CidrBlock=block, AvailabilityZone=f"{REGION}{zone}")["Subnet"]["SubnetId"]
            for zone, block in subnets().items()
        ]
        made = self.ec2.create_security_group(GroupName="web", Description="the example fleets", VpcId=vpc)
        return Network(vpc, tuple(made_subnets), made["GroupId"])


class _Certificate:
    """As much of a certificate as a listener asks for."""

    def __init__(self) -> None:
        self.in_use_by: list[str] = []
        self.arn = CERTIFICATE

    def check(self) -> None:
        """moto renews certificates here; this one never ends."""


def forward(weights: Mapping[str, int]) -> dict[str, Any]:
    """A weighted forward action."""
    return {
        "Type": "forward",
        "ForwardConfig": {
            "TargetGroups": [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in weights.items()],
            "TargetGroupStickinessConfig": {"Enabled": False},
        },
    }


def _launches(template: str, spot_types: Sequence[str]) -> dict[str, Any]:
    spec = {"LaunchTemplateId": template, "Version": "1"}
    if not spot_types:
        return {"LaunchTemplate": spec}
    return {
        "MixedInstancesPolicy": {
            "LaunchTemplate": {
                "LaunchTemplateSpecification": spec,
                "Overrides": [{"InstanceType": kind} for kind in spot_types],
            },
            "InstancesDistribution": {"OnDemandBaseCapacity": 1, "OnDemandPercentageAboveBaseCapacity": 0},
        }
    }


def _attached(target_groups: Sequence[str], balancers: Sequence[str] = ()) -> dict[str, Any]:
    return {
        "TargetGroupARNs": list(target_groups),
        "LoadBalancerNames": list(balancers),
        "HealthCheckType": "ELB" if target_groups or balancers else "EC2",
    }


def _marks(action: Mapping[str, Any]) -> dict[str, Any]:
    return {"Tags": MAY_BE_CHANGED} if len(action.get("ForwardConfig", {}).get("TargetGroups", ())) > 1 else {}


def fixed(text: str) -> dict[str, Any]:
    """Return a fixed response: an unrelated rule, or an empty answer."""
    return {
        "Type": "fixed-response",
        "FixedResponseConfig": {"StatusCode": "404", "ContentType": "text/plain", "MessageBody": text},
    }
