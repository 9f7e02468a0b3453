# A group as phoenix wants to find it: two Auto Scaling groups that share one launch template, each with its own target
# group, and listeners that forward to both, by weight.
#
# What phoenix moves, Terraform has to leave alone, or one undoes what the other does. Every `ignore_changes` below is
# needed for that and says why; nothing more is ignored.

locals {
  # The slot that carries the first generation. Which one is live later, only phoenix and the weights know.
  first = "blue"
  slots = toset(["blue", "green"])

  # The owner's word that phoenix may change a thing: its rights (infra/iam) end where this tag is missing.
  managed = { "phoenix:managed" = "true" }
  tags    = merge(var.tags, { service = var.name })
}

resource "aws_launch_template" "this" {
  name                   = var.name
  image_id               = var.image_id
  instance_type          = var.instance_type
  user_data              = var.user_data == null ? null : base64encode(var.user_data)
  vpc_security_group_ids = [aws_security_group.instances.id]
  ebs_optimized          = true

  dynamic "iam_instance_profile" {
    for_each = var.instance_profile[*]
    content {
      name = iam_instance_profile.value
    }
  }

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  monitoring {
    enabled = true
  }

  dynamic "tag_specifications" {
    for_each = toset(["instance", "volume"])
    content {
      resource_type = tag_specifications.value
      tags          = merge(local.tags, { Name = var.name })
    }
  }

  tags = merge(local.tags, local.managed)

  lifecycle {
    # phoenix adds a version per generation, and Terraform reads the newest one: image and description are phoenix's.
    # Whatever else is changed here becomes a new version as usual, and the next generation has it.
    ignore_changes = [image_id, description]
  }
}

resource "aws_autoscaling_group" "slot" {
  for_each = local.slots

  name                = "${var.name}-${each.key}"
  min_size            = each.key == local.first ? var.capacity.min : 0
  max_size            = each.key == local.first ? var.capacity.max : 0
  vpc_zone_identifier = var.instance_subnet_ids
  target_group_arns   = [aws_lb_target_group.slot[each.key].arn]

  health_check_type         = "ELB"
  health_check_grace_period = 120
  default_instance_warmup   = 60

  launch_template {
    id      = aws_launch_template.this.id
    version = aws_launch_template.this.latest_version
  }

  dynamic "tag" {
    for_each = local.tags
    content {
      key                 = tag.key
      value               = tag.value
      propagate_at_launch = true
    }
  }

  dynamic "tag" {
    for_each = local.managed
    content {
      key                 = tag.key
      value               = tag.value
      propagate_at_launch = false
    }
  }

  # The target group has to be in use before an instance is registered, or AWS does not check its health.
  depends_on = [aws_lb_listener.http, aws_lb_listener.https]

  lifecycle {
    ignore_changes = [
      min_size,                   # the role of the slot decides: live, candidate, retained or cold
      max_size,                   # the same
      desired_capacity,           # autoscaling moves it, and AWS does when min or max pass it
      launch_template[0].version, # which generation the slot carries
      suspended_processes,        # scheduled actions stand still in the slot that is not live
      tag,                        # phoenix:generation and its like: what a rollback needs without store and policy
    ]
  }
}
