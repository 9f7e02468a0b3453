# One page: is it alive, what is in flight, what went wrong.

locals {
  of_functions = { for name, full in local.functions : name => ["AWS/Lambda", "Invocations", "FunctionName", full] }

  graphs = [
    { title = "Rotations in flight", stat = "Maximum", metrics = [[local.namespace, "InFlight"], [local.namespace, "Stuck"], [local.namespace, "Held"]] },
    { title = "Age of the oldest live generation, seconds", stat = "Maximum", metrics = [[local.namespace, "OldestAge"]] },
    { title = "Changes made in AWS", stat = "Sum", metrics = [[local.namespace, "Actions"]] },
    { title = "Invocations", stat = "Sum", metrics = [for name, metric in local.of_functions : metric] },
    { title = "Errors and throttles", stat = "Sum", metrics = [for alarm in local.lambda : ["AWS/Lambda", alarm.metric, "FunctionName", alarm.function]] },
    { title = "Duration, ms", stat = "p99", metrics = [for name, full in local.functions : ["AWS/Lambda", "Duration", "FunctionName", full]] },
    { title = "Failures, invalid policies, dropped notices, open breaker", stat = "Sum", metrics = [[local.namespace, "Failed"], [local.namespace, "Broken"], [local.namespace, "Dropped"], [local.namespace, "Breaker"]] },
    { title = "Due, but not reached in its minute", stat = "Maximum", metrics = [[local.namespace, "LeftOver"]] },
  ]
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = var.name

  dashboard_body = jsonencode({
    widgets = concat(
      [{
        type = "alarm", x = 0, y = 0, width = 24, height = 3
        properties = {
          title  = "Alarms"
          alarms = concat([for alarm in aws_cloudwatch_metric_alarm.own : alarm.arn], [for alarm in aws_cloudwatch_metric_alarm.function : alarm.arn], [aws_cloudwatch_metric_alarm.silent.arn, aws_cloudwatch_metric_alarm.failed.arn])
        }
      }],
      [for place, graph in local.graphs : {
        type   = "metric"
        x      = 12 * (place % 2)
        y      = 3 + 6 * floor(place / 2)
        width  = 12
        height = 6
        properties = {
          title   = graph.title
          stat    = graph.stat
          metrics = graph.metrics
          period  = 60
          region  = local.region
          view    = "timeSeries"
        }
      }],
      [{
        type = "log", x = 0, y = 27, width = 24, height = 8
        properties = {
          title  = "What went wrong last"
          region = local.region
          view   = "table"
          query  = join(" | ", concat([for name, full in local.functions : "SOURCE '/aws/lambda/${full}'"], ["fields at, level, event, group, reason", "filter level in ['warning', 'error']", "sort @timestamp desc", "limit 50"]))
        }
      }],
    )
  })
}
