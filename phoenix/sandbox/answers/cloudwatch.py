"""CloudWatch: alarms with their times and their history, which moto does not keep, and load balancers' metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from phoenix.sandbox.answers.common import page, refuse
from phoenix.sandbox.measurements import NAMESPACE
from phoenix.sandbox.world import World

STATES = ("OK", "ALARM", "INSUFFICIENT_DATA")


def set_state(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """SetAlarmState."""
    alarm = world.alarms.find(params["AlarmName"])
    if alarm is None or params["StateValue"] not in STATES:
        return None
    world.alarms.set(alarm, params["StateValue"], params["StateReason"], params.get("StateReasonData") or "{}")
    return {}


def put_composite(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """PutCompositeAlarm, which moto does not know; the rule is kept as it is, and not evaluated."""
    world.cloudwatch().put_metric_alarm(
        name=params["AlarmName"], namespace="", metric_name="", metric_data_queries=None, comparison_operator="",
        evaluation_periods=0, datapoints_to_alarm=None, period=0, threshold=0.0, statistic="", extended_statistic=None,
        description=params.get("AlarmDescription", ""), dimensions=[], alarm_actions=params.get("AlarmActions", []),
        ok_actions=params.get("OKActions"), insufficient_data_actions=params.get("InsufficientDataActions"), unit=None,
        actions_enabled=params.get("ActionsEnabled", True), treat_missing_data=None,
        evaluate_low_sample_count_percentile=None, threshold_metric_id=None, rule=params["AlarmRule"],
        tags=params.get("Tags", []),
    )  # fmt: skip
    return {}


def describe_history(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """DescribeAlarmHistory: newest first unless asked otherwise; only changes of state."""
    found = list(world.alarms.history)
    if params.get("AlarmName"):
        found = [each for each in found if each["AlarmName"] == params["AlarmName"]]
    if params.get("HistoryItemType"):
        found = [each for each in found if each["HistoryItemType"] == params["HistoryItemType"]]
    start, end = params.get("StartDate"), params.get("EndDate")
    found = [each for each in found if _within(each["Timestamp"], start, end)]
    if params.get("ScanBy") != "TimestampAscending":
        found.reverse()
    items, token = page(found, params.get("NextToken"), int(params.get("MaxRecords") or 50))
    return {"AlarmHistoryItems": items, "NextToken": token}


def describe_alarms(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """DescribeAlarms: all filters at once, composite alarms only when asked for, pages of up to 100."""
    names, prefix, state = params.get("AlarmNames"), params.get("AlarmNamePrefix"), params.get("StateValue")
    if names and prefix:
        raise refuse("ValidationError", "AlarmNames and AlarmNamePrefix cannot be specified together.")
    types = params.get("AlarmTypes") or ["MetricAlarm"]
    for alarm in world.cloudwatch().describe_alarms():
        world.alarms.unchecked(alarm)
    found = [
        alarm
        for alarm in sorted(world.cloudwatch().describe_alarms(), key=lambda alarm: alarm.name)
        if (not names or alarm.name in names)
        and (not prefix or alarm.name.startswith(prefix))
        and (not state or alarm.state_value == state)
        and ("MetricAlarm" if alarm.rule is None else "CompositeAlarm") in types
    ]
    if params.get("ActionPrefix"):
        start = str(params["ActionPrefix"])
        found = [alarm for alarm in found if any(str(action).startswith(start) for action in alarm.alarm_actions)]
    alarms, token = page(found, params.get("NextToken"), int(params.get("MaxRecords") or 50))
    return {
        "MetricAlarms": [alarm for alarm in alarms if alarm.rule is None],
        "CompositeAlarms": [alarm for alarm in alarms if alarm.rule is not None],
        "NextToken": token,
    }


MOST_QUERIES = 500
"""docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html"""


def read_metrics(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """GetMetricData: load balancers' metrics from the truth, those that were put by hand from moto."""
    queries = params.get("MetricDataQueries", [])
    if len(queries) > MOST_QUERIES:
        raise refuse(
            "ValidationError", f"The collection MetricDataQueries must not have a size greater than {MOST_QUERIES}."
        )
    since, until = _aware(params["StartTime"]), _aware(params["EndTime"])
    if since >= until:
        raise refuse("ValidationError", "The parameter StartTime must be less than the parameter EndTime.")
    shown = [query for query in queries if query.get("ReturnData", True)]
    own = [query for query in shown if _namespace_of(query) == NAMESPACE]
    others = [query for query in shown if query not in own]
    results = [_measured(world, query, since, until) for query in own]
    if others:
        naive = (since.replace(tzinfo=None), until.replace(tzinfo=None))
        results += world.cloudwatch().get_metric_data(queries=others, start_time=naive[0], end_time=naive[1])
    return {"MetricDataResults": [_in_order(each, params.get("ScanBy")) for each in results], "Messages": []}


def _in_order(result: dict[str, Any], scan: str | None) -> dict[str, Any]:
    """A result of ours or, spelled otherwise, of moto's; the newest first unless it is asked otherwise."""
    known = {"timestamps": "Timestamps", "values": "Values", "id": "Id", "label": "Label"}
    told = {known.get(key, key): value for key, value in result.items()}
    pairs = sorted(zip(told["Timestamps"], told["Values"], strict=True), reverse=scan != "TimestampAscending")
    return {
        "Id": told["Id"],
        "Label": told["Label"],
        "Timestamps": [at for at, _ in pairs],
        "Values": [value for _, value in pairs],
        "StatusCode": "Complete",
    }


def _measured(world: World, query: dict[str, Any], since: datetime, until: datetime) -> dict[str, Any]:
    metric = query["MetricStat"]["Metric"]
    dimensions = {each["Name"]: each["Value"] for each in metric.get("Dimensions", [])}
    groups: Any = world.elbv2().target_groups
    arn = next((arn for arn in groups if arn.endswith(f":{dimensions.get('TargetGroup')}")), None)
    balancers = [arn.partition(":loadbalancer/")[2] for arn in groups[arn].load_balancer_arns] if arn else []
    # Nothing has other dimensions than these two together, or these and a zone.
    is_known = arn is not None and dimensions.get("LoadBalancer") in balancers and len(dimensions) == 2
    found = world.measurements.series(arn, metric["MetricName"], since, until) if arn is not None and is_known else {}
    if not found:
        # What the alarms were evaluated by: errors of servers that fail on purpose.
        found = dict(world.alarms.measured(metric, (since, until), int(query["MetricStat"]["Period"])))
    return {
        "Id": query["Id"],
        "Label": metric["MetricName"],
        "Timestamps": list(found),
        "Values": list(found.values()),
        "StatusCode": "Complete",
    }


def _namespace_of(query: dict[str, Any]) -> str:
    return str(query.get("MetricStat", {}).get("Metric", {}).get("Namespace", ""))


def _aware(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _within(moment: Any, start: Any, end: Any) -> bool:
    at = moment.replace(tzinfo=None)
    return (start is None or at >= start.replace(tzinfo=None)) and (end is None or at <= end.replace(tzinfo=None))


ANSWERS: Mapping[str, Callable[[World, dict[str, Any]], dict[str, Any] | None]] = {
    "SetAlarmState": set_state,
    "PutCompositeAlarm": put_composite,
    "DescribeAlarmHistory": describe_history,
    "DescribeAlarms": describe_alarms,
    "GetMetricData": read_metrics,
}
