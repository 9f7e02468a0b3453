"""Scaling policies and the alarms that set them off, as Terraform. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from phoenix.inventory.hcl import Block, Expression

_GROUP: Final = Expression("aws_autoscaling_group.green.name")
_ALARM: Final = {
    "alarm_name": "AlarmName",
    "alarm_description": "AlarmDescription",
    "actions_enabled": "ActionsEnabled",
    "alarm_actions": "AlarmActions",
    "ok_actions": "OKActions",
    "insufficient_data_actions": "InsufficientDataActions",
    "metric_name": "MetricName",
    "namespace": "Namespace",
    "statistic": "Statistic",
    "extended_statistic": "ExtendedStatistic",
    "period": "Period",
    "unit": "Unit",
    "evaluation_periods": "EvaluationPeriods",
    "datapoints_to_alarm": "DatapointsToAlarm",
    "threshold": "Threshold",
    "comparison_operator": "ComparisonOperator",
    "treat_missing_data": "TreatMissingData",
    "evaluate_low_sample_count_percentiles": "EvaluateLowSampleCountPercentile",
}


def policy(given: Mapping[str, Any], name: str, unsaid: list[str]) -> Iterator[Block]:
    """A simple, step or target tracking policy; what measures by metric maths, or predicts, is not said."""
    kind = str(given.get("PolicyType", "SimpleScaling"))
    tracking = given.get("TargetTrackingConfiguration") or {}
    custom = tracking.get("CustomizedMetricSpecification") or {}
    if kind == "PredictiveScaling" or custom.get("Metrics"):
        unsaid.append(f"scaling policy {given['PolicyName']}")
        return
    attributes = {
        "name": given["PolicyName"],
        "autoscaling_group_name": _GROUP,
        "policy_type": kind,
        "enabled": given.get("Enabled"),
        "adjustment_type": given.get("AdjustmentType"),
        "scaling_adjustment": given.get("ScalingAdjustment"),
        "cooldown": given.get("Cooldown"),
        "metric_aggregation_type": given.get("MetricAggregationType"),
        "min_adjustment_magnitude": given.get("MinAdjustmentMagnitude"),
        "estimated_instance_warmup": given.get("EstimatedInstanceWarmup"),
    }
    blocks = [_step(each) for each in given.get("StepAdjustments") or ()]
    if tracking:
        blocks.append(_tracking(tracking))
    yield Block("resource", ("aws_autoscaling_policy", name), attributes, blocks)


def _step(step: Mapping[str, Any]) -> Block:
    bounds = {
        "metric_interval_lower_bound": step.get("MetricIntervalLowerBound"),
        "metric_interval_upper_bound": step.get("MetricIntervalUpperBound"),
    }
    return Block("step_adjustment", attributes={"scaling_adjustment": step["ScalingAdjustment"], **bounds})


def _tracking(found: Mapping[str, Any]) -> Block:
    blocks = []
    predefined = found.get("PredefinedMetricSpecification")
    if predefined:
        said = {
            "predefined_metric_type": predefined["PredefinedMetricType"],
            "resource_label": predefined.get("ResourceLabel"),
        }
        blocks.append(Block("predefined_metric_specification", attributes=said))
    custom = found.get("CustomizedMetricSpecification")
    if custom:
        said = {
            "metric_name": custom["MetricName"],
            "namespace": custom["Namespace"],
            "statistic": custom["Statistic"],
            "unit": custom.get("Unit"),
        }
        dimensions = [
            Block("metric_dimension", attributes={"name": each["Name"], "value": each["Value"]})
            for each in custom.get("Dimensions") or ()
        ]
        blocks.append(Block("customized_metric_specification", attributes=said, blocks=dimensions))
    attributes = {"target_value": found["TargetValue"], "disable_scale_in": found.get("DisableScaleIn")}
    return Block("target_tracking_configuration", attributes=attributes, blocks=blocks)


def alarm(given: Mapping[str, Any], name: str, unsaid: list[str]) -> Iterator[Block]:
    """An alarm on one metric; one of metric maths is not said."""
    if given.get("Metrics"):
        unsaid.append(f"alarm {given['AlarmName']}, which computes its metric")
        return
    attributes = {word: given.get(member) for word, member in _ALARM.items()}
    attributes["dimensions"] = {each["Name"]: each["Value"] for each in given.get("Dimensions") or ()} or None
    yield Block("resource", ("aws_cloudwatch_metric_alarm", name), attributes)
