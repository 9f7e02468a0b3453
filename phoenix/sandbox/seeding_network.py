"""Build the example fleets behind a Network Load Balancer: its parts, beside those of `seeding`.

Builds only; `seed` defines the fleets.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from phoenix.sandbox.seeding import CERTIFICATE, MAY_BE_CHANGED, TLS_POLICY, Builder

CLOSES_AFTER_DRAIN = {"Key": "deregistration_delay.connection_termination.enabled", "Value": "true"}


def network_load_balancer(builder: Builder, name: str) -> str:
    """An internet-facing one in all zones; each zone serves its own share, which is the default."""
    made = builder.elbv2.create_load_balancer(
        Name=name,
        Subnets=list(builder.network.subnets),
        SecurityGroups=[builder.network.security_group],
        Scheme="internet-facing",
        Type="network",
    )
    return str(made["LoadBalancers"][0]["LoadBalancerArn"])


def network_target_group(builder: Builder, name: str, protocol: str = "TCP") -> str:
    """One with quick health checks over HTTP, whose connections are closed at the end of a short drain."""
    arn = builder.target_group(name, Protocol=protocol, HealthCheckProtocol="HTTP")
    builder.elbv2.modify_target_group_attributes(TargetGroupArn=arn, Attributes=[CLOSES_AFTER_DRAIN])
    return arn


def network_listener(
    builder: Builder, load_balancer: str, port: int, action: Mapping[str, Any], protocol: str = "TCP"
) -> str:
    """A listener that phoenix may change; for TLS with a certificate."""
    secure: dict[str, Any] = {}
    if protocol == "TLS":
        builder.ensure_certificate()
        secure = {"Certificates": [{"CertificateArn": CERTIFICATE}], "SslPolicy": TLS_POLICY}
    made = builder.elbv2.create_listener(
        LoadBalancerArn=load_balancer,
        Protocol=protocol,
        Port=port,
        DefaultActions=[action],
        Tags=MAY_BE_CHANGED,
        **secure,
    )
    return str(made["Listeners"][0]["ListenerArn"])


def network_alarm(builder: Builder, name: str, load_balancer: str) -> None:
    """An alarm on connections that targets have reset, in OK."""
    builder.cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace="AWS/NetworkELB",
        MetricName="TCP_Target_Reset_Count",
        Dimensions=[{"Name": "LoadBalancer", "Value": load_balancer.partition(":loadbalancer/")[2]}],
        ComparisonOperator="GreaterThanThreshold",
        Threshold=25.0,
        EvaluationPeriods=3,
        DatapointsToAlarm=1,
        Period=60,
        TreatMissingData="notBreaching",
        Statistic="Sum",
    )
    builder.cloudwatch.set_alarm_state(
        AlarmName=name,
        StateValue="OK",
        StateReason="Threshold Crossed: 3 datapoints were not greater than the threshold.",
    )
