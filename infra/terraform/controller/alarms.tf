# Alarms for a person. Every alarm goes to one topic, and its description says what to do.

resource "aws_sns_topic" "this" {
  name              = var.name
  kms_master_key_id = aws_kms_key.this.id
  tags              = var.tags
}

resource "aws_sns_topic_policy" "this" {
  arn    = aws_sns_topic.this.arn
  policy = data.aws_iam_policy_document.topic.json
}

data "aws_iam_policy_document" "topic" {
  statement {
    sid       = "AlarmsOfThisAccount"
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.this.arn]

    principals {
      type        = "Service"
      identifiers = ["cloudwatch.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account]
    }
  }
}

resource "aws_sns_topic_subscription" "email" {
  for_each = var.subscribers

  topic_arn = aws_sns_topic.this.arn
  protocol  = "email"
  endpoint  = each.value
}

locals {
  namespace = var.name

  # Measures out of log lines: how often an event was logged, or the number that a field of it holds. Lines that lack
  # the field, as those of sweeps that did not look at all groups, measure nothing.
  measures = {
    Held        = { of = "advance", event = "rotation.held" }
    Failed      = { of = "advance", event = "advance.failed" }
    Dropped     = { of = "advance", event = "notify.dropped" }
    Breaker     = { of = "advance", event = "breaker.opened" }
    Actions     = { of = "advance", event = "action.applied" }
    Broken      = { of = "sweep", event = "policy.broken" }
    NotHandedOn = { of = "sweep", event = "sweep.not_handed_on" }
    LeftOver    = { of = "sweep", event = "sweep.ended", field = "left" }
    InFlight    = { of = "sweep", event = "sweep.ended", field = "in_flight" }
    Stuck       = { of = "sweep", event = "sweep.ended", field = "stuck" }
    OldestAge   = { of = "sweep", event = "sweep.ended", field = "oldest_s" }
  }

  # `quiet`: what it means that there is no measurement.
  own = {
    breaker = {
      measure = "Breaker", statistic = "Sum", threshold = 0, minutes = 5, times = 1, quiet = "notBreaching"
      what    = "Several groups were rolled back within a short time: no rotation starts until that is over. phoenix status lists them."
    }
    broken = {
      measure = "Broken", statistic = "Sum", threshold = 0, minutes = 5, times = 1, quiet = "notBreaching"
      what    = "A policy is invalid: its group is left alone. phoenix policy validate says where."
    }
    held = {
      measure = "Held", statistic = "Sum", threshold = 0, minutes = 5, times = 1, quiet = "notBreaching"
      what    = "A rotation is held: it stands still until a person acts. phoenix status says what to type."
    }
    stuck = {
      measure = "Stuck", statistic = "Maximum", threshold = 0, minutes = 15, times = 2, quiet = "notBreaching"
      what    = "A rotation is past its deadline and is still in flight. phoenix status --group G; the log of advance says why."
    }
    age = {
      measure = "OldestAge", statistic = "Maximum", threshold = var.max_age_days * 86400, minutes = 60, times = 2, quiet = "ignore"
      what    = "Some live generation is older than ${var.max_age_days} days. phoenix status lists them; phoenix plan says what is in the way."
    }
    behind = {
      measure = "LeftOver", statistic = "Minimum", threshold = 0, minutes = 5, times = 3, quiet = "notBreaching"
      what    = "For a quarter of an hour no sweep has got round to all groups that were due. PHOENIX_CALLS_PER_SECOND is the budget."
    }
    unsent = {
      measure = "Dropped", statistic = "Sum", threshold = 0, minutes = 5, times = 1, quiet = "notBreaching"
      what    = "A notice could not be sent and was given up. The log of advance has it."
    }
  }

  lambda = {
    for pair in setproduct(["sweep", "advance"], ["Errors", "Throttles"]) : "${pair[0]}-${lower(pair[1])}" => {
      function = local.functions[pair[0]]
      metric   = pair[1]
      what = pair[1] == "Errors" ? "${local.functions[pair[0]]} ends with errors; its log says which." : (
        "${local.functions[pair[0]]} is held back: raise var.concurrency, or the account's limit."
      )
    }
  }
}

resource "aws_cloudwatch_log_metric_filter" "this" {
  for_each = local.measures

  name           = "${var.name}-${lower(each.key)}"
  log_group_name = aws_cloudwatch_log_group.function[each.value.of].name
  pattern        = "{ $.event = \"${each.value.event}\" ${try("&& $.${each.value.field} = * ", "")}}"

  metric_transformation {
    namespace = local.namespace
    name      = each.key
    value     = try("$.${each.value.field}", "1")
  }
}

resource "aws_cloudwatch_metric_alarm" "own" {
  for_each = local.own

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.what
  namespace           = local.namespace
  metric_name         = each.value.measure
  statistic           = each.value.statistic
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.threshold
  period              = each.value.minutes * 60
  evaluation_periods  = each.value.times
  treat_missing_data  = each.value.quiet
  alarm_actions       = [aws_sns_topic.this.arn]
  ok_actions          = [aws_sns_topic.this.arn]
  tags                = var.tags

  depends_on = [aws_cloudwatch_log_metric_filter.this]
}

# One error is nothing: the next minute makes it good. Errors in a row are not.
resource "aws_cloudwatch_metric_alarm" "function" {
  for_each = local.lambda

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.what
  namespace           = "AWS/Lambda"
  metric_name         = each.value.metric
  dimensions          = { FunctionName = each.value.function }
  statistic           = "Sum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 60
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.this.arn]
  ok_actions          = [aws_sns_topic.this.arn]
  tags                = var.tags
}

resource "aws_cloudwatch_metric_alarm" "silent" {
  alarm_name          = "${var.name}-silent"
  alarm_description   = "No sweep runs: no rotation starts or goes on. Look at the schedule ${local.functions.sweep}, and meanwhile run phoenix tick by hand."
  namespace           = "AWS/Lambda"
  metric_name         = "Invocations"
  dimensions          = { FunctionName = local.functions.sweep }
  statistic           = "Sum"
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  period              = 60
  evaluation_periods  = 5
  treat_missing_data  = "breaching"
  alarm_actions       = [aws_sns_topic.this.arn]
  ok_actions          = [aws_sns_topic.this.arn]
  tags                = var.tags
}

resource "aws_cloudwatch_metric_alarm" "failed" {
  alarm_name          = "${var.name}-failed"
  alarm_description   = "Invocations have failed and are kept in ${aws_sqs_queue.failed.name}, each with its reason. The groups were asked for again; what is in the queue is for reading."
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = aws_sqs_queue.failed.name }
  statistic           = "Maximum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 60
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.this.arn]
  ok_actions          = [aws_sns_topic.this.arn]
  tags                = var.tags
}
