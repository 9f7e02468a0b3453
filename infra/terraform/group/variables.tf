variable "name" {
  description = "Name of the group, and the beginning of every name made here: <name>-blue, <name>-green, <name>-5xx."
  type        = string
  default     = "web"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,23}$", var.name))
    error_message = "At most 24 of a-z, 0-9 and -, beginning with a letter: target group names end at 32."
  }
}

variable "vpc_id" {
  description = "VPC of the load balancer and the instances."
  type        = string
}

variable "load_balancer_subnet_ids" {
  description = "Subnets of the load balancer, in at least two zones; public ones for an internet-facing one."
  type        = list(string)

  validation {
    condition     = length(var.load_balancer_subnet_ids) >= 2
    error_message = "An application load balancer needs subnets in at least two zones."
  }
}

variable "instance_subnet_ids" {
  description = "Subnets of the instances, in at least two zones; private ones with a way to what the instances need."
  type        = list(string)

  validation {
    condition     = length(var.instance_subnet_ids) >= 2
    error_message = "phoenix calls a generation ready only when it is up in two zones: name subnets in at least two."
  }
}

variable "image_id" {
  description = "Image of the first generation only. Later ones come from the policy; changing this changes nothing."
  type        = string
}

variable "instance_type" {
  description = "Type of the instances. A change reaches the instances with the next rotation."
  type        = string
  default     = "m7i.large"
}

variable "instance_profile" {
  description = "Name of the instance profile; none: the instances have no rights."
  type        = string
  default     = null
}

variable "user_data" {
  description = "User data, as plain text. It is not for what belongs into the image, and never for secrets."
  type        = string
  default     = null
}

variable "capacity" {
  description = "Size of the live slot when it is made. From then on autoscaling and phoenix move it."
  type = object({
    min = optional(number, 2)
    max = optional(number, 12)
  })
  default = {}

  validation {
    condition     = var.capacity.min >= 1 && var.capacity.max >= var.capacity.min
    error_message = "min has to be at least 1, and max at least min."
  }
}

variable "port" {
  description = "Port on which the instances answer, health checks included."
  type        = number
  default     = 8080
}

variable "health_check_path" {
  description = "Path that answers 200 when an instance is ready for traffic."
  type        = string
  default     = "/healthz"
}

variable "certificate_arn" {
  description = "Certificate of the HTTPS listener; port 80 then redirects to it. Without one, port 80 itself forwards: for trying things out only."
  type        = string
  default     = null
}

variable "internal" {
  description = "Whether the load balancer is reachable from inside the VPC only."
  type        = bool
  default     = true
}

variable "clients" {
  description = "CIDR blocks that may reach the load balancer."
  type        = list(string)
}

variable "egress" {
  description = "CIDR blocks that the instances may reach over HTTPS: package mirrors, AWS's endpoints."
  type        = list(string)
  default     = ["0.0.0.0/0"]
}

variable "deletion_protection" {
  description = "Whether AWS refuses to delete the load balancer. Set false, apply, and only then destroy."
  type        = bool
  default     = true
}

variable "access_logs_bucket" {
  description = "S3 bucket for the load balancer's access logs; none: no logs."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags for everything, the instances included."
  type        = map(string)
  default     = {}
}
