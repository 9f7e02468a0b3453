# Two ways to the same image; take one: packer build -only='shell.*' …

build {
  name    = "shell"
  sources = ["source.amazon-ebs.parent"]

  provisioner "file" {
    sources = [
      var.artifact,
      "${path.root}/files/web.conf",
      "${path.root}/files/taint-on-login.sh",
      "${path.root}/files/phoenix-taint.sh",
    ]
    destination = "/tmp/"
  }

  provisioner "shell" {
    scripts          = ["${path.root}/shell/install.sh", "${path.root}/shell/verify.sh", "${path.root}/shell/clean.sh"]
    env              = merge(local.facts, { ARTIFACT = "/tmp/${basename(var.artifact)}" })
    execute_command  = "sudo env {{ .Vars }} bash {{ .Path }}"
    valid_exit_codes = [0]
  }

  post-processor "manifest" {
    output      = "manifest.json"
    custom_data = local.provenance
  }
}

build {
  name    = "ansible"
  sources = ["source.amazon-ebs.parent"]

  provisioner "ansible" {
    playbook_file   = "${path.root}/ansible/playbook.yml"
    user            = "ec2-user"
    extra_arguments = ["--extra-vars", jsonencode({ facts = local.facts, artifact = abspath(var.artifact) })]
  }

  provisioner "shell" {
    scripts         = ["${path.root}/shell/verify.sh", "${path.root}/shell/clean.sh"]
    env             = local.facts
    execute_command = "sudo env {{ .Vars }} bash {{ .Path }}"
  }

  post-processor "manifest" {
    output      = "manifest.json"
    custom_data = local.provenance
  }
}
