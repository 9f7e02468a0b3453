# Who may do what. The documents in infra/iam are generated from what the code declares beside its calls, and have
# fields, as `${table_arn}`, that are filled in here. A field without a value leaves its statement out.

locals {
  bucket = try(regex("^s3://([^/]+)/?(.*)$", var.policies), ["", ""])

  fields = {
    partition    = local.partition
    region       = local.region
    account      = local.account
    table_arn    = aws_dynamodb_table.this.arn
    function_arn = local.function_arns.advance
    bucket_arn   = local.bucket[0] == "" ? "" : "arn:${local.partition}:s3:::${local.bucket[0]}"
    prefix       = local.bucket[1] == "" ? "" : "${trimsuffix(local.bucket[1], "/")}/"

    # One field becomes several elements of the list that it is in.
    topic_arn         = join("\", \"", concat([aws_sns_topic.this.arn], var.notification_topics))
    bus_arn           = join("\", \"", var.event_buses)
    parameter_arn     = join("\", \"", var.image_parameters)
    statements_arn    = join("\", \"", var.image_statements)
    gate_function_arn = join("\", \"", var.gate_functions)
    assumed_role_arn  = join("\", \"", var.assume_roles)
    image_owner       = join("\", \"", coalescelist(var.image_owners, [local.account]))
    hosted_zone_arn   = join("\", \"", [for each in var.weighted_records : "arn:${local.partition}:route53:::hostedzone/${each.zone}"])
    record_name       = join("\", \"", var.weighted_records[*].name)
    instance_role     = var.instance_role
    key_arn           = aws_kms_key.this.arn
  }

  documents = {
    plan     = jsondecode(templatefile("${path.module}/../../iam/plan.json", local.fields))
    rotate   = jsondecode(templatefile(coalesce(var.rights, "${path.module}/../../iam/rotate.json"), local.fields))
    rollback = jsondecode(templatefile("${path.module}/../../iam/rollback.json", local.fields))
  }
  guards = var.never_follow ? jsondecode(file("${path.module}/../../iam/never-follow.json")).Statement : []

  # A sweep reads, and of what `advance` may do it needs what concerns the table, and waking the other function.
  woken_by = ["FindDue", "WakeWorkers", "WriteRecords"]
  statements = {
    advance = concat(local.documents.rotate.Statement, local.guards)
    sweep   = concat(local.documents.plan.Statement, [for each in local.documents.rotate.Statement : each if contains(local.woken_by, each.Sid)])
  }

  # What people need who drive the same groups from a terminal, rights on the key included.
  people = { for name, found in local.documents : name => found.Statement }

  # What an empty field leaves behind: nothing at all, a path in a bucket without a name, a role without one.
  rights = {
    for name, found in merge(local.people, local.statements) : name => jsonencode({
      Version   = "2012-10-17"
      Statement = [for each in found : each if !anytrue([for on in each.Resource : can(regex("^$|^/|:role/$", on))])]
    })
  }

  # A role's inline policies may have 10,240 letters together, a managed policy 6,144, and a role ten of those. So the
  # rights of each function are in three: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
  parts = {
    for pair in setproduct(keys(local.functions), [0, 1, 2]) :
    "${pair[0]}-${pair[1] + 1}" => {
      function = pair[0]
      policy = jsonencode({
        Version   = "2012-10-17"
        Statement = [for index, each in jsondecode(local.rights[pair[0]]).Statement : each if index % 3 == pair[1]]
      })
    }
  }
}

resource "aws_iam_role" "function" {
  for_each = local.functions

  name               = each.value
  description        = "What ${each.value} may do"
  assume_role_policy = data.aws_iam_policy_document.functions_assume.json
  tags               = var.tags
}

data "aws_iam_policy_document" "functions_assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

resource "aws_iam_policy" "rights" {
  for_each = local.parts

  name        = "${local.functions[each.value.function]}-rights-${split("-", each.key)[1]}"
  description = "A part of what ${local.functions[each.value.function]} may do"
  policy      = each.value.policy
  tags        = var.tags
}

resource "aws_iam_role_policy_attachment" "rights" {
  for_each = local.parts

  role       = aws_iam_role.function[each.value.function].name
  policy_arn = aws_iam_policy.rights[each.key].arn
}

resource "aws_iam_role_policy" "function" {
  for_each = local.functions

  name   = "function"
  role   = aws_iam_role.function[each.key].id
  policy = data.aws_iam_policy_document.function[each.key].json
}

data "aws_iam_policy_document" "function" {
  #checkov:skip=CKV_AWS_111:EC2 offers nothing to narrow network interfaces down to; the statement exists only with var.network
  #checkov:skip=CKV_AWS_356:as above
  for_each = local.functions

  statement {
    sid       = "LogLines"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.function[each.key].arn}:*"]
  }

  statement {
    sid       = "WhatFailed"
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.failed.arn]
  }

  statement {
    sid       = "TheKeyOfTheTableTheQueueAndTheTopic"
    actions   = ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"]
    resources = [aws_kms_key.this.arn]
  }

  dynamic "statement" {
    for_each = length(var.network.subnets) == 0 ? [] : [1]
    content {
      sid = "TheNetwork"
      actions = [
        "ec2:AssignPrivateIpAddresses",
        "ec2:CreateNetworkInterface",
        "ec2:DeleteNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:UnassignPrivateIpAddresses",
      ]
      resources = ["*"]
    }
  }
}

resource "aws_iam_role" "schedule" {
  name               = "${var.name}-schedule"
  description        = "Lets the schedule call ${local.functions.sweep}"
  assume_role_policy = data.aws_iam_policy_document.schedule_assume.json
  tags               = var.tags
}

data "aws_iam_policy_document" "schedule_assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["scheduler.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account]
    }
  }
}

resource "aws_iam_role_policy" "schedule" {
  name   = "call"
  role   = aws_iam_role.schedule.id
  policy = data.aws_iam_policy_document.schedule.json
}

data "aws_iam_policy_document" "schedule" {
  statement {
    sid       = "Call"
    actions   = ["lambda:InvokeFunction"]
    resources = [local.function_arns.sweep]
  }

  statement {
    sid       = "KeepWhatCouldNotBeDelivered"
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.failed.arn]
  }

  statement {
    sid       = "TheKey"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [aws_kms_key.this.arn]
  }
}
