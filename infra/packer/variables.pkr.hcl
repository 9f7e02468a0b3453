variable "service" {
  type        = string
  description = "What the image is for; the tag `service`, and the beginning of its name."
  default     = "web"
}

variable "version" {
  type        = string
  description = "Version of the application in it, as its owners call it."
}

variable "artifact" {
  type        = string
  description = "The application, as a tar.gz on the machine that bakes."
}

variable "artifact_sha256" {
  type        = string
  description = "Its checksum; the bake fails if it is another one."

  validation {
    condition     = can(regex("^[0-9a-f]{64}$", var.artifact_sha256))
    error_message = "Sixty-four hexadecimal digits, as sha256sum prints them."
  }
}

variable "commit" {
  type        = string
  description = "Commit that the image was baked from: `git rev-parse HEAD`."

  validation {
    condition     = can(regex("^[0-9a-f]{40}$", var.commit))
    error_message = "All forty digits of the commit: an abbreviation may become ambiguous."
  }
}

variable "built_by" {
  type        = string
  description = "The baker of the image: the address of the pipeline's run, or the name of a person."
}

variable "built_in" {
  type        = string
  description = "Where the bake runs, besides the Region: the name of the pipeline, or of a machine."
}

variable "built_because" {
  type        = string
  description = "Why: the change or the ticket; `new base` where nothing else has changed."
}

variable "repository" {
  type        = string
  description = "Repository of the commit, without a user or a token in its address."

  validation {
    condition     = !can(regex("://[^/]*@", var.repository))
    error_message = "Everybody who may describe the image reads its tags: leave out what stands before the @."
  }
}

variable "project" {
  type        = string
  description = "Project that the image belongs to."
}

variable "owner" {
  type        = string
  description = "Who answers for it: a team, or its address."
}

variable "how_to" {
  type = object({
    start   = string
    check   = string
    monitor = string
    update  = string
  })
  description = "How the image's application is started, checked, monitored and updated: a command or an address each."
  default = {
    start   = "systemctl start nginx"
    check   = "curl --fail localhost:8080/healthz"
    monitor = "journalctl --unit nginx"
    update  = "bake a new image; never on an instance"
  }
}

variable "channel" {
  type        = string
  description = "The tag `channel`, which policies ask for. Bake into another channel to try an image out first."
  default     = "stable"
}

variable "parent" {
  type = object({
    owner = string
    name  = string
  })
  description = "Owner and name, as a pattern, of the images to start from; the newest is taken."
  default = {
    owner = "amazon"
    name  = "al2023-ami-2023.*-x86_64"
  }
}

variable "region" {
  type        = string
  description = "Region to bake in."
}

variable "subnet_id" {
  type        = string
  description = "Subnet with a way to AWS's endpoints and the package mirrors. Nothing has to be able to reach it."
}

variable "instance_profile" {
  type        = string
  description = "Instance profile with AmazonSSMManagedInstanceCore: the session is how Packer gets in."
}

variable "kms_key_id" {
  type        = string
  description = "Key of the image's volumes; the group's service-linked role needs a grant on it. Empty: the account's default key."
  default     = ""
}
