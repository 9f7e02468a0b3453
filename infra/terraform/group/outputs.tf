output "fleet" {
  description = "The `fleet` of the policy."
  value       = { kind = "pair", blue = aws_autoscaling_group.slot["blue"].name, green = aws_autoscaling_group.slot["green"].name }
}

output "alarms" {
  description = "The `alarms` of the policy's alarm gate."
  value       = [for alarm in aws_cloudwatch_metric_alarm.gate : alarm.alarm_name]
}

output "load_balancer" {
  description = "Where the group is reached."
  value       = aws_lb.this.dns_name
}
