# What phoenix needs to run by itself: two functions, a schedule, a table. Who calls whom is in docs/operations.md.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.id

  # Written out, not read from the resources: policies and functions would otherwise wait for each other.
  functions = { for name in ["sweep", "advance"] : name => "${var.name}-${name}" }
  function_arns = {
    for name, full in local.functions : name => "arn:${local.partition}:lambda:${local.region}:${local.account}:function:${full}"
  }
}

resource "aws_lambda_function" "this" {
  #checkov:skip=CKV_AWS_116:a dead letter knows only what was asked; the on-failure destination below also says why it failed
  #checkov:skip=CKV_AWS_117:only an http gate needs the network; var.network gives it one
  #checkov:skip=CKV_AWS_272:the package is built reproducibly, and its hash is in the plan; signing it is the account owner's choice
  for_each = local.functions

  function_name    = each.value
  description      = each.key == "sweep" ? "Finds out which groups need attention, and asks for it" : "Gives one group the attention it needs"
  role             = aws_iam_role.function[each.key].arn
  runtime          = "python3.13"
  architectures    = [var.architecture]
  handler          = "phoenix.handler.${each.key}"
  filename         = var.package
  source_code_hash = filebase64sha256(var.package)
  kms_key_arn      = aws_kms_key.this.arn
  tags             = var.tags

  # More memory is more processor: what a cold start costs is imports, and 1 GB takes a third of the time of 256 MB.
  memory_size = 1024

  # A sweep that takes longer than its minute is a fault. An advance may stay while the next tick is near; what it does
  # not finish, the next one does.
  timeout = each.key == "sweep" ? 60 : 900

  reserved_concurrent_executions = var.concurrency[each.key]

  environment {
    variables = {
      PHOENIX_POLICIES = var.policies
      PHOENIX_STORE    = "dynamodb://${aws_dynamodb_table.this.name}"
      PHOENIX_LOG      = "json,info"
      PHOENIX_ADVANCE  = local.functions.advance
    }
  }

  dynamic "vpc_config" {
    for_each = length(var.network.subnets) == 0 ? [] : [var.network]
    content {
      subnet_ids         = vpc_config.value.subnets
      security_group_ids = vpc_config.value.security_groups
    }
  }

  logging_config {
    log_format = "Text" # the lines are JSON already; Lambda would wrap them once more
    log_group  = aws_cloudwatch_log_group.function[each.key].name
  }

  tracing_config {
    mode = "PassThrough"
  }

  depends_on = [aws_iam_role_policy.function]
}

# Nothing is tried again by Lambda: a group that an invocation has failed on is due again a minute later, and the next
# sweep asks for it. What failed is kept, with its reason.
resource "aws_lambda_function_event_invoke_config" "this" {
  for_each = aws_lambda_function.this

  function_name                = each.value.function_name
  maximum_retry_attempts       = 0
  maximum_event_age_in_seconds = 120

  destination_config {
    on_failure {
      destination = aws_sqs_queue.failed.arn
    }
  }
}

resource "aws_cloudwatch_log_group" "function" {
  for_each = local.functions

  name              = "/aws/lambda/${each.value}"
  retention_in_days = var.log_days
  kms_key_id        = aws_kms_key.this.arn
  tags              = var.tags
}

resource "aws_sqs_queue" "failed" {
  name                              = "${var.name}-failed"
  message_retention_seconds         = 1209600 # two weeks, the most
  kms_master_key_id                 = aws_kms_key.this.arn
  kms_data_key_reuse_period_seconds = 3600
  tags                              = var.tags
}

resource "aws_sqs_queue_policy" "failed" {
  queue_url = aws_sqs_queue.failed.id
  policy    = data.aws_iam_policy_document.failed.json
}

data "aws_iam_policy_document" "failed" {
  statement {
    sid       = "TheRuleKeepsWhatItCouldNotDeliver"
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.failed.arn]

    principals {
      type        = "Service"
      identifiers = ["events.amazonaws.com"]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = [aws_cloudwatch_event_rule.image.arn]
    }
  }
}
