output "store" {
  description = "PHOENIX_STORE for everybody who drives the same groups from a terminal."
  value       = "dynamodb://${aws_dynamodb_table.this.name}"
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
