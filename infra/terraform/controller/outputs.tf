output "store" {
  description = "PHOENIX_STORE for everybody who drives the same groups from a terminal."
  value       = "dynamodb://${aws_dynamodb_table.this.name}"
}

output "rights" {
  description = "IAM documents for people who drive the same groups from a terminal: plan, rotate and rollback."
  value       = { for name in keys(local.people) : name => local.rights[name] }
}

output "key" {
  description = "ARN of the key of table, topic and queue, for `phoenix iam --key-arn`."
  value       = aws_kms_key.this.arn
}

output "topic" {
  description = "Gets the alarms; policies may name it under `notify` as well."
  value       = aws_sns_topic.this.arn
}

output "failed" {
  description = "Queue of the invocations that failed."
  value       = aws_sqs_queue.failed.url
}

output "functions" {
  description = "Names of the two functions, and with them of their log groups under /aws/lambda."
  value       = local.functions
}
