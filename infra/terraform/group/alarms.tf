# What the policy's alarm gate watches. They look at the load balancer, not at one slot: a rotation that hurts users
# shows there, whichever slot answers.

locals {
  alarms = {
    "5xx" = {
      description = "Many answers from the instances are errors"
      metric      = "HTTPCode_Target_5XX_Count"
      statistic   = "Sum"
      percentile  = null
      threshold   = 25
    }
    "p99" = {
      description = "One request in a hundred takes longer than a second"
      metric      = "TargetResponseTime"
      statistic   = null
      percentile  = "p99"
      threshold   = 1
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "gate" {
  #checkov:skip=CKV_AWS_319:it tells phoenix, which reads its state; add an action to be woken by it
  for_each = local.alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.description
  namespace           = "AWS/ApplicationELB"
  metric_name         = each.value.metric
  statistic           = each.value.statistic
  extended_statistic  = each.value.percentile
  dimensions          = { LoadBalancer = aws_lb.this.arn_suffix }
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.threshold
  period              = 60
  evaluation_periods  = 3
  treat_missing_data  = "notBreaching" # without requests no user is hurt
  tags                = local.tags
}
