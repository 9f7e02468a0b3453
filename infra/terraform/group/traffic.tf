resource "aws_lb" "this" {
  #checkov:skip=CKV2_AWS_28:a firewall belongs to the owner of the application; this is the part that phoenix sees
  #checkov:skip=CKV2_AWS_20:port 80 redirects wherever there is a certificate; without one there is nothing to redirect to
  name                       = var.name
  internal                   = var.internal
  load_balancer_type         = "application"
  subnets                    = var.load_balancer_subnet_ids
  security_groups            = [aws_security_group.load_balancer.id]
  drop_invalid_header_fields = true
  enable_deletion_protection = var.deletion_protection
  tags                       = local.tags

  dynamic "access_logs" {
    for_each = var.access_logs_bucket[*]
    content {
      bucket  = access_logs.value
      prefix  = var.name
      enabled = true
    }
  }
}

resource "aws_lb_target_group" "slot" {
  #checkov:skip=CKV_AWS_378:TLS ends at the load balancer; the way to the instances is one security group's to another
  for_each = local.slots

  name                 = "${var.name}-${each.key}"
  vpc_id               = var.vpc_id
  protocol             = "HTTP"
  port                 = var.port
  deregistration_delay = 60
  tags                 = merge(local.tags, local.managed)

  health_check {
    path                = var.health_check_path
    matcher             = "200"
    interval            = 10
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 2
  }
}

resource "aws_lb_listener" "https" {
  count = var.certificate_arn == null ? 0 : 1

  load_balancer_arn = aws_lb.this.arn
  protocol          = "HTTPS"
  port              = 443
  certificate_arn   = var.certificate_arn
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  tags              = merge(local.tags, local.managed)

  default_action {
    type = "forward"

    forward {
      dynamic "target_group" {
        for_each = aws_lb_target_group.slot
        content {
          arn    = target_group.value.arn
          weight = target_group.key == local.first ? 100 : 0
        }
      }
    }
  }

  lifecycle {
    ignore_changes = [default_action[0].forward[0].target_group] # the weights are what a rotation shifts
  }
}

# Port 80 redirects where there is a certificate. Where there is none it carries the traffic, and then its weights too
# are phoenix's: that is a resource of its own below, because ignore_changes cannot depend on a variable.
resource "aws_lb_listener" "redirect" {
  count = var.certificate_arn == null ? 0 : 1

  load_balancer_arn = aws_lb.this.arn
  protocol          = "HTTP"
  port              = 80
  tags              = local.tags

  default_action {
    type = "redirect"

    redirect {
      protocol    = "HTTPS"
      port        = "443"
      status_code = "HTTP_301"
    }
  }
}

resource "aws_lb_listener" "http" {
  #checkov:skip=CKV_AWS_103:exists only where no certificate was given, which is for trying things out
  count = var.certificate_arn == null ? 1 : 0

  load_balancer_arn = aws_lb.this.arn
  protocol          = "HTTP"
  port              = 80
  tags              = merge(local.tags, local.managed)

  default_action {
    type = "forward"

    forward {
      dynamic "target_group" {
        for_each = aws_lb_target_group.slot
        content {
          arn    = target_group.value.arn
          weight = target_group.key == local.first ? 100 : 0
        }
      }
    }
  }

  lifecycle {
    ignore_changes = [default_action[0].forward[0].target_group] # as above
  }
}
