# Against no account at all: what is worked out here, and what the code relies on. `terraform test` runs it.

mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_region" {
    defaults = { id = "eu-west-1", name = "eu-west-1" }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }
  mock_resource "aws_iam_policy" {
    defaults = { arn = "arn:aws:iam::123456789012:policy/phoenix-advance-rights-1" }
  }
  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:eu-west-1:123456789012:phoenix" }
  }
  mock_resource "aws_sqs_queue" {
    defaults = { arn = "arn:aws:sqs:eu-west-1:123456789012:phoenix-failed" }
  }
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:eu-west-1:123456789012:key/1f0c8c1e-6d7c-4b0a-9a53-2b1d8a6c4e11" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/phoenix" }
  }
  mock_resource "aws_lambda_function" {
    defaults = { arn = "arn:aws:lambda:eu-west-1:123456789012:function:phoenix" }
  }
  mock_resource "aws_cloudwatch_event_rule" {
    defaults = { arn = "arn:aws:events:eu-west-1:123456789012:rule/phoenix-image" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-west-1:123456789012:log-group:phoenix" }
  }
  mock_resource "aws_dynamodb_table" {
    defaults = { arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/phoenix" }
  }
}

variables {
  package = "tests/package.txt"
}

run "what_has_no_value_leaves_no_right_behind" {
  assert {
    condition     = !can(regex("\\{[a-z_]+\\}", join("", values(local.rights))))
    error_message = "A field of the documents in infra/iam is not filled in."
  }
  assert {
    condition     = length(setintersection(["ListPolicies", "ReadPolicies", "PutNews", "ActAs", "PassInstanceRole"], jsondecode(local.rights.advance).Statement[*].Sid)) == 0
    error_message = "A statement is there whose field is empty."
  }
  assert {
    condition     = alltrue([for part in values(local.parts) : length(part.policy) < 6144])
    error_message = "A managed policy has to fit into 6,144 letters."
  }
}

run "what_has_a_value_is_allowed" {
  variables {
    policies            = "s3://my-policies/prod"
    notification_topics = ["arn:aws:sns:eu-west-1:123456789012:team-web"]
    instance_role       = "web-*"
  }

  assert {
    condition     = one([for each in jsondecode(local.rights.advance).Statement : each.Resource if each.Sid == "ReadPolicies"]) == ["arn:aws:s3:::my-policies/prod/*"]
    error_message = "The policies cannot be read."
  }
  assert {
    condition     = length(one([for each in jsondecode(local.rights.advance).Statement : each.Resource if each.Sid == "PublishNews"])) == 2
    error_message = "There are two topics."
  }
  assert {
    condition     = one([for each in jsondecode(local.rights.advance).Statement : each.Resource if each.Sid == "PassInstanceRole"]) == ["arn:aws:iam::123456789012:role/web-*"]
    error_message = "The instances' role cannot be passed."
  }
}

run "a_sweep_changes_nothing_but_the_table" {
  assert {
    condition = length(setsubtract(
      flatten([for each in jsondecode(local.rights.sweep).Statement : [for action in each.Action : action if !can(regex(":(Batch)?(Get|Describe|List|Lookup|Query)", action))] if each.Effect == "Allow"]),
      ["dynamodb:PutItem", "kms:Decrypt", "lambda:InvokeFunction"],
    )) == 0
    error_message = "sweep may do more than read, write records, and wake the other function."
  }
}

run "the_schedule_says_its_time_in_the_letters_that_the_scheduler_looks_for" {
  assert {
    condition     = strcontains(aws_scheduler_schedule.sweep.target[0].input, "\"<aws.scheduler.scheduled-time>\"")
    error_message = "Escaped letters are not filled in."
  }
}

run "a_new_account_with_ten_executions_can_apply_it" {
  assert {
    condition     = alltrue([for each in values(aws_lambda_function.this) : each.reserved_concurrent_executions == -1])
    error_message = "Something is reserved."
  }
}

run "people_may_use_the_key_of_the_table" {
  assert {
    condition     = alltrue([for each in values(output.rights) : length([for s in jsondecode(each).Statement : s if s.Sid == "UseKeys" && contains(s.Resource, output.key)]) == 1])
    error_message = "Without the key DynamoDB refuses them the records."
  }
}

run "a_plain_change_of_capacity_is_denied_to_nobody_who_has_not_tried_it" {
  assert {
    condition     = !strcontains(local.rights.advance, "NeverFollowTemplate")
    error_message = "The guard exists although no variable asks for it."
  }
}

run "the_guard_is_there_once_it_is_asked_for" {
  variables {
    never_follow = true
  }
  assert {
    condition     = strcontains(local.rights.advance, "NeverFollowTemplate")
    error_message = "The guard is missing."
  }
}
