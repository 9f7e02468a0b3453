"""CloudWatch alarms: states with their times and their history, which moto does not keep."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from phoenix.sandbox.answers.common import page, refuse
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


def measurements(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """GetMetricData: what the load balancers' minutes were while erring servers had requests; an expression has no
    value here. "The start time to query is inclusive and the end time exclusive"; a minute without an error has no
    datapoint."""
    start, end = params["StartTime"], params["EndTime"]
    ascending = params.get("ScanBy") == "TimestampAscending"
    results = []
    for query in params["MetricDataQueries"]:
        if not query.get("ReturnData", True):
            continue
        stat = query.get("MetricStat")
        metric = (stat or {}).get("Metric", {})
        points = world.alarms.measured(metric, (start, end), int(stat["Period"])) if stat else []
        ordered = points if ascending else points[::-1]
        results.append(
            {
                "Id": query["Id"],
                "Label": query.get("Label") or metric.get("MetricName", query["Id"]),
                "Timestamps": [at for at, _ in ordered],
                "Values": [value for _, value in ordered],
                "StatusCode": "Complete",
            }
        )
    return {"MetricDataResults": results, "Messages": []}


def _within(moment: Any, start: Any, end: Any) -> bool:
    at = moment.replace(tzinfo=None)
    return (start is None or at >= start.replace(tzinfo=None)) and (end is None or at <= end.replace(tzinfo=None))


ANSWERS: Mapping[str, Callable[[World, dict[str, Any]], dict[str, Any] | None]] = {
    "SetAlarmState": set_state,
    "PutCompositeAlarm": put_composite,
    "DescribeAlarmHistory": describe_history,
    "DescribeAlarms": describe_alarms,
    "GetMetricData": measurements,
}
