# What makes phoenix look: every minute, and when an image has become available.

locals {
  # jsonencode escapes < and >, and the Scheduler fills in its time only where it finds the literal text.
  scheduled = replace(replace(jsonencode({ source = "aws.scheduler", time = "<aws.scheduler.scheduled-time>" }), "\\u003c", "<"), "\\u003e", ">")
}

resource "aws_scheduler_schedule" "sweep" {
  name                = local.functions.sweep
  description         = "Asks once a minute which groups need attention"
  schedule_expression = "rate(1 minute)"
  kms_key_arn         = aws_kms_key.this.arn

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = aws_lambda_function.this["sweep"].arn
    role_arn = aws_iam_role.schedule.arn
    # In the form of an event, so that the function need not tell its callers apart.
    input = local.scheduled

    retry_policy {
      maximum_retry_attempts       = 0 # the next one comes in a minute anyway
      maximum_event_age_in_seconds = 60
    }

    dead_letter_config {
      arn = aws_sqs_queue.failed.arn
    }
  }
}

resource "aws_cloudwatch_event_rule" "image" {
  name        = "${var.name}-image"
  description = "An image has become available: some group may be due"
  tags        = var.tags

  event_pattern = jsonencode({
    source      = ["aws.ec2"]
    detail-type = ["EC2 AMI State Change"]
    detail      = { State = ["available"] }
  })
}

resource "aws_cloudwatch_event_target" "image" {
  rule = aws_cloudwatch_event_rule.image.name
  arn  = aws_lambda_function.this["sweep"].arn

  retry_policy {
    maximum_retry_attempts       = 3
    maximum_event_age_in_seconds = 900 # by then a sweep has looked at the idle groups anyway
  }

  dead_letter_config {
    arn = aws_sqs_queue.failed.arn
  }
}

resource "aws_lambda_permission" "image" {
  statement_id   = "image"
  action         = "lambda:InvokeFunction"
  function_name  = aws_lambda_function.this["sweep"].function_name
  principal      = "events.amazonaws.com"
  source_arn     = aws_cloudwatch_event_rule.image.arn
  source_account = local.account
}
