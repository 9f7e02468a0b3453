# Where every bake starts, and what every image says of itself. phoenix chooses by name and tags, and shows the others to
# an operator who asks at night for the last change.

locals {
  baked_at = timestamp()
  name     = "${var.service}-${formatdate("YYYY.MM.DD-hhmmss", local.baked_at)}-${substr(var.commit, 0, 8)}"

  # The answers to the six questions that `phoenix images show` asks. A tag holds 256 letters at the most.
  provenance = {
    service         = var.service
    channel         = var.channel
    version         = var.version
    contents        = "${var.service} ${var.version}"
    artifact_sha256 = var.artifact_sha256
    repository      = var.repository
    commit          = var.commit
    built_in        = "${var.region}, ${var.built_in}"
    built_at        = local.baked_at
    built_because   = var.built_because
    built_by        = var.built_by
    built_with      = "packer ${packer.version}"
    project         = var.project
    owner           = var.owner
    how_to_start    = var.how_to.start
    how_to_check    = var.how_to.check
    how_to_monitor  = var.how_to.monitor
    how_to_update   = var.how_to.update
  }

  # Packer knows the parent only when it has found it. `ancestors` is the parent and the parent's own ancestors, and the base
  # goes from image to image in the same way, so that one call reads the whole chain and no call tells the base's age. What the
  # parent was searched by tells later whether a newer one exists.
  tags = merge(local.provenance, {
    Name            = local.name
    parent          = "{{ .SourceAMI }}"
    parent_name     = "{{ .SourceAMIName }}"
    parent_built_at = "{{ .SourceAMICreationDate }}"
    parent_owner    = var.parent.owner
    parent_filter   = var.parent.name
    ancestors       = "{{ .SourceAMI }}{{ with index .SourceAMITags \"ancestors\" }} {{ . }}{{ end }}"
    base            = "{{ with index .SourceAMITags \"base\" }}{{ . }}{{ else }}{{ .SourceAMI }}{{ end }}"
    base_name       = "{{ with index .SourceAMITags \"base_name\" }}{{ . }}{{ else }}{{ .SourceAMIName }}{{ end }}"
    base_built_at   = "{{ with index .SourceAMITags \"base_built_at\" }}{{ . }}{{ else }}{{ .SourceAMICreationDate }}{{ end }}"
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
