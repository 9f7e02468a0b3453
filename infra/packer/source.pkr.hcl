# Where every bake starts, and what every image says of itself. phoenix chooses by name and tags, and shows the others to
# an operator who asks at night for the last change.

locals {
  baked_at = timestamp()
  name     = "${var.service}-${formatdate("YYYY.MM.DD-hhmmss", local.baked_at)}-${substr(var.commit, 0, 8)}"

  provenance = {
    service  = var.service
    channel  = var.channel
    contents = "${var.service} ${var.version}"
    commit   = var.commit
    built_at = local.baked_at
    built_by = var.built_by
  }

  # Packer knows the parent only when it has found it.
  tags = merge(local.provenance, {
    Name        = local.name
    parent      = "{{ .SourceAMI }}"
    parent_name = "{{ .SourceAMIName }}"
  })

  # The same inside the image, for a person who is logged in.
  facts = {
    SERVICE         = var.service
    VERSION         = var.version
    COMMIT          = var.commit
    BUILT_AT        = local.baked_at
    BUILT_BY        = var.built_by
    ARTIFACT_SHA256 = var.artifact_sha256
  }
}

source "amazon-ebs" "parent" {
  region                    = var.region
  subnet_id                 = var.subnet_id
  iam_instance_profile      = var.instance_profile
  instance_type             = "m7i.large"
  ami_name                  = local.name
  ami_description           = "${var.service} ${var.version}, commit ${var.commit}"
  ebs_optimized             = true
  encrypt_boot              = true
  kms_key_id                = var.kms_key_id
  imds_support              = "v2.0"
  force_deregister          = false
  shutdown_behavior         = "terminate"
  communicator              = "ssh"
  ssh_username              = "ec2-user"
  ssh_interface             = "session_manager"
  ssh_clear_authorized_keys = true

  tags            = local.tags
  snapshot_tags   = local.tags
  run_tags        = merge(local.provenance, { Name = "baking ${local.name}" })
  run_volume_tags = local.provenance

  source_ami_filter {
    owners      = [var.parent.owner]
    most_recent = true
    filters = {
      name                = var.parent.name
      architecture        = "x86_64"
      root-device-type    = "ebs"
      virtualization-type = "hvm"
    }
  }

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }
}
