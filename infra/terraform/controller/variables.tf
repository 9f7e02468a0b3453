variable "name" {
  description = "Beginning of every name made here."
  type        = string
  default     = "phoenix"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,31}$", var.name))
    error_message = "At most 32 of a-z, 0-9 and -, beginning with a letter."
  }
}

variable "package" {
  description = "Path of the zip that `make package` builds."
  type        = string
}

variable "architecture" {
  description = "x86_64 or arm64: what the package was built for."
  type        = string
  default     = "x86_64"

  validation {
    condition     = contains(["x86_64", "arm64"], var.architecture)
    error_message = "x86_64 or arm64."
  }
}

variable "policies" {
  description = "Where the policies are: s3://bucket/prefix, or `policies`, the folder in the package."
  type        = string
  default     = "policies"

  validation {
    condition     = can(regex("^(s3://[a-z0-9.-]{3,63}(/.*)?|[^:]+)$", var.policies))
    error_message = "s3://bucket/prefix, or the name of a folder in the package."
  }
}

variable "rights" {
  description = "File with the rights of `advance`. None: infra/iam/rotate.json, which is enough for whatever a policy may say. `phoenix iam` prints a narrower one, for exactly your policies."
  type        = string
  default     = null
}

variable "instance_role" {
  description = "Name, or pattern of names, of the roles that rotated instances have. Empty: they have none."
  type        = string
  default     = ""
}

variable "image_owners" {
  description = "Owners of the images that may be launched, as `ec2:Owner` has them: account ids, `amazon` for Amazon's images and those of verified providers, `aws-marketplace`. Empty: this account."
  type        = list(string)
  default     = []
}

variable "image_parameters" {
  description = "ARNs of the SSM parameters that policies with `image: {kind: ssm}` name."
  type        = list(string)
  default     = []
}

variable "gate_functions" {
  description = "ARNs of the Lambda functions that policies with a gate `{kind: lambda}` ask, with their alias where they name one."
  type        = list(string)
  default     = []
}

variable "image_statements" {
  description = "ARNs of the signed statements of images, as policies name their place with `signed_by`: arn:aws:s3:::bucket/prefix/*."
  type        = list(string)
  default     = []
}

variable "weighted_records" {
  description = "Hosted zone and name of the records in which policies with `traffic: {kind: route53}` move weights. The name without a dot at its end, in small letters; `*` is written \\052."
  type        = list(object({ zone = string, name = string }))
  default     = []
}

variable "notification_topics" {
  description = "ARNs of further topics that policies name under `notify`. The one made here is always allowed."
  type        = list(string)
  default     = []
}

variable "event_buses" {
  description = "ARNs of the EventBridge buses that policies name under `notify`."
  type        = list(string)
  default     = []
}

variable "assume_roles" {
  description = "ARNs of roles in other accounts that policies name as `role_arn`."
  type        = list(string)
  default     = []
}

variable "subscribers" {
  description = "E-mail addresses that get the alarms; each has to confirm once. Subscribe everything else to the topic."
  type        = set(string)
  default     = []
}

variable "network" {
  description = "Subnets and security groups of the functions. Needed only by policies with an http gate: it asks instances at their private addresses. From these subnets the functions reach AWS through NAT or through interface endpoints for autoscaling, ec2, elasticloadbalancing, monitoring, sts, ssm, servicequotas, lambda, sns, events, kms and gateway endpoints for dynamodb and s3 (a call without a way out ends by time-out, and so does the sweep)."
  type = object({
    subnets         = list(string)
    security_groups = list(string)
  })
  default = { subnets = [], security_groups = [] }
}

variable "concurrency" {
  description = "How many invocations of each function AWS runs at once, kept free for them; -1 reserves nothing. AWS keeps 10 executions of an account unreserved and refuses what leaves less; a new account has 10 in all. Where the limit is 1,000, 2 for sweep (the schedule's and one for a new image) and 50 for advance are enough for a thousand groups."
  type = object({
    sweep   = optional(number, -1)
    advance = optional(number, -1)
  })
  default = {}

  validation {
    condition     = alltrue([for each in values(var.concurrency) : each == -1 || each >= 1])
    error_message = "-1, or at least 1: with 0 the function never runs."
  }
}

variable "never_follow" {
  description = "Whether `advance` is also denied every update that leaves a group to follow $Latest or $Default. Set it once docs/first-hour.md has shown that AWS does not take a plain change of capacity for one."
  type        = bool
  default     = false
}

variable "max_age_days" {
  description = "Age of the oldest generation in traffic from which on an alarm rings. A little above what the policies promise."
  type        = number
  default     = 9
}

variable "log_days" {
  description = "How long log lines are kept; one of the numbers that CloudWatch Logs accepts."
  type        = number
  default     = 365
}

variable "deletion_protection" {
  description = "Whether AWS refuses to delete the table. Set false, apply, and only then destroy."
  type        = bool
  default     = true
}

variable "tags" {
  description = "Tags for everything."
  type        = map(string)
  default     = {}
}
